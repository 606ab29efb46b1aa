"""Loudspeakers that make no sound but take its time: for machines without one, and for recordings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mybro.audio.playback import AHEAD_S, DUCKED
from mybro.audio.playout import BLOCKS_PER_S, Mixer, Samples
from mybro.clock import Clock, MonotonicClock
from mybro.errors import AudioError

WAV_RATE = 24_000

Sink = Callable[[Samples, bool], None]
"""Takes the samples as they would be heard, and whether they are the last."""


class NullPlayer:
    """Nothing is heard, and everything else is as it would be."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or MonotonicClock()
        self._playback: VirtualPlayback | None = None

    async def play(self, sample_rate: int) -> VirtualPlayback:
        if self._playback:
            self._playback.stop()
        self._playback = VirtualPlayback(sample_rate, self._clock, self._sink(sample_rate))
        return self._playback

    def _sink(self, sample_rate: int) -> Sink | None:
        return None


class WavPlayer(NullPlayer):
    """Writes what would be heard to a mono 16-bit WAV, without the quiet between two stretches of sound."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        """Raises `AudioError` where the file cannot be written."""
        super().__init__(clock)
        import soundfile

        try:
            self._file = soundfile.SoundFile(str(path), "w", WAV_RATE, 1, subtype="PCM_16", format="WAV")
        except (OSError, soundfile.LibsndfileError) as error:
            raise AudioError(
                "cannot_record", f"{path} cannot be written", hint="Choose another file"
            ) from error

    def _sink(self, sample_rate: int) -> Sink:
        import soxr

        convert = soxr.ResampleStream(sample_rate, WAV_RATE, 1, dtype="int16").resample_chunk

        def write(samples: Samples, last: bool) -> None:
            if not self._file.closed:
                self._file.write(convert(samples, last=last))

        return write

    def close(self) -> None:
        """Complete the file. Works twice."""
        self._file.close()


class VirtualPlayback:
    """Takes samples block by block, each when the one before would have been played."""

    def __init__(self, sample_rate: int, clock: Clock, sink: Sink | None) -> None:
        self._rate = sample_rate
        self._clock = clock
        self._sink = sink
        self._mixer = Mixer(sample_rate)
        self._written = self._position = 0
        self._over = False
        self._advanced = asyncio.Event()
        self._running = asyncio.create_task(self._run())

    @property
    def position(self) -> int:
        return self._position

    async def write(self, pcm: bytes) -> None:
        samples = np.frombuffer(pcm, "<i2")
        self._written += len(samples)
        self._mixer.feed(samples)
        while not self._over and self._written - self._position > AHEAD_S * self._rate:
            await self._advance()

    async def finish(self) -> None:
        self._mixer.finish()
        while not self._over:
            await self._advance()

    def stop(self) -> None:
        self._running.cancel()
        self._end()

    def duck(self, on: bool) -> None:
        self._mixer.set_gain(DUCKED if on else 1.0)

    async def _run(self) -> None:
        block = max(1, self._rate // BLOCKS_PER_S)
        began, played = self._clock.now(), 0
        last = False
        while not last:
            samples, last = self._mixer.take(block)
            heard = self._mixer.taken
            await self._clock.sleep(max(began + (played + block) / self._rate - self._clock.now(), 0.0))
            if self._sink:
                self._sink(samples, last)
            played += block
            self._position = heard
            self._advanced.set()
        self._end()

    def _end(self) -> None:
        self._over = True
        self._advanced.set()

    async def _advance(self) -> None:
        self._advanced.clear()
        await self._advanced.wait()
