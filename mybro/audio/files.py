"""Sound from files and pipes, streamed: a recording of hours takes no more memory than one of seconds."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mybro.audio.source import BLOCK_SAMPLES
from mybro.clock import Clock, MonotonicClock
from mybro.errors import AudioError
from mybro.events import BYTES_PER_SAMPLE, SAMPLE_RATE, AudioBlock

CONVERT = "Convert it: ffmpeg -i {name} -ar 16000 -ac 1 sound.wav"
_READ_SECONDS = 1.0
_FULL_SCALE = 32768.0

Samples = npt.NDArray[np.float32]


class FileSource:
    """A sound file in any format that libsndfile reads, at any rate, with any number of channels."""

    live = False
    dropped_blocks = 0

    def __init__(self, path: str | Path, *, realtime: bool = False, clock: Clock | None = None) -> None:
        """`realtime` delivers each block when it would have been spoken, otherwise as fast as it is taken.

        Raises `AudioError` where the file is missing, empty, damaged or of an unknown format.
        """
        self.path = Path(path)
        self.name = self.path.name
        self.realtime = realtime
        self._clock = clock or MonotonicClock()
        self._closed = False
        info = _open_sound(self.path)
        self.seconds = info.frames / info.samplerate
        """The file's length, as its header has it."""
        info.close()

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        began, start = self._clock.now(), 0
        for pcm in _in_blocks(self._pcm()):
            if self._closed:
                return
            block = AudioBlock(start, pcm)
            start = block.end
            if self.realtime:
                # Against the start, not the block before: waits that are a little long do not add up.
                late = began + block.end / SAMPLE_RATE - self._clock.now()
                await self._clock.sleep(max(late, 0.0))
            else:
                await asyncio.sleep(0)
            yield block

    async def aclose(self) -> None:
        self._closed = True

    def _pcm(self) -> Iterator[bytes]:
        with _open_sound(self.path) as file:
            resampler = _resampler(file.samplerate)
            for mono in _mono(file, self.path):
                yield _to_int16(resampler.resample_chunk(mono))
            yield _to_int16(resampler.resample_chunk(np.zeros(0, np.float32), last=True))


class PipeSource:
    """Raw 16-bit little-endian mono sound at 16 kHz from a descriptor: standard input by default."""

    live = False
    dropped_blocks = 0

    def __init__(self, descriptor: int | None = None, *, name: str = "standard input") -> None:
        """Raises `AudioError` where the descriptor is a terminal, which holds no sound."""
        self.name = name
        self._fd = sys.stdin.fileno() if descriptor is None else descriptor
        if os.isatty(self._fd):
            raise AudioError(
                "terminal_as_sound",
                f"{name} is a terminal, not sound",
                hint="Pipe sound into it: arecord -t raw -f S16_LE -r 16000 -c 1 | mybro hear -",
            )
        self._transport: asyncio.BaseTransport | None = None
        self._reader: asyncio.StreamReader | None = None
        self._closed = False

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        start, rest = 0, b""
        size = BLOCK_SAMPLES * BYTES_PER_SAMPLE
        async for chunk in self._chunks():
            rest += chunk
            whole = len(rest) - len(rest) % size
            for at in range(0, whole, size):
                block = AudioBlock(start, rest[at : at + size])
                start = block.end
                yield block
            rest = rest[whole:]
        # Half a sample at the very end is no sound.
        if tail := rest[: len(rest) - len(rest) % BYTES_PER_SAMPLE]:
            yield AudioBlock(start, tail)

    async def aclose(self) -> None:
        self._closed = True
        if self._reader is not None:
            self._reader.feed_eof()
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            # The descriptor's mode is shared with whoever gave it to us.
            os.set_blocking(self._fd, True)

    async def _chunks(self) -> AsyncIterator[bytes]:
        if stat.S_ISREG(os.fstat(self._fd).st_mode):
            # A regular file is always ready, which event loops refuse to watch.
            while not self._closed and (chunk := os.read(self._fd, 1 << 15)):
                yield chunk
                await asyncio.sleep(0)
            return
        reader = self._reader = asyncio.StreamReader(limit=1 << 16)
        pipe = os.fdopen(os.dup(self._fd), "rb", buffering=0)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        while not self._closed and (chunk := await reader.read(1 << 15)):
            yield chunk


def _open_sound(path: Path) -> Any:
    """The file, opened with soundfile; raises `AudioError` with what can be done."""
    if not path.is_file():
        what = "is not a file" if path.exists() else "does not exist"
        raise AudioError("no_sound_file", f"{path} {what}", hint="Give the path of a recording")
    if path.stat().st_size == 0:
        raise AudioError("empty_sound", f"{path} is empty", hint="Record it again")
    import soundfile

    try:
        file = soundfile.SoundFile(str(path))
    except (soundfile.LibsndfileError, TypeError) as error:
        reason = getattr(error, "error_string", "its format is unknown").strip().rstrip(".")
        raise AudioError(
            "unreadable_sound",
            f"{path} cannot be read as sound: {reason}",
            hint=CONVERT.format(name=path.name),
        ) from None
    if file.frames == 0:
        file.close()
        raise AudioError("empty_sound", f"{path} holds no sound", hint="Record it again")
    return file


def _mono(file: Any, path: Path) -> Iterator[Samples]:
    """About a second at a time, all channels averaged."""
    import soundfile

    size = max(1, int(file.samplerate * _READ_SECONDS))
    done = 0
    while True:
        try:
            chunk = file.read(size, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            raise AudioError(
                "damaged_sound",
                f"{path} is damaged after {done / file.samplerate:.1f} s",
                hint=CONVERT.format(name=path.name),
            ) from None
        if not len(chunk):
            return
        done += len(chunk)
        yield chunk.mean(axis=1, dtype=np.float32)


class _Unchanged:
    def resample_chunk(self, samples: Samples, last: bool = False) -> Samples:
        return samples


def _resampler(rate: int) -> Any:
    """What turns samples at `rate` into samples at 16 kHz, chunk by chunk."""
    if rate == SAMPLE_RATE:
        return _Unchanged()
    import soxr

    return soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")


def _to_int16(samples: Samples) -> bytes:
    scaled = np.nan_to_num(np.rint(samples * _FULL_SCALE), nan=0.0)
    pcm: bytes = np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2").tobytes()
    return pcm


def _in_blocks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks of one size; the last one may be shorter."""
    size, rest = BLOCK_SAMPLES * BYTES_PER_SAMPLE, b""
    for chunk in chunks:
        rest += chunk
        for at in range(0, len(rest) - size + 1, size):
            yield rest[at : at + size]
        rest = rest[len(rest) - len(rest) % size :]
    if rest:
        yield rest
