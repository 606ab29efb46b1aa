"""Hours of conversation on a clock that runs as fast as the machine: nothing grows, drifts or is lost."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator

import numpy as np
import psutil
import pytest

from mybro import events as ev
from mybro.audio.source import BLOCK_SAMPLES
from mybro.audio.virtual import NullPlayer
from mybro.config import Settings, SpeakSettings
from mybro.errors import Problem
from mybro.events import SAMPLE_RATE, AudioBlock, Envelope
from mybro.pipeline.feed import make_ear
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.ports import Stages
from mybro.pipeline.state import State
from mybro.speak.mouth import Mouth
from tests.audio_tools import Pcm, dev_clips, noise, read_pcm, trimmed
from tests.fakes.audio import HastyClock
from tests.fakes.pipeline import FakeBrain
from tests.fakes.speak import FakeSpeaker, in_turn

pytestmark = pytest.mark.trial

FULL_MINUTES, MINUTES = 600, 20
EVERY_S = 15
"""A sentence each time: 2,400 in ten hours."""
MOST_GROWTH = 24 * 2**20
LATE = SAMPLE_RATE // 4
DRIFT = SAMPLE_RATE // 25
REMEMBER = 60 * SAMPLE_RATE
"""Samples of sound from one look at the memory to the next."""


class Talk:
    """A person who speaks a sentence every fifteen seconds."""

    name, live, dropped_blocks = "talk", False, 0

    def __init__(self, seed: int, minutes: int) -> None:
        rng = np.random.default_rng(seed)
        clips = [trimmed(read_pcm(clip.path)) for clip in dev_clips() if clip.kind == "synthetic"]
        self._sentences: list[Pcm] = [clip for clip in clips if len(clip) < 5 * SAMPLE_RATE]
        self._room = noise(EVERY_S, rng)
        self._rng = rng
        self._count = minutes * 60 // EVERY_S
        self.spoken: list[tuple[int, int]] = []

    def _stretches(self) -> Iterator[Pcm]:
        for number in range(self._count):
            words = self._sentences[int(self._rng.integers(len(self._sentences)))]
            at = int(self._rng.uniform(1, 3) * SAMPLE_RATE)
            stretch = self._room.copy()
            stretch[at : at + len(words)] += words
            first = number * len(stretch) + at
            self.spoken.append((first, first + len(words)))
            yield stretch

    async def blocks(self) -> AsyncIterator[AudioBlock | Problem]:
        start = 0
        for stretch in self._stretches():
            pcm = stretch.tobytes()
            for first in range(0, len(pcm), BLOCK_SAMPLES * 10):
                block = AudioBlock(start, pcm[first : first + BLOCK_SAMPLES * 10])
                start = block.end
                yield block

    async def aclose(self) -> None: ...


class Recogniser:
    """Knows a few sentences, and gives them in turn."""

    def __init__(self) -> None:
        self.asked = 0

    async def transcribe(
        self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False
    ) -> ev.Transcribed | None:
        self.asked += 1
        return ev.Transcribed(turn, request, ("run the tests", "what is left to do")[turn % 2], "fake")

    def drop(self, request: int) -> None: ...

    async def aclose(self) -> None: ...


class Listener:
    """Where every utterance lay, whether time went on with the sound, and the process's size."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.memory: list[int] = []
        self.heard: list[tuple[int, int]] = []
        self.last = 0

    def watch(self, envelope: Envelope) -> None:
        match envelope.event:
            case ev.SpeechEnded(utterance=said):
                self.heard.append((said.speech_start, said.speech_end))
            case ev.LevelMeasured(sample=sample):
                assert sample > self.last
                self.last = sample
                if sample > len(self.memory) * REMEMBER:
                    gc.collect()
                    self.memory.append(self._process.memory_info().rss)


async def converse(talk: Talk) -> tuple[Listener, State]:
    clock, listener = HastyClock(), Listener()
    pipeline = Pipeline(clock=clock, watchers=(listener.watch,))
    speak = SpeakSettings(volume=1.0)
    mouth = Mouth(speak, FakeSpeaker(), NullPlayer(clock), pipeline.post, clock, in_turn(FakeSpeaker()))
    pipeline.attach(Stages(FakeBrain(), Recogniser(), mouth=mouth))
    async with pipeline:
        ear = make_ear(pipeline, Settings(), lockstep=True, jobs=True)
        await asyncio.wait_for(ear.listen(talk), 900)
        await pipeline.settled()
        state = pipeline.state
    await mouth.aclose()
    return listener, state


async def test_ten_hours_lose_and_keep_nothing() -> None:
    minutes = FULL_MINUTES if os.environ.get("MYBRO_TRIALS") == "all" else MINUTES
    talk = Talk(2, minutes)
    listener, state = await converse(talk)
    grown = listener.memory[-1] - listener.memory[len(listener.memory) // 5]
    assert grown < MOST_GROWTH, [size >> 20 for size in listener.memory]
    assert not state.turns and not state.jobs and not state.saying
    lost = [
        (first, last)
        for first, last in talk.spoken
        if not any(start < last and end > first for start, end in listener.heard)
    ]
    assert lost == []
    assert len(talk.spoken) == minutes * 60 // EVERY_S
    ends = [min(abs(end - last) for _, end in listener.heard) for _, last in talk.spoken]
    half = len(ends) // 2
    assert abs(np.median(ends[:half]) - np.median(ends[half:])) < DRIFT
    assert np.median(ends) < LATE
    assert listener.last >= minutes * 60 * SAMPLE_RATE - SAMPLE_RATE // 5
