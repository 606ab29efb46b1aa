"""The child that speaks on macOS, against a stand-in for Apple's frameworks as they are documented."""

from __future__ import annotations

import socket
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from mybro.ops.frames import pack, read_frame_blocking
from mybro.speak import avspeech_macos

pytestmark = pytest.mark.unit

LIMIT_S = 30.0
FLOAT32, INT16 = 1, 3


class Buffer:
    """An AVAudioPCMBuffer of one channel."""

    def __init__(self, samples: np.ndarray, rate: float) -> None:
        self._samples, self._rate = samples, rate

    def frameLength(self) -> int:  # noqa: N802
        return len(self._samples)

    def format(self) -> Any:
        kind = FLOAT32 if self._samples.dtype == np.float32 else INT16
        return types.SimpleNamespace(commonFormat=lambda: kind, sampleRate=lambda: self._rate)

    def floatChannelData(self) -> Any:  # noqa: N802
        assert self._samples.dtype == np.float32
        return [types.SimpleNamespace(as_buffer=lambda count: self._samples[:count].data.cast("B"))]

    def int16ChannelData(self) -> Any:  # noqa: N802
        assert self._samples.dtype == np.int16
        return [types.SimpleNamespace(as_buffer=lambda count: self._samples[:count].data.cast("B"))]


class Frameworks:
    """AVFoundation and Foundation: buffers come one by one while the run loop runs, an empty one last."""

    def __init__(self) -> None:
        self.buffers: list[Buffer] = []
        self.synthesizers = 0
        self.spoken: list[tuple[str, float, str | None]] = []
        self._callback: Callable[[Buffer], None] | None = None
        self._waiting: list[Buffer] = []

    def modules(self) -> dict[str, types.ModuleType]:
        av, foundation = types.ModuleType("AVFoundation"), types.ModuleType("Foundation")
        voice = types.SimpleNamespace(identifier=lambda: "com.apple.voice.Samantha", name=lambda: "Samantha")
        loop = types.SimpleNamespace(runUntilDate_=lambda _: self._turn())
        members: dict[types.ModuleType, dict[str, Any]] = {
            av: {
                "AVAudioPCMFormatFloat32": FLOAT32,
                "AVSpeechSynthesizer": types.SimpleNamespace(alloc=lambda: self),
                "AVSpeechSynthesisVoice": types.SimpleNamespace(speechVoices=lambda: [voice]),
                "AVSpeechUtterance": types.SimpleNamespace(speechUtteranceWithString_=Utterance),
            },
            foundation: {
                "NSRunLoop": types.SimpleNamespace(currentRunLoop=lambda: loop),
                "NSDate": types.SimpleNamespace(dateWithTimeIntervalSinceNow_=lambda seconds: seconds),
            },
        }
        for module, names in members.items():
            for name, value in names.items():
                setattr(module, name, value)
        return {"AVFoundation": av, "Foundation": foundation}

    def init(self) -> Frameworks:
        self.synthesizers += 1
        return self

    def writeUtterance_toBufferCallback_(self, utterance: Utterance, callback: Any) -> None:  # noqa: N802
        self.spoken.append((utterance.text, utterance.rate, utterance.voice))
        self._callback, self._waiting = callback, [*self.buffers]

    def _turn(self) -> None:
        if self._callback and self._waiting:
            self._callback(self._waiting.pop(0))


class Utterance:
    def __init__(self, text: str) -> None:
        self.text, self.rate, self.voice = text, 0.0, None

    def setRate_(self, rate: float) -> None:  # noqa: N802
        self.rate = rate

    def setVoice_(self, voice: Any) -> None:  # noqa: N802
        self.voice = voice.name()


@pytest.fixture
def apple(monkeypatch: pytest.MonkeyPatch) -> Frameworks:
    apple = Frameworks()
    for name, module in apple.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    return apple


@pytest.fixture
def parent(apple: Frameworks) -> Iterator[socket.socket]:
    """The parent's end; the child runs in a thread until that is closed."""
    ours, theirs = socket.socketpair()
    ended: list[int] = []
    child = threading.Thread(
        target=lambda: ended.append(avspeech_macos.main(["child", str(theirs.detach())]))
    )
    child.start()
    ours.settimeout(LIMIT_S)
    yield ours
    ours.close()
    child.join(LIMIT_S)
    assert ended == [0]


def spoken(parent: socket.socket, text: str, voice: str | None = None) -> list[tuple[dict[str, Any], bytes]]:
    """The child's answers to one sentence."""
    parent.sendall(pack({"text": text, "voice": voice, "rate_wpm": 190}))
    answers = []
    while frame := read_frame_blocking(parent):
        answers.append(frame)
        if "end" in frame[0] or "error" in frame[0]:
            break
    return answers


def test_samples_of_both_kinds_arrive_in_order(apple: Frameworks, parent: socket.socket) -> None:
    floats = np.array([0.0, 0.5, -1.0], np.float32)
    ints = np.array([1, -2, 3], np.int16)
    apple.buffers = [Buffer(floats, 22050.0), Buffer(ints, 24000.0), Buffer(ints[:0], 24000.0)]
    for _ in range(2):
        first, second, end = spoken(parent, "One.")
        assert first[0] == {"sample_rate": 22050} and second == ({"sample_rate": 24000}, ints.tobytes())
        assert np.frombuffer(first[1], "<i2").tolist() == [0, 16383, -32767]
        assert end[0] == {"end": True}
    # One synthesizer for all: one for each sentence is known to crash.
    assert apple.synthesizers == 1


def test_the_voice_is_found_by_name_or_identifier(apple: Frameworks, parent: socket.socket) -> None:
    apple.buffers = [Buffer(np.zeros(0, np.int16), 22050.0)]
    for wished in ("Samantha", "com.apple.voice.Samantha", "Nobody", None):
        assert [header for header, _ in spoken(parent, "Two.", wished)] == [{"end": True}]
    assert apple.spoken == [
        ("Two.", 0.5, "Samantha"), ("Two.", 0.5, "Samantha"), ("Two.", 0.5, None), ("Two.", 0.5, None),
    ]  # fmt: skip
