"""A voice and a loudspeaker whose every sample is known, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Literal

from mybro.clock import Clock
from mybro.errors import AudioError, SpeakError
from mybro.events import Event, SayFinished, SayStarted, StageFailed
from mybro.speak.speaker import Chosen, Speaker
from mybro.speak.voice import Next

RATE = 10_000
BUFFER_S = 0.3
"""What the fake loudspeaker takes before it makes the writer wait."""


def samples(seconds: float, value: int = 1000) -> bytes:
    return value.to_bytes(2, "little", signed=True) * round(seconds * RATE)


class FakeSpeaker:
    """Says each sentence in `seconds`, in chunks of a tenth; fails or hangs where it is told to."""

    def __init__(
        self, name: str = "fake", seconds: float = 1.0, *, sample_rate: int = RATE, value: int = 1000,
        fault: Literal["none", "at once", "midway", "hang", "crash"] = "none",
    ) -> None:  # fmt: skip
        self.name = name
        self.sample_rate = sample_rate
        self.fault = fault
        self.said: list[str] = []
        self.cut = 0
        """Sentences whose synthesis was broken off."""
        self.closed = False
        self._chunks = [samples(0.1, value)] * round(seconds * 10)

    async def synthesize(self, text: str) -> AsyncGenerator[bytes]:
        self.said.append(text)
        if not text:
            return
        complete = False
        try:
            for number, chunk in enumerate(self._chunks):
                if self.fault == "at once" or (self.fault == "midway" and number == 3):
                    raise SpeakError("voice_failed", f"{self.name} is out of order")
                if self.fault == "crash":
                    raise ZeroDivisionError
                if self.fault == "hang":
                    await asyncio.Event().wait()
                yield chunk
                await asyncio.sleep(0)
            complete = True
        finally:
            self.cut += not complete

    async def aclose(self) -> None:
        self.closed = True


class FakePlayback:
    """Plays in the clock's time. `heard` is what came out of it."""

    def __init__(self, clock: Clock, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.ducked: list[bool] = []
        self.stopped = False
        self._clock = clock
        self._pcm = b""
        self._played_until = clock.now()
        self._position = 0.0

    @property
    def position(self) -> int:
        now = self._clock.now()
        if not self.stopped:
            passed = (now - self._played_until) * self.sample_rate
            self._position = min(self._position + passed, len(self._pcm) / 2)
        self._played_until = now
        return round(self._position)

    @property
    def heard(self) -> bytes:
        return self._pcm[: 2 * self.position]

    async def write(self, pcm: bytes) -> None:
        while self._left() > BUFFER_S:
            await self._clock.sleep(self._left() - BUFFER_S)
        self.position  # noqa: B018 - what was silence until now stays so
        self._pcm += pcm

    async def finish(self) -> None:
        while self._left() > 0:
            await self._clock.sleep(self._left())

    def stop(self) -> None:
        self.position  # noqa: B018
        self.stopped = True

    def duck(self, on: bool) -> None:
        self.ducked.append(on)

    def _left(self) -> float:
        return (len(self._pcm) / 2 - self.position) / self.sample_rate


class FakePlayer:
    """Keeps every playback; fails or hangs where it is told to."""

    def __init__(self, clock: Clock) -> None:
        self.playbacks: list[FakePlayback] = []
        self.fault: Literal["none", "fail", "crash", "hang"] = "none"
        self._clock = clock

    async def play(self, sample_rate: int) -> FakePlayback:
        if self.fault == "fail":
            raise AudioError("no_loudspeaker", "There is no loudspeaker", hint="Connect one")
        if self.fault == "crash":
            raise ZeroDivisionError
        if self.fault == "hang":
            await asyncio.Event().wait()
        self.playbacks.append(FakePlayback(self._clock, sample_rate))
        return self.playbacks[-1]

    @property
    def heard(self) -> bytes:
        """Everything that came out, one sound after the other."""
        return b"".join(playback.heard for playback in self.playbacks)


class Heard:
    """The mouth's events, as short words: "1+" began, "1-" ended, "1x" was interrupted, "!code" failed."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def emit(self, event: Event) -> None:
        self.events.append(event)

    @property
    def story(self) -> str:
        words = []
        for event in self.events:
            match event:
                case SayStarted(speech):
                    words.append(f"{speech}+")
                case SayFinished(speech, interrupted):
                    words.append(f"{speech}{'x' if interrupted else '-'}")
                case StageFailed(problem=problem):
                    words.append(f"!{problem.code}")
        return " ".join(words)

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, SayStarted)]


def in_turn(*speakers: Speaker) -> Next:
    """Gives the first of the speakers that has not failed."""

    def following(failed: frozenset[str]) -> Chosen:
        speaker = next(speaker for speaker in speakers if speaker.name not in failed)
        return Chosen(speaker, "The test says so.")

    return following
