from __future__ import annotations

import pytest

from mybro.audio.devices import Device, choose_device, no_portaudio
from mybro.audio.hearing import dead_sound_problem
from mybro.errors import AudioError

pytestmark = pytest.mark.unit

DEVICES = [
    Device(0, "HDMI", 0, 2, 48000.0),
    Device(1, "Built-in Microphone", 1, 0, 48000.0, default_input=True),
    Device(2, "USB Headset", 1, 2, 16000.0),
    Device(3, "Built-in Output", 0, 2, 48000.0, default_output=True),
    Device(4, "USB Headset", 1, 2, 16000.0),
    Device(5, "Studio", 2, 0, 44100.0),
    Device(6, "Studio Two", 2, 0, 44100.0),
]


@pytest.mark.parametrize(
    ("wanted", "direction", "number"),
    [
        (None, "input", 1), (None, "output", 3), ("2", "input", 2), ("usb", "input", 2),
        ("hdmi", "output", 0), ("USB Headset", "output", 2), ("studio", "input", 5), ("two", "input", 6),
    ],
)  # fmt: skip
def test_a_device_is_chosen_by_number_name_or_part(wanted: str | None, direction: str, number: int) -> None:
    assert choose_device(DEVICES, wanted, direction).number == number  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "direction", "code", "retryable"),
    [
        ("hdmi", "input", "no_such_device", True), ("9", "input", "no_such_device", True),
        ("built", "input", None, None), ("stud", "input", "ambiguous_device", False),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_said(
    wanted: str, direction: str, code: str | None, retryable: bool | None
) -> None:
    if code is None:
        assert choose_device(DEVICES, wanted, direction).number == 1  # type: ignore[arg-type]
        return
    with pytest.raises(AudioError) as caught:
        choose_device(DEVICES, wanted, direction)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert caught.value.hint


def test_no_device_at_all_may_change() -> None:
    with pytest.raises(AudioError) as caught:
        choose_device(DEVICES[:1], None, "input")
    assert caught.value.code == "no_microphone" and caught.value.retryable
    # Without a default, any will do.
    assert choose_device(DEVICES[5:], None, "input").number == 5


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_every_platform_has_its_remedy(platform: str) -> None:
    assert no_portaudio(platform).hint
    assert dead_sound_problem(platform).hint
    assert ("Privacy" in dead_sound_problem(platform).hint) is (platform == "darwin")
