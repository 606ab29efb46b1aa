"""A sentence's samples, filled by a voice while a loudspeaker already takes from the front."""

from __future__ import annotations

import asyncio


class Sound:
    """Mono 16-bit samples at one rate: that of the first chunk. Later ones are resampled to it."""

    def __init__(self) -> None:
        self.sample_rate = 0
        """Hertz; 0 until the first chunk."""
        self.ended = False
        self.heard = 0
        """Samples, from the beginning, that have left the loudspeaker."""
        self._pcm = bytearray()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """Samples so far."""
        return len(self._pcm) // 2

    @property
    def seconds(self) -> float:
        return len(self) / self.sample_rate if self.sample_rate else 0.0

    def add(self, sample_rate: int, pcm: bytes) -> None:
        if not self.sample_rate:
            self.sample_rate = sample_rate
        if sample_rate != self.sample_rate:
            pcm = _resampled(pcm, sample_rate, self.sample_rate)
        self._pcm += pcm
        self._changed.set()

    def end(self) -> None:
        """Nothing more will be added."""
        self.ended = True
        self._changed.set()

    async def read(self, start: int, most: int) -> bytes:
        """Up to `most` samples from `start` on, as soon as there are any; empty at the end."""
        while len(self) <= start and not self.ended:
            self._changed.clear()
            await self._changed.wait()
        return self.slice(start, start + most)

    def slice(self, start: int, end: int) -> bytes:
        """Samples from `start` up to `end`, as far as they are there."""
        return bytes(self._pcm[2 * start : 2 * end])


def scaled(pcm: bytes, volume: float) -> bytes:
    """The samples, softer: `volume` is 0 to 1."""
    if volume >= 1.0:
        return pcm
    import numpy as np

    return (np.frombuffer(pcm, dtype="<i2") * volume).astype("<i2").tobytes()


def _resampled(pcm: bytes, source: int, target: int) -> bytes:
    import numpy as np
    import soxr

    samples = np.frombuffer(pcm, dtype="<i2")
    converted: bytes = soxr.resample(samples, source, target).astype("<i2").tobytes()
    return converted
