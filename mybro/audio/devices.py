"""Sound devices as plain values: which is meant by a name, and what to say when there is none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mybro.errors import AudioError, Problem

Direction = Literal["input", "output"]

_NOUN = {"input": "microphone", "output": "loudspeaker"}
LIST = "See the list: mybro devices"


@dataclass(frozen=True, slots=True)
class Device:
    """One device as PortAudio sees it."""

    number: int
    """Changes when devices come and go."""
    name: str
    inputs: int
    """Channels that can be recorded."""
    outputs: int
    """Channels that can be played."""
    rate: float
    """Hertz, the device's own."""
    default_input: bool = False
    default_output: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def can(self, direction: Direction) -> bool:
        return (self.inputs if direction == "input" else self.outputs) > 0

    def is_default(self, direction: Direction) -> bool:
        return self.default_input if direction == "input" else self.default_output


def choose_device(devices: Sequence[Device], wanted: str | None, direction: Direction) -> Device:
    """The device that a person means by a number, a name or a part of one; None is the default.

    Raises `AudioError`, retryable where the device may still be plugged in.
    """
    noun = _NOUN[direction]
    able = [device for device in devices if device.can(direction)]
    if wanted is None:
        if not able:
            raise AudioError(
                f"no_{noun}",
                f"There is no {noun}",
                hint="Connect one, then see: mybro devices",
                retryable=True,
            )
        return next((device for device in able if device.is_default(direction)), able[0])
    if wanted.isdecimal():
        matches = [device for device in able if device.number == int(wanted)]
    else:
        name = wanted.casefold()
        matches = [d for d in able if d.name.casefold() == name] or [
            d for d in able if name in d.name.casefold()
        ]
    if not matches:
        raise AudioError(
            "no_such_device",
            f"The {noun} {wanted!r} is not connected",
            hint=f"Connect it. {LIST}",
            retryable=True,
        )
    # The same device may be offered by several interfaces: its names are then equal.
    if len({device.name for device in matches}) > 1:
        names = ", ".join(repr(device.name) for device in matches)
        raise AudioError("ambiguous_device", f"{wanted!r} could be {names}", hint="Give more of its name")
    return matches[0]


def query_devices() -> list[Device]:
    """What PortAudio knows; it learns of new devices only when it is loaded anew."""
    import sounddevice

    first_input, first_output = sounddevice.default.device
    return [
        Device(
            number=number,
            name=entry["name"],
            inputs=entry["max_input_channels"],
            outputs=entry["max_output_channels"],
            rate=entry["default_samplerate"],
            default_input=number == first_input,
            default_output=number == first_output,
        )
        for number, entry in enumerate(sounddevice.query_devices())
    ]


def no_portaudio(platform: str = sys.platform) -> Problem:
    """What to tell a person whose machine lacks PortAudio."""
    hint = (
        "Run: sudo apt-get install libportaudio2 (Debian, Ubuntu) or sudo dnf install portaudio (Fedora)"
        if platform.startswith("linux")
        else "Run: pip install --force-reinstall sounddevice"
    )
    return Problem("no_portaudio", "The sound library PortAudio is not installed", hint)


def device_gone(name: str) -> Problem:
    """What to tell a person whose microphone stopped delivering."""
    return Problem(
        "device_gone", f"{name} stopped delivering sound", "It is tried again; check its plug", True
    )


def device_refused(name: str, reason: str) -> Problem:
    """What to tell a person whose device cannot be opened."""
    hint = "Another program may hold it; it is tried again"
    return Problem(
        "device_refused", f"The sound device ({name}) cannot be opened: {reason}", hint, retryable=True
    )


def as_error(problem: Problem, kind: type[AudioError] = AudioError) -> AudioError:
    """The problem as an exception."""
    return kind(problem.code, problem.message, hint=problem.hint, retryable=problem.retryable)
