"""The loudspeaker inside the sound process: one stream for each stretch of speech."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mybro.audio.devices import Device

LATENCY_S = 0.06
"""Sound that the device holds. Less breaks up on a busy machine; a stop throws it away."""
BLOCKS_PER_S = 50
RAMP_S = 0.01
"""A change of loudness takes this long: a step would click."""

Samples = npt.NDArray[np.int16]


class Mixer:
    """What the stream's callback takes its samples from. Safe between threads; no I/O."""

    def __init__(self, rate: int) -> None:
        """`rate` is in hertz, of everything that is fed and taken."""
        self._lock = threading.Lock()
        self._waiting: deque[Samples] = deque()
        self._ramp = max(1, int(rate * RAMP_S))
        self._gain = self._wanted_gain = 1.0
        self._complete = False
        self._silenced = False
        self.taken = 0
        """Samples handed to the device; silence for want of samples does not count."""

    def feed(self, samples: Samples) -> None:
        with self._lock:
            if not self._silenced:
                self._waiting.append(samples)

    def finish(self) -> None:
        """No more is fed."""
        self._complete = True

    def silence(self) -> None:
        """Everything not yet taken is never heard."""
        with self._lock:
            self._silenced = True
            self._waiting.clear()

    def set_gain(self, gain: float, *, at_once: bool = False) -> None:
        """Loudness as a factor, reached within RAMP_S."""
        self._wanted_gain = gain
        if at_once:
            self._gain = gain

    def take(self, count: int) -> tuple[Samples, bool]:
        """The next samples, filled up with silence, and whether they are the last."""
        out = np.zeros(count, np.int16)
        filled = 0
        with self._lock:
            while filled < count and self._waiting:
                first = self._waiting.popleft()
                part = first[: count - filled]
                out[filled : filled + len(part)] = part
                filled += len(part)
                if len(part) < len(first):
                    self._waiting.appendleft(first[len(part) :])
            # After a silence the stream is aborted: ending it in order would play what the device holds.
            last = self._complete and not self._waiting and not self._silenced
            self.taken += filled
        return self._scaled(out), last

    def _scaled(self, samples: Samples) -> Samples:
        gain, wanted = self._gain, self._wanted_gain
        if gain == wanted == 1.0:
            return samples
        step = 1.0 / self._ramp
        path = gain + np.sign(wanted - gain) * step * np.arange(1, len(samples) + 1)
        path = np.clip(path, min(gain, wanted), max(gain, wanted))
        self._gain = float(path[-1])
        return np.asarray(samples * path, np.int16)


class Through(Protocol):
    """A loudspeaker that belongs to a microphone."""

    @property
    def plays_at(self) -> int | None:
        """Hertz of what may be played through it; None where nothing may."""
        ...

    def speaker(self, callback: Callable[..., None], finished: Callable[[], None]) -> Any:
        """What takes the place of a stream of PortAudio."""
        ...


class Playout:
    """One stretch of sound: it may be fed before its loudspeaker is open."""

    def __init__(
        self,
        rate: int,
        gain: float,
        on_finished: Callable[[], None],
        on_played: Callable[[float, int, Samples], None] | None = None,
    ) -> None:
        """`rate` is in hertz. `on_finished` is called in another thread when the last sample was played.

        `on_played` is told there, too, what is about to leave the loudspeaker: when the first sample does, in
        seconds of CLOCK_MONOTONIC, the rate in hertz, and the samples. It must not wait.
        """
        self._source_rate = self._rate = rate
        self._on_finished = on_finished
        self._on_played = on_played
        self._channels = 1
        self._resampler: Any = None
        self._stream: Any = None
        self._is_open = False
        self._early: list[tuple[bytes, bool]] = []
        self._feeding = threading.Lock()
        self._last_taken = 0
        self._heard_at = 0.0
        self.mixer = Mixer(rate)
        self.mixer.set_gain(gain, at_once=True)

    def open(self, device: Device, through: Through | None = None) -> None:
        """Start playing what is fed; raises sounddevice.PortAudioError. May block."""
        import sounddevice

        if through is not None and (rate := through.plays_at):
            self._convert_to(rate)
            self._stream = through.speaker(self._wanted, self._on_finished)
            self._begin()
            return
        self._channels = min(device.outputs, 2)
        try:
            self._start(device)
        except sounddevice.PortAudioError:
            # Not every interface converts rates: take the device's own and convert here.
            if device.rate == self._rate:
                raise
            self._convert_to(int(device.rate))
            self._start(device)
        self._begin()

    def feed(self, pcm: bytes, *, last: bool = False) -> None:
        """More sound, 16-bit mono."""
        with self._feeding:
            if self._is_open:
                self._mix(pcm, last)
            else:
                self._early.append((pcm, last))

    def close(self) -> int:
        """Silence at once, throwing away what the device holds; returns the last position. May block."""
        position = self.position
        if self._stream is not None:
            stream, self._stream = self._stream, None
            stream.abort()
            stream.close()
        return position

    @property
    def position(self) -> int:
        """Samples, at the rate of what was fed, that have left the loudspeaker."""
        taken = self._last_taken
        stream = self._stream
        if stream is not None:
            # The device plays behind what it has taken, at most by what it holds.
            behind = min(max(self._heard_at - stream.time, 0.0), 1.0)
            taken -= int(behind * self._rate)
        return max(taken, 0) * self._source_rate // self._rate

    def _convert_to(self, rate: int) -> None:
        import soxr

        self._rate = rate
        self._resampler = soxr.ResampleStream(self._source_rate, rate, 1, dtype="int16")

    def _begin(self) -> None:
        with self._feeding:
            self._is_open = True
            for pcm, last in self._early:
                self._mix(pcm, last)
            self._early.clear()

    def _mix(self, pcm: bytes, last: bool) -> None:
        samples = np.frombuffer(pcm, "<i2")
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples, last=last)
        self.mixer.feed(samples)
        if last:
            self.mixer.finish()

    def _start(self, device: Device) -> None:
        import sounddevice

        self._stream = sounddevice.RawOutputStream(
            samplerate=self._rate, channels=self._channels, dtype="int16", device=device.number,
            latency=LATENCY_S, blocksize=self._rate // BLOCKS_PER_S,
            callback=self._wanted, finished_callback=self._on_finished,
        )  # fmt: skip
        self._stream.start()

    def _wanted(self, out: Any, frames: int, when: Any, status: Any) -> None:
        # In PortAudio's thread: nothing here may wait.
        samples, last = self.mixer.take(frames)
        out[:] = np.repeat(samples, self._channels).tobytes()
        self._last_taken = self.mixer.taken
        self._heard_at = when.outputBufferDacTime + frames / self._rate
        if self._on_played is not None and self._stream is not None:
            until = max(when.outputBufferDacTime - self._stream.time, 0.0)
            self._on_played(time.monotonic() + until, self._rate, samples)
        if last:
            import sounddevice

            raise sounddevice.CallbackStop
