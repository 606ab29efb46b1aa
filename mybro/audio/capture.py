"""The microphone inside the sound process: PortAudio's thread hands blocks to the loop through janus."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import janus
import numpy as np

from mybro.audio.devices import Device
from mybro.audio.source import BLOCK_SAMPLES
from mybro.events import SAMPLE_RATE
from mybro.native.resample import Resampler, make_resampler

QUEUE_BLOCKS = 100
"""Two seconds: longer than any stall of the loop that is worth bridging."""


CALM_BLOCKS = 150
TOGETHER = 20
"""After three quiet seconds, so many quiet blocks travel together: waking two processes for each of them
would be most of what listening costs. What is louder goes at once, with what waits."""
CALM = 2.0
CALM_RISE = 1.01
CALM_AT_MOST = 1e-4
"""Calm is less than so many times the quiet of late, and never more than -40 dB relative to full scale."""


@dataclass(frozen=True, slots=True)
class Captured:
    """One block from the device, or a few quiet ones."""

    start: int
    """Index of the first sample since the stream was opened; what was dropped counts."""
    at: float
    """When the first sample was heard, in seconds of CLOCK_MONOTONIC, which all processes share."""
    pcm: bytes
    dropped: int
    """Losses so far: blocks that nobody took, and times that the device itself ran over."""


class Capture:
    """One open microphone. The methods block: call them in the device thread."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.rate = SAMPLE_RATE
        self._queue: janus.Queue[Captured] = janus.Queue(QUEUE_BLOCKS)
        self._samples = 0
        self._dropped = 0
        self._stream: Any = None
        self._resampler: Resampler | None = None
        self._sent = 0
        self._quiet = CALM_AT_MOST
        self._calm_for = 0
        self._held: list[Captured] = []
        self._rest = np.zeros(0, np.int16)

    def open(self) -> None:
        """Start recording; raises sounddevice.PortAudioError."""
        import sounddevice

        try:
            self._start(SAMPLE_RATE)
        except sounddevice.PortAudioError:
            # Not every interface converts rates: take the device's own and convert here.
            if self.device.rate == SAMPLE_RATE:
                raise
            self._start(int(self.device.rate))

    def close(self) -> None:
        """Let go of the device."""
        if self._stream is not None:
            self._stream.abort()
            self._stream.close()
            self._stream = None
        self._finished()

    async def blocks(self) -> AsyncIterator[Captured]:
        """What was recorded, at 16 kHz; ends when the stream does, for whatever reason."""
        with contextlib.suppress(janus.AsyncQueueShutDown):
            while True:
                block = await self._queue.async_q.get()
                if self._resampler:
                    for part in self._converted(self._resampler, block):
                        yield part
                else:
                    yield block

    async def aclose(self) -> None:
        await self._queue.aclose()

    def _start(self, rate: int) -> None:
        import sounddevice

        self.rate = rate
        if rate != SAMPLE_RATE:
            self._resampler = make_resampler(rate, SAMPLE_RATE)
        self._stream = sounddevice.RawInputStream(
            samplerate=rate, channels=1, dtype="int16", device=self.device.number, latency="low",
            blocksize=BLOCK_SAMPLES * rate // SAMPLE_RATE,
            callback=self._heard, finished_callback=self._finished,
        )  # fmt: skip
        self._stream.start()

    def _heard(self, data: Any, frames: int, when: Any, status: Any) -> None:
        # In PortAudio's thread: nothing here may wait.
        if status and status.input_overflow:
            self._dropped += 1
        at = time.monotonic() - max(when.currentTime - when.inputBufferAdcTime, 0.0)
        block = Captured(self._samples, at, bytes(data), self._dropped)
        self._samples += frames
        self._held.append(block)
        if not self._is_calm(block.pcm) or len(self._held) >= TOGETHER:
            self._hand_over()

    def _is_calm(self, pcm: bytes) -> bool:
        """Whether it has been as quiet as the room for long."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        power = float(np.dot(samples, samples)) / max(len(samples), 1) / 2**30 + 1e-10
        calm = power < min(CALM * self._quiet, CALM_AT_MOST)
        self._quiet = min(power, self._quiet * CALM_RISE)
        self._calm_for = self._calm_for + 1 if calm else 0
        return self._calm_for > CALM_BLOCKS

    def _hand_over(self) -> None:
        held, self._held = self._held, []
        if not held:
            return
        pcm = b"".join(block.pcm for block in held)
        try:
            self._queue.sync_q.put_nowait(Captured(held[0].start, held[0].at, pcm, self._dropped))
        except (janus.SyncQueueFull, janus.SyncQueueShutDown):
            self._dropped += len(held)

    def _finished(self) -> None:
        self._hand_over()
        # The device is gone, or was closed: the loop learns it after the last block.
        self._queue.sync_q.shutdown()

    def _converted(self, resampler: Resampler, block: Captured) -> list[Captured]:
        """Whole blocks of BLOCK_SAMPLES at 16 kHz; the rest waits for the next."""
        converted = np.frombuffer(resampler.convert(block.pcm), "<i2")
        # Dropped blocks leave a gap here too; the converter's own delay of two milliseconds does not.
        expected = block.start * SAMPLE_RATE // self.rate
        held = len(self._rest)
        if expected - self._sent - held > BLOCK_SAMPLES * 4:
            self._sent, self._rest, held = expected, self._rest[:0], 0
        samples = np.concatenate([self._rest, converted])
        whole = len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES
        self._rest = samples[whole:]
        first, self._sent = self._sent, self._sent + whole
        return [
            Captured(
                first + at,
                block.at + (at - held) / SAMPLE_RATE,
                samples[at : at + BLOCK_SAMPLES].tobytes(),
                block.dropped,
            )
            for at in range(0, whole, BLOCK_SAMPLES)
        ]
