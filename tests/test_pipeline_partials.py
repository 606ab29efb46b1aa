"""From sound that goes on to the words on the screen."""

from __future__ import annotations

import asyncio
import itertools

import numpy as np
import pytest

from mybro import events as ev
from mybro.audio.hearing import PARTIAL_SAMPLES, Hearing
from mybro.config import AudioSettings, TranscribeSettings
from mybro.pipeline.partials import show_partials
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.ports import Stages
from tests.fakes.pipeline import FakeBrain, FakeTranscription

pytestmark = pytest.mark.unit

RATE = ev.SAMPLE_RATE


class Loud:
    """A detector that takes whatever is loud for speech."""

    frame_samples = 512

    def probability(self, pcm: bytes) -> float:
        return float(np.abs(np.frombuffer(pcm, "<i2")).max() > 1000)

    def reset(self) -> None:
        pass


def heard(*, partials: bool, loud_s: float = 2.0) -> list[ev.Event]:
    rng = np.random.default_rng(1)
    loud = (rng.uniform(-0.3, 0.3, int(loud_s * RATE)) * 32767).astype("<i2")
    pcm = np.concatenate([np.ones(RATE // 2, "<i2"), loud, np.ones(RATE, "<i2")]).tobytes()
    hearing = Hearing(AudioSettings(), Loud(), lambda: 1, live=False, partials=partials)
    return [*hearing.hear(ev.AudioBlock(0, pcm)), *hearing.flush()]


def test_speech_that_goes_on_is_told_twice_a_second_and_not_in_its_pauses() -> None:
    events = [e for e in heard(partials=True) if type(e) in (ev.SpeechContinued, ev.SpeechPaused)]
    going = [e for e in events if isinstance(e, ev.SpeechContinued)]
    assert isinstance(events[-1], ev.SpeechPaused) and 3 <= len(going) <= 4
    ends = [e.utterance.audio.end for e in going]
    assert all(b - a >= PARTIAL_SAMPLES for a, b in itertools.pairwise(ends))
    assert len({e.utterance.audio.start for e in going}) == 1
    assert not [e for e in heard(partials=False) if isinstance(e, ev.SpeechContinued)]


class Reads:
    def __init__(self) -> None:
        self.asked = 0

    async def transcribe(
        self, turn: int, request: int, audio: ev.AudioBlock, *, speculative: bool = False, quick: bool = False
    ) -> ev.Transcribed | None:
        self.asked += 1
        return ev.Transcribed(turn, request, "run the tests now please", "m")


def utterance(end: int) -> ev.Utterance:
    return ev.Utterance(ev.AudioBlock(0, bytes(2 * end)), 0, end)


async def shown(settings: TranscribeSettings, *events: ev.Event) -> tuple[list[ev.Transcript], int]:
    seen: list[ev.Transcript] = []

    def watch(envelope: ev.Envelope) -> None:
        if isinstance(envelope.event, ev.Transcript):
            seen.append(envelope.event)

    recogniser = Reads()
    pipeline = Pipeline(acting=False, watchers=(watch,))
    show_partials(pipeline, recogniser, settings)
    pipeline.attach(Stages(FakeBrain(), FakeTranscription("run the tests now please")))
    async with pipeline:
        for event in events:
            await pipeline.post(event)
            for _ in range(20):
                await asyncio.sleep(0)
            await pipeline.settled(jobs=False)
    return seen, recogniser.asked


async def test_words_are_shown_while_they_are_spoken_and_not_as_the_last_word() -> None:
    seen, _ = await shown(
        TranscribeSettings(),
        ev.SpeechStarted(1, 0),
        ev.SpeechContinued(1, utterance(8000)),
        ev.SpeechContinued(1, utterance(16000)),
        ev.LevelMeasured(16000, -20, -10),
    )
    assert [(each.text, each.final, each.sample) for each in seen] == [("run the tests now", False, 16000)]


async def test_words_that_come_after_the_speech_are_not_shown() -> None:
    seen, asked = await shown(
        TranscribeSettings(),
        ev.SpeechStarted(1, 0),
        ev.SpeechContinued(1, utterance(8000)),
        ev.SpeechEnded(1, utterance(16000)),
    )
    assert not [each for each in seen if not each.final] and asked == 1


async def test_nobody_is_asked_where_they_are_not_wanted() -> None:
    seen, asked = await shown(
        TranscribeSettings(partials=False), ev.SpeechStarted(1, 0), ev.SpeechContinued(1, utterance(8000))
    )
    assert (seen, asked) == ([], 0)
