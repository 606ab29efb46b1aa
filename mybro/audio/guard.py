"""Keeps mybro from hearing itself: knows what the loudspeaker plays and cleans what the microphone brings.

Lives in the sound process, where both are known sample by sample and in the same time.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np

from mybro.audio.echo import EchoCanceller
from mybro.audio.echo_filter import PARTITIONS, Wave
from mybro.audio.playout import Samples
from mybro.audio.source import BLOCK_SAMPLES
from mybro.events import SAMPLE_RATE

LEAD_S = 0.02
"""Devices say when they will play something, but not to the millisecond: an echo may seem to come before."""
MEMORY_S = 4.0
PLAYED_CHUNKS = 1000
"""Twenty seconds that nobody asks for are forgotten."""
OFF_S = 0.05
"""Further than this from where it should be, and the count begins anew from the time."""
GAP_S = 0.02
"""So far off, and a loudspeaker had run out of sound."""
_FULL_SCALE = 32768.0


class _Chunk(NamedTuple):
    stream: int
    at: float
    rate: int
    samples: Samples


class Cleaned(NamedTuple):
    """A block from the microphone."""

    pcm: bytes
    """Without the echo."""
    echo: bool
    """Whether nothing but echo was in it."""
    stirs: bool
    """Whether there may be more than echo in it: sooner known, and less surely, than `echo`."""


class EchoGuard:
    """One microphone and one loudspeaker. `played` may be called in another thread."""

    def __init__(self) -> None:
        self._canceller = EchoCanceller()
        self._chunks: deque[_Chunk] = deque(maxlen=PLAYED_CHUNKS)
        # What was and is to be played, by its time: sample n of `_ring` at n modulo its length.
        self._ring = np.zeros(int(MEMORY_S * SAMPLE_RATE), np.float32)
        self._written = 0
        self._stream = -1
        self._next = 0
        self._begins: int | None = None
        self._convert: Any = None
        self._offset = 0
        self._heard_next: int | None = None

    @property
    def audible(self) -> bool:
        """Whether what was played may be heard in the last block that was cleaned."""
        return not self._canceller.idle

    def played(self, stream: int, at: float, rate: int, samples: Samples) -> None:
        """A stretch of what leaves the loudspeaker.

        `stream` is the same for what follows without a gap; `at` is when, in seconds of CLOCK_MONOTONIC, the
        first sample is heard; `rate` is in hertz.
        """
        self._chunks.append(_Chunk(stream, at, rate, samples))

    def silenced(self, at: float) -> None:
        """What should have been heard later than `at` was thrown away."""
        self._take_in()
        first = max(self._index(at - LEAD_S), self._written - len(self._ring))
        if first < self._written:
            self._put(first, np.zeros(self._written - first, np.float32))
        self._stream = -1

    def clean(self, at: float, pcm: bytes) -> Cleaned:
        """The next block from the microphone: BLOCK_SAMPLES 16-bit samples, the first heard `at`.

        A block of another length, as at the end of a stream, is given back as it is.
        """
        self._take_in()
        if len(pcm) != BLOCK_SAMPLES * 2:
            return Cleaned(pcm, False, True)
        start = self._follow(at)
        if self._begins is not None and start + self._offset + BLOCK_SAMPLES > self._begins:
            self._begins = None
            self._canceller.unsettle()
        if self._canceller.idle and not self._loud(start):
            return Cleaned(pcm, False, True)
        heard = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)
        clean, echo = self._canceller.process(self._played(start), heard)
        if lag := self._canceller.lag:
            self._offset -= lag
            blocks = range(PARTITIONS, -1, -1)
            self._canceller.shifted([self._played(start - back * BLOCK_SAMPLES) for back in blocks])
        samples = np.clip(clean * _FULL_SCALE, -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2")
        return Cleaned(samples.tobytes(), echo, self._canceller.stirs)

    # ------------------------------------------------------------------ what is played

    def _take_in(self) -> None:
        while self._chunks:
            chunk = self._chunks.popleft()
            due = self._index(chunk.at - LEAD_S)
            if chunk.stream != self._stream:
                self._begin(chunk, due)
            elif abs(due - self._next) > GAP_S * SAMPLE_RATE:
                self._next = self._begins = due
            samples = chunk.samples.astype(np.float32) / np.float32(_FULL_SCALE)
            if self._convert is not None:
                samples = self._convert.resample_chunk(samples)
            self._put(self._next, samples)
            self._next += len(samples)

    def _begin(self, chunk: _Chunk, due: int) -> None:
        self._stream, self._next, self._convert = chunk.stream, due, None
        self._begins = due
        if chunk.rate != SAMPLE_RATE:
            import soxr

            # The quick way holds nothing back: what is heard may be asked for at once.
            self._convert = soxr.ResampleStream(chunk.rate, SAMPLE_RATE, 1, dtype="float32", quality="QQ")

    def _put(self, start: int, samples: Wave) -> None:
        if start > self._written:
            # A gap, or all of the ring: nothing was played there.
            gap = min(start - self._written, len(self._ring))
            self._ring[np.arange(start - gap, start) % len(self._ring)] = 0
        self._ring[np.arange(start, start + len(samples)) % len(self._ring)] = samples
        self._written = max(self._written, start + len(samples))

    def _played(self, start: int) -> Wave:
        start += self._offset
        places = np.arange(start, start + BLOCK_SAMPLES)
        known = (places < self._written) & (places >= self._written - len(self._ring))
        return np.where(known, self._ring[places % len(self._ring)], np.float32(0))

    def _loud(self, start: int) -> bool:
        return start + self._offset < self._written and bool(np.any(self._played(start)))

    # ------------------------------------------------------------------ time

    def _follow(self, at: float) -> int:
        """Where the block from the microphone lies: counted, and set right where it was interrupted."""
        due = self._index(at)
        if self._heard_next is None or abs(due - self._heard_next) > OFF_S * SAMPLE_RATE:
            self._heard_next = due
        start = self._heard_next
        self._heard_next = start + BLOCK_SAMPLES
        return start

    @staticmethod
    def _index(at: float) -> int:
        return round(at * SAMPLE_RATE)
