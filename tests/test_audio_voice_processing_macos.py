"""The unit of macOS against a stand-in for AudioToolbox as it is documented: sizes, order and callbacks."""

from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from mybro.audio import voice_processing_macos as macos
from mybro.audio.voice_unit import VoiceUnitError, system_unit

pytestmark = pytest.mark.unit

ENABLE_IO, FORMAT, RENDER, INPUT, DUCKING = 2003, 8, 23, 2005, 2108


class Toolbox(SimpleNamespace):
    """AudioToolbox: remembers what it is asked, and calls back when told to."""

    def __init__(self, *, refuses: str = "", component: int = 7, old: bool = False) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.properties: dict[int, tuple[int, int, Any]] = {}
        self.capture = [1, 2, 3]

        def answer(name: str) -> Any:
            def call(*arguments: Any) -> int:
                self.asked.append(name)
                return -50 if name == refuses else self._answer(name, arguments, old=old)

            return call

        def find(_after: None, wish: Any) -> int:
            description = wish._obj
            assert description.kind.to_bytes(4, "big") == b"auou"
            assert description.subtype.to_bytes(4, "big") == b"vpio"
            assert description.maker.to_bytes(4, "big") == b"appl"
            return component

        self.AudioComponentFindNext = find
        for name in (
            "AudioComponentInstanceNew", "AudioUnitSetProperty", "AudioUnitInitialize",
            "AudioOutputUnitStart", "AudioUnitRender", "AudioOutputUnitStop", "AudioUnitUninitialize",
            "AudioComponentInstanceDispose",
        ):  # fmt: skip
            setattr(self, name, answer(name))

    def _answer(self, name: str, arguments: tuple[Any, ...], *, old: bool) -> int:
        if name == "AudioComponentInstanceNew":
            arguments[1]._obj.value = 99
        elif name == "AudioUnitSetProperty":
            _, what, scope, bus, value, size = arguments
            assert size.value == ctypes.sizeof(value._obj)
            if what.value == DUCKING and old:
                return -10879
            kept = self.properties.setdefault(what.value, (scope.value, bus.value, value._obj))
            if what.value == FORMAT:
                assert bytes(kept[2]) == bytes(value._obj), "both sides agree"
        elif name == "AudioUnitRender":
            _, _, _, bus, frames, into = arguments
            assert bus.value == 1
            pcm = b"".join(each.to_bytes(2, "little", signed=True) for each in self.capture[: frames.value])
            ctypes.memmove(into._obj.first.data, pcm, len(pcm))
        return 0

    def call(self, which: int, frames: int, host: int, buffer: Any = None) -> int:
        """As CoreAudio's thread does."""
        proc = self.properties[which][2].proc
        stamp = macos.TimeStamp(host=host, flags=2)
        data = macos.BufferList(1, macos.Buffer(1, 2 * frames, ctypes.cast(buffer, ctypes.c_void_p)))
        flags = ctypes.c_uint32(0)
        answer: int = proc(
            None, ctypes.byref(flags), ctypes.byref(stamp), which == INPUT, frames, ctypes.byref(data)
        )
        return answer


def started(toolbox: Toolbox, heard: Any = None, wanted: Any = None) -> macos.VoiceProcessing:
    unit = macos.VoiceProcessing(toolbox, 1e-9)
    unit.start(heard or (lambda _at, _pcm: None), wanted or (lambda _at, count: bytes(2 * count)))
    return unit


def test_structures_have_the_sizes_of_the_c_headers() -> None:
    sizes = {macos.Description: 20, macos.Format: 40, macos.Buffer: 16, macos.BufferList: 24,
             macos.TimeStamp: 64, macos.Ducking: 8, macos.Callback: 16}  # fmt: skip
    assert {kind: ctypes.sizeof(kind) for kind in sizes} == sizes


def test_it_is_set_up_before_it_starts() -> None:
    toolbox = Toolbox()
    unit = started(toolbox)
    assert toolbox.asked[0] == "AudioComponentInstanceNew"
    assert toolbox.asked[-2:] == ["AudioUnitInitialize", "AudioOutputUnitStart"]
    assert set(toolbox.asked[1:-2]) == {"AudioUnitSetProperty"}
    places = {what: (scope, bus) for what, (scope, bus, _) in toolbox.properties.items()}
    assert places == {ENABLE_IO: (1, 1), FORMAT: (1, 0), RENDER: (1, 0), INPUT: (0, 1), DUCKING: (0, 0)}
    unit.stop()
    unit.stop()
    assert toolbox.asked[-3:] == [
        "AudioOutputUnitStop",
        "AudioUnitUninitialize",
        "AudioComponentInstanceDispose",
    ]
    assert toolbox.asked.count("AudioOutputUnitStop") == 1


def test_what_is_captured_is_handed_on_with_its_time() -> None:
    heard: list[tuple[float, bytes]] = []
    toolbox = Toolbox()
    unit = started(toolbox, heard=lambda at, pcm: heard.append((at, pcm)))
    assert toolbox.call(INPUT, 3, 2_000_000_000) == 0
    assert heard == [(2.0, b"\x01\x00\x02\x00\x03\x00")]
    assert toolbox.call(INPUT, macos.MOST_FRAMES + 1, 0) == 0
    assert len(heard) == 1
    unit.stop()


def test_what_is_wanted_is_played_and_what_lacks_is_silence() -> None:
    asked: list[tuple[float, int]] = []

    def wanted(at: float, count: int) -> bytes:
        asked.append((at, count))
        return b"\x05\x00\x06\x00"

    toolbox = Toolbox()
    unit = started(toolbox, wanted=wanted)
    buffer = ctypes.create_string_buffer(b"\xff" * 8, 8)
    assert toolbox.call(RENDER, 4, 3_000_000_000, buffer) == 0
    assert asked == [(3.0, 4)]
    assert buffer.raw == b"\x05\x00\x06\x00\x00\x00\x00\x00"
    unit.stop()


@pytest.mark.parametrize("refuses", ["AudioUnitSetProperty", "AudioUnitInitialize", "AudioOutputUnitStart"])
def test_a_refusal_is_told_and_leaves_nothing_open(refuses: str) -> None:
    toolbox = Toolbox(refuses=refuses)
    with pytest.raises(VoiceUnitError, match=f"{refuses} answers -50"):
        started(toolbox)
    assert toolbox.asked[-1] == "AudioComponentInstanceDispose"


def test_a_mac_without_it_says_so() -> None:
    with pytest.raises(VoiceUnitError, match="none"):
        started(Toolbox(component=0))


def test_before_macos_14_other_sound_is_held_down_as_ever() -> None:
    toolbox = Toolbox(old=True)
    started(toolbox).stop()
    assert DUCKING not in toolbox.properties


def test_other_systems_have_none() -> None:
    with pytest.raises(VoiceUnitError, match="this system has none"):
        system_unit("linux")


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac has the unit")
def test_a_machine_without_it_says_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    macos.main()
    assert (
        capsys.readouterr().out == "The voice-processing unit cannot be opened: AudioToolbox is not there\n"
    )
