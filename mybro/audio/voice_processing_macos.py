"""macOS's voice-processing unit: microphone and loudspeaker in one, so that it knows what to take out. Thin.

Written to Apple's documented calls, not yet run on a Mac. Only what is played through the unit itself is
known to be taken out. Microphone and loudspeaker are the system's defaults. AudioToolbox is called by ctypes.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from ctypes import POINTER, byref, c_double, c_int32, c_int64, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any

from mybro.audio.voice_unit import VoiceUnitError

RATE = 48_000
MOST_FRAMES = 8192
"""More at once has not been promised by anybody; it is left out."""
_TOOLBOX = "/System/Library/Frameworks/AudioToolbox.framework/AudioToolbox"
_SYSTEM = "/usr/lib/libSystem.B.dylib"
_GLOBAL, _INPUT, _OUTPUT = 0, 1, 2
_SPEAKER_BUS, _MICROPHONE_BUS = 0, 1
_STREAM_FORMAT, _RENDER_CALLBACK, _ENABLE_IO, _INPUT_CALLBACK, _DUCKING = 8, 23, 2003, 2005, 2108
_LEAST_DUCKING = 10
_SIGNED_PACKED = 4 | 8
_HOST_TIME_VALID = 2


class Description(ctypes.Structure):
    """AudioComponentDescription."""

    _fields_ = [(name, c_uint32) for name in ("kind", "subtype", "maker", "flags", "mask")]


class Format(ctypes.Structure):
    """AudioStreamBasicDescription."""

    _fields_ = [("rate", c_double)] + [
        (name, c_uint32)
        for name in (
            "id",
            "flags",
            "packet_bytes",
            "packet_frames",
            "frame_bytes",
            "channels",
            "bits",
            "spare",
        )
    ]


class Buffer(ctypes.Structure):
    """AudioBuffer."""

    _fields_ = [("channels", c_uint32), ("size", c_uint32), ("data", c_void_p)]


class BufferList(ctypes.Structure):
    """AudioBufferList of one buffer."""

    _fields_ = [("count", c_uint32), ("first", Buffer)]


class TimeStamp(ctypes.Structure):
    """AudioTimeStamp; nothing of the SMPTE time is read."""

    _fields_ = [
        ("sample", c_double), ("host", c_uint64), ("rate_scalar", c_double), ("word_clock", c_uint64),
        ("smpte", c_int64 * 3), ("flags", c_uint32), ("spare", c_uint32),
    ]  # fmt: skip


class Ducking(ctypes.Structure):
    """AUVoiceIOOtherAudioDuckingConfiguration."""

    _fields_ = [("advanced", c_uint8), ("level", c_uint32)]


Proc = ctypes.CFUNCTYPE(
    c_int32, c_void_p, POINTER(c_uint32), POINTER(TimeStamp), c_uint32, c_uint32, POINTER(BufferList)
)
"""AURenderCallback."""


class Callback(ctypes.Structure):
    """AURenderCallbackStruct."""

    _fields_ = [("proc", Proc), ("context", c_void_p)]


class VoiceProcessing:
    """The unit. See `VoiceUnit`."""

    rate = RATE

    def __init__(self, toolbox: Any = None, seconds_per_tick: float | None = None) -> None:
        """Raises `VoiceUnitError`. `toolbox` stands in for AudioToolbox."""
        try:
            self._toolbox = toolbox or ctypes.CDLL(_TOOLBOX)
            self._tick_s = seconds_per_tick or _seconds_per_tick()
        except (OSError, AttributeError) as error:
            raise VoiceUnitError("AudioToolbox is not there") from error
        self._unit = c_void_p()
        self._pcm = ctypes.create_string_buffer(2 * MOST_FRAMES)
        # Kept: the unit calls them as long as it lives.
        self._procs = Proc(self._render), Proc(self._capture)
        self._heard: Callable[[float, bytes], None] = lambda _at, _pcm: None
        self._wanted: Callable[[float, int], bytes] = lambda _at, count: bytes(2 * count)

    def start(self, heard: Callable[[float, bytes], None], wanted: Callable[[float, int], bytes]) -> None:
        self._heard, self._wanted = heard, wanted
        toolbox, wish = self._toolbox, Description(_code(b"auou"), _code(b"vpio"), _code(b"appl"), 0, 0)
        toolbox.AudioComponentFindNext.restype = c_void_p
        component = toolbox.AudioComponentFindNext(None, byref(wish))
        if not component:
            raise VoiceUnitError("this Mac has none")
        self._ask("AudioComponentInstanceNew", c_void_p(component), byref(self._unit))
        try:
            self._set_up()
            self._ask("AudioUnitInitialize", self._unit)
            self._ask("AudioOutputUnitStart", self._unit)
        except VoiceUnitError:
            self.stop()
            raise

    def stop(self) -> None:
        unit, self._unit = self._unit, c_void_p()
        if unit:
            self._toolbox.AudioOutputUnitStop(unit)
            self._toolbox.AudioUnitUninitialize(unit)
            self._toolbox.AudioComponentInstanceDispose(unit)

    def _set_up(self) -> None:
        render, capture = self._procs
        plain = Format(RATE, _code(b"lpcm"), _SIGNED_PACKED, 2, 1, 2, 1, 16, 0)
        self._set(_ENABLE_IO, _INPUT, _MICROPHONE_BUS, c_uint32(1))
        # Both sides have to agree.
        self._set(_STREAM_FORMAT, _INPUT, _SPEAKER_BUS, plain)
        self._set(_STREAM_FORMAT, _OUTPUT, _MICROPHONE_BUS, plain)
        self._set(_RENDER_CALLBACK, _INPUT, _SPEAKER_BUS, Callback(render, None))
        self._set(_INPUT_CALLBACK, _GLOBAL, _MICROPHONE_BUS, Callback(capture, None))
        try:
            # Otherwise everything else that plays is held down as long as the unit is open.
            self._set(_DUCKING, _GLOBAL, _SPEAKER_BUS, Ducking(0, _LEAST_DUCKING))
        except VoiceUnitError:
            # Before macOS 14 there is no such choice.
            return

    def _set(self, what: int, scope: int, bus: int, value: Any) -> None:
        size = c_uint32(ctypes.sizeof(value))
        self._ask("AudioUnitSetProperty", self._unit, c_uint32(what), c_uint32(scope), c_uint32(bus),
                  byref(value), size)  # fmt: skip

    def _ask(self, call: str, *arguments: Any) -> None:
        if status := getattr(self._toolbox, call)(*arguments):
            raise VoiceUnitError(f"{call} answers {status}")

    # ------------------------------------------------------------------ CoreAudio's thread: nothing may wait

    def _render(self, _context: Any, _flags: Any, when: Any, _bus: int, frames: int, buffers: Any) -> int:
        first = buffers.contents.first
        size = min(2 * frames, first.size)
        ctypes.memset(first.data, 0, first.size)
        pcm = self._wanted(self._seconds(when), size // 2)
        ctypes.memmove(first.data, pcm, min(len(pcm), size))
        return 0

    def _capture(self, _context: Any, flags: Any, when: Any, bus: int, frames: int, _buffers: Any) -> int:
        if frames > MOST_FRAMES:
            return 0
        data = ctypes.cast(self._pcm, c_void_p)
        into = BufferList(1, Buffer(1, 2 * frames, data))
        status: int = self._toolbox.AudioUnitRender(
            self._unit, flags, when, c_uint32(bus), c_uint32(frames), byref(into)
        )
        if status == 0:
            self._heard(self._seconds(when), ctypes.string_at(into.first.data, 2 * frames))
        return status

    def _seconds(self, when: Any) -> float:
        """On the clock of time.monotonic, which counts the same ticks."""
        stamp = when.contents
        return stamp.host * self._tick_s if stamp.flags & _HOST_TIME_VALID else time.monotonic()


def report(seconds: float = 2.0) -> str:
    """One line: whether the unit opens here, and what it delivers; it plays silence."""
    lengths: list[int] = []
    try:
        unit = VoiceProcessing()
        unit.start(lambda _at, pcm: lengths.append(len(pcm) // 2), lambda _at, count: bytes(2 * count))
    except VoiceUnitError as error:
        return f"The voice-processing unit cannot be opened: {error}"
    time.sleep(seconds)
    unit.stop()
    return (
        f"The voice-processing unit delivered {sum(lengths)} samples in {seconds} s, {RATE} expected a second"
    )


def _code(name: bytes) -> int:
    return int.from_bytes(name, "big")


def _seconds_per_tick() -> float:
    fraction = (c_uint32 * 2)()
    ctypes.CDLL(_SYSTEM).mach_timebase_info(byref(fraction))
    return fraction[0] / fraction[1] / 1e9


def main(limit_s: float = 30.0) -> None:
    """Print the report; a system that waits for somebody's permission is not waited for."""
    lines: list[str] = []
    asking = threading.Thread(target=lambda: lines.append(report()), daemon=True)
    asking.start()
    asking.join(limit_s)
    sys.stdout.write(f"{lines[0] if lines else 'The voice-processing unit does not answer'}\n")
    sys.stdout.flush()
    if asking.is_alive():
        os._exit(0)


if __name__ == "__main__":
    main()
