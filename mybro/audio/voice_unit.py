"""A voice-processing unit as a microphone, and as the loudspeaker that belongs to it.

Lives in the sound process. Our voice is played through the unit while it is open: it takes out only that.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

from mybro.audio.capture import Capture
from mybro.audio.devices import Device
from mybro.audio.unit_trial import Verdict
from mybro.events import BYTES_PER_SAMPLE, SAMPLE_RATE
from mybro.native.resample import make_resampler

_UNITS = {"darwin": "mybro.audio.voice_processing_macos:VoiceProcessing"}


class VoiceUnitError(Exception):
    """The unit cannot be opened; the text says why."""


class VoiceUnit(Protocol):
    """The system's voice processing on its default microphone and loudspeaker, 16-bit mono."""

    @property
    def rate(self) -> int:
        """Hertz, of both sides."""
        ...

    def start(self, heard: Callable[[float, bytes], None], wanted: Callable[[float, int], bytes]) -> None:
        """Begin. Both are called in another thread and must not wait, with seconds of CLOCK_MONOTONIC.

        `heard` takes when the first sample was heard, and the samples; `wanted` when the first will be heard,
        and how many. Raises `VoiceUnitError`.
        """
        ...

    def stop(self) -> None:
        """Let go of it. Works twice; may block."""
        ...


Report = Callable[[Verdict], None]
MakeUnit = Callable[[], VoiceUnit]


def system_unit(platform: str = sys.platform) -> VoiceUnit:
    """The system's own. Raises `VoiceUnitError` where there is none."""
    if platform not in _UNITS:
        raise VoiceUnitError("this system has none")
    module, name = _UNITS[platform].split(":")
    unit: VoiceUnit = getattr(importlib.import_module(module), name)()
    return unit


class UnitSpeaker:
    """Stands where a stream of PortAudio would: what is played goes through the unit."""

    def __init__(self, callback: Callable[..., None], finished: Callable[[], None], on_closed: Any) -> None:
        self._callback = callback
        self._finished = finished
        self._on_closed = on_closed
        self._played_out = self._over = False

    @property
    def time(self) -> float:
        return time.monotonic()

    def take(self, at: float, count: int) -> bytes:
        import sounddevice

        out = bytearray(count * BYTES_PER_SAMPLE)
        if self._played_out:
            # Not before the last samples have had the time to be heard.
            self.end()
            return bytes(out)
        try:
            self._callback(memoryview(out), count, SimpleNamespace(outputBufferDacTime=at), None)
        except sounddevice.CallbackStop:
            self._played_out = True
        return bytes(out)

    def end(self) -> None:
        """It plays no more: by itself, or since the unit went away."""
        self.abort()
        if not self._over:
            self._over = True
            self._finished()

    def abort(self) -> None:
        self._on_closed(self)

    def close(self) -> None:
        self._over = True
        self.abort()


class UnitCapture(Capture):
    """The unit as a microphone. Where it does not open, this is the plain one."""

    def __init__(self, device: Device, report: Report, make_unit: MakeUnit = system_unit) -> None:
        super().__init__(device)
        self._report = report
        self._make_unit = make_unit
        self._unit: VoiceUnit | None = None
        self._speaker: UnitSpeaker | None = None

    def open(self) -> None:
        try:
            self.open_unit()
        except VoiceUnitError as error:
            self._report(Verdict("failed", f"cannot be opened: {error}"))
            super().open()

    def open_unit(self) -> None:
        """Start the unit; raises `VoiceUnitError`."""
        unit = self._make_unit()
        self.rate = unit.rate
        self._resampler = make_resampler(unit.rate, SAMPLE_RATE)
        try:
            unit.start(self._take, self._give)
        except VoiceUnitError:
            self.rate, self._resampler = SAMPLE_RATE, None
            raise
        self._unit = unit

    def close(self) -> None:
        unit, self._unit = self._unit, None
        if unit is not None:
            unit.stop()
        if self._speaker is not None:
            self._speaker.end()
        super().close()

    @property
    def has_unit(self) -> bool:
        """Whether the unit is open."""
        return self._unit is not None

    @property
    def plays_at(self) -> int | None:
        """Hertz of what may be played through it; None where nothing may."""
        return self._unit.rate if self._unit else None

    def speaker(self, callback: Callable[..., None], finished: Callable[[], None]) -> UnitSpeaker:
        """Play what `callback` fills in, as PortAudio's streams do."""
        self._speaker = UnitSpeaker(callback, finished, self._silent)
        return self._speaker

    def _silent(self, speaker: UnitSpeaker) -> None:
        if self._speaker is speaker:
            self._speaker = None

    def _take(self, at: float, pcm: bytes) -> None:
        when = SimpleNamespace(currentTime=time.monotonic(), inputBufferAdcTime=at)
        self._heard(pcm, len(pcm) // BYTES_PER_SAMPLE, when, None)

    def _give(self, at: float, count: int) -> bytes:
        speaker = self._speaker
        return speaker.take(at, count) if speaker else bytes(count * BYTES_PER_SAMPLE)
