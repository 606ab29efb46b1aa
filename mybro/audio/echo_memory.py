"""How a microphone hears a loudspeaker, kept from one session to the next.

What is kept is small, holds no sound, and may be wrong: the echo guard tries it before it believes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
import zlib
from hashlib import sha256
from pathlib import Path

import numpy as np

from mybro.audio.echo_filter import PARTITIONS, EchoPath
from mybro.audio.guard import EchoGuard
from mybro.audio.source import BLOCK_SAMPLES
from mybro.events import SAMPLE_RATE

KEEP = 8
"""Pairs of devices that are remembered, the latest."""
AGAIN_S = 60.0
READ_S = 1.0
"""A disk that takes longer is not waited for."""
FURTHEST = SAMPLE_RATE
"""A larger offset, in samples, is no room's."""
LARGEST = 1e3
_MAGIC = b"mybroEP1"
"""With the version: what another one wrote is not read."""
_HEAD = struct.Struct("<8sIi")
_SHAPE = (PARTITIONS, BLOCK_SAMPLES + 1)
_SIZE = _HEAD.size + 3 * 4 * PARTITIONS * (BLOCK_SAMPLES + 1)


class EchoMemory:
    """A folder with a file for each pair of devices. What cannot be read or written is as if it were not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, microphone: str, loudspeaker: str) -> EchoPath | None:
        """What was learnt between two devices of these names."""
        try:
            file = self._file(microphone, loudspeaker)
            kept = file.read_bytes() if file.stat().st_size == _SIZE else b""
        except OSError:
            return None
        return _unpacked(kept)

    def keep(self, microphone: str, loudspeaker: str, path: EchoPath) -> None:
        """Keep it in place of what was kept of them; the pair that was used longest ago may go."""
        file = self._file(microphone, loudspeaker)
        fresh = file.with_suffix(".new")
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh.write_bytes(_packed(path))
            fresh.replace(file)
            files = sorted(self._folder.glob("*.path"), key=lambda each: each.stat().st_mtime)
            for old in files[:-KEEP]:
                old.unlink(missing_ok=True)

    def _file(self, microphone: str, loudspeaker: str) -> Path:
        pair = sha256(f"{microphone}\0{loudspeaker}".encode(errors="replace")).hexdigest()
        return self._folder / f"{pair[:16]}.path"


class Acquaintance:
    """Which microphone hears which loudspeaker in the sound process."""

    def __init__(self) -> None:
        self.folder: str | None = None
        """Where to keep what is learnt; None keeps nothing."""
        self._pair: tuple[str, str] | None = None
        self._kept_at = float("-inf")
        self._writing: asyncio.Future[None] | None = None

    async def begin(self, guard: EchoGuard, microphone: str | None, loudspeaker: str) -> None:
        """From here on `guard` is between these two.

        Without a plain microphone nothing is kept: what a voice-processing unit leaves is learnt anew.
        """
        pair = (microphone, loudspeaker) if microphone is not None else None
        if pair == self._pair or self.folder is None:
            return
        self._pair, self._kept_at = pair, float("-inf")
        if pair is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READ_S):
                path = await asyncio.to_thread(EchoMemory(Path(self.folder)).recall, *pair)
            if path is not None:
                guard.start_from(path)

    def end(self, guard: EchoGuard) -> None:
        """Something was played to its end: keep what was learnt, now and then."""
        due = time.monotonic() - self._kept_at > AGAIN_S and (self._writing is None or self._writing.done())
        if self.folder is None or self._pair is None or not due or (path := guard.learnt) is None:
            return
        self._kept_at = time.monotonic()
        loop = asyncio.get_running_loop()
        keep = EchoMemory(Path(self.folder)).keep
        self._writing = loop.run_in_executor(None, keep, *self._pair, path)


def _packed(path: EchoPath) -> bytes:
    parts = np.stack([path.answer.real, path.answer.imag, path.doubt])
    body = parts.astype("<f4").tobytes()
    return _HEAD.pack(_MAGIC, zlib.crc32(body), path.offset) + body


def _unpacked(kept: bytes) -> EchoPath | None:
    if len(kept) != _SIZE:
        return None
    magic, check, offset = _HEAD.unpack_from(kept)
    body = kept[_HEAD.size :]
    if magic != _MAGIC or check != zlib.crc32(body) or abs(offset) > FURTHEST:
        return None
    real, imaginary, doubt = np.frombuffer(body, "<f4").reshape(3, *_SHAPE)
    # A comparison with what is no number is false.
    if not all(bool(np.all(np.abs(each) < LARGEST)) for each in (real, imaginary, doubt)):
        return None
    answer = np.asarray(real + 1j * imaginary, np.complex64)
    return EchoPath(offset, answer, np.maximum(doubt, 0).astype(np.float32))
