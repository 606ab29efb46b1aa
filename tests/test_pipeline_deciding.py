"""Guesses, the wait that the ear is told, taking back, and where the time went: through a real pipeline."""

from __future__ import annotations

import asyncio

import pytest

from mybro import events as ev
from mybro.brain.dialog import Dialog
from mybro.config import TurnSettings
from mybro.errors import ExecutorError
from mybro.intent import Action, Intent
from mybro.pipeline import effects as do
from mybro.pipeline.deciding import Deciding
from mybro.pipeline.patience import Patience
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.ports import Stages
from mybro.pipeline.timing import MOST, TurnClock
from tests.fakes.pipeline import FakeBrain, FakeExecutor, FakeTranscription

pytestmark = pytest.mark.unit

MS = ev.SAMPLE_RATE // 1000
PATIENCE = Patience(TurnSettings(), listens_to_sound=True)


class FakeEar:
    def __init__(self) -> None:
        self.told: list[tuple[int, int, int]] = []

    def end_after(self, turn: int, speech_end: int, quiet: int) -> None:
        self.told.append((turn, speech_end, quiet))


class FakeJudge:
    def __init__(self, probability: float | None) -> None:
        self.probability = probability

    async def judge(self, audio: ev.AudioBlock) -> float | None:
        return self.probability


class Scene:
    """A pipeline whose person speaks by hand."""

    def __init__(self, *texts: str, speculate: bool = False, probability: float | None = None) -> None:
        self.seen: list[ev.Event] = []
        self.pipeline = Pipeline(watchers=(lambda e: self.seen.append(e.event),), patience=PATIENCE)
        self.pipeline.ear = self.ear = FakeEar()
        self.pipeline.watch(TurnClock(self.pipeline.post_own).watch)
        self.brain = FakeBrain()
        self.executor = FakeExecutor(self.pipeline.post)
        judge = FakeJudge(probability)
        stages = Stages(
            self.brain, FakeTranscription(*texts), self.executor, turn_judge=judge, speculate=speculate
        )
        self.pipeline.attach(stages)

    async def pause(self, turn: int, start_ms: int) -> ev.Utterance:
        heard = ev.Utterance(
            ev.AudioBlock(start_ms * MS, bytes(2 * 1300 * MS)), start_ms * MS, (start_ms + 1000) * MS
        )
        await self.pipeline.post(ev.SpeechStarted(turn, start_ms * MS))
        await self.pipeline.post(ev.SpeechPaused(turn, heard))
        await self.settled()
        return heard

    async def say(self, turn: int, start_ms: int) -> None:
        await self.pipeline.post(ev.SpeechEnded(turn, await self.pause(turn, start_ms)))
        await self.settled()

    async def settled(self) -> None:
        await asyncio.wait_for(self.pipeline.settled(jobs=False), 10)


async def test_the_ear_is_told_how_long_to_wait() -> None:
    scene = Scene("Run the tests.")
    async with scene.pipeline:
        await scene.pause(1, 0)
        assert scene.ear.told == [(1, 1000 * MS, 180 * MS)]
        assert scene.executor.running == {}, "nothing is done before the turn is confirmed"


async def test_a_command_that_fits_into_no_such_time_goes_on() -> None:
    scene = Scene("Run the tests.")
    async with scene.pipeline:
        heard = ev.Utterance(ev.AudioBlock(0, bytes(2 * 1300 * MS)), 700 * MS, 1000 * MS)
        await scene.pipeline.post(ev.SpeechStarted(1, 700 * MS))
        await scene.pipeline.post(ev.SpeechPaused(1, heard))
        await scene.settled()
        assert scene.ear.told == [(1, 1000 * MS, 1500 * MS)]


async def test_the_sound_has_a_say() -> None:
    scene = Scene("Make it faster please.", probability=0.02)
    async with scene.pipeline:
        await scene.pause(1, 0)
        assert [quiet // MS for _, _, quiet in scene.ear.told] == [240, 600]
        assert [event.probability for event in scene.seen if isinstance(event, ev.TurnJudged)] == [0.02]


async def test_a_judge_that_cannot_tell_is_not_waited_for() -> None:
    scene = Scene("Make it faster please.")
    async with scene.pipeline:
        await scene.say(1, 0)
        assert [intent.text for intent in scene.executor.running.values()] == ["Make it faster please."]


async def test_a_language_model_is_asked_early_where_that_is_wanted() -> None:
    scene = Scene("Make it faster please.", speculate=True)
    async with scene.pipeline:
        heard = await scene.pause(1, 0)
        assert scene.brain.asked == ["Make it faster please."] and scene.executor.running == {}
        await scene.pipeline.post(ev.SpeechEnded(1, heard))
        await scene.settled()
        assert scene.brain.asked == ["Make it faster please."], "asked once"
        assert len(scene.executor.running) == 1


async def test_a_guess_at_other_words_is_not_used() -> None:
    scene = Scene("Make it faster please.", "Make it faster please for me.", speculate=True)
    async with scene.pipeline:
        heard = await scene.pause(1, 0)
        await scene.pipeline.post(ev.SpeechResumed(1, heard.speech_end + 100 * MS))
        longer = ev.Utterance(ev.AudioBlock(0, bytes(2 * 2400 * MS)), 0, 2000 * MS)
        await scene.pipeline.post(ev.SpeechEnded(1, longer))
        await scene.settled()
        assert [intent.text for intent in scene.executor.running.values()] == [
            "Make it faster please for me."
        ]


async def test_without_leave_only_the_local_grammar_guesses() -> None:
    scene = Scene("Make it faster please.", "Run the tests.")
    async with scene.pipeline:
        await scene.pause(1, 0)
        assert scene.brain.asked == []
        await scene.pipeline.post(ev.SourceClosed("test"))
        await scene.say(2, 5000)
        assert scene.brain.asked == [], "the grammar had understood it when the turn ended"
        assert [intent.action for intent in scene.executor.running.values()] == [Action.TEST]


async def test_what_goes_on_is_taken_back_and_begun_anew() -> None:
    scene = Scene("Run the tests.", "Run the tests and fix what fails.")
    async with scene.pipeline:
        await scene.say(1, 0)
        (first,) = scene.executor.running
        await scene.say(2, 1800)
        assert scene.executor.withdrawn == [first]
        assert [intent.text for intent in scene.executor.running.values()] == [
            "Run the tests and fix what fails."
        ]
        taken = next(event for event in scene.seen if isinstance(event, ev.TakenBack))
        assert (taken.turn, taken.job, taken.outcome.ok) == (2, first, True)


class Stubborn(FakeExecutor):
    async def withdraw(self, job: int) -> ev.Outcome:
        await super().withdraw(job)
        raise ExecutorError("disk_full", "The disk is full")


async def test_what_cannot_be_taken_back_is_told_and_the_sentence_done_all_the_same() -> None:
    scene = Scene("Run the tests.", "Run the tests and fix what fails.")
    scene.executor = Stubborn(scene.pipeline.post)
    stages = Stages(scene.brain, FakeTranscription("Run the tests.", "Run the tests and go."), scene.executor)
    scene.pipeline.attach(stages)
    async with scene.pipeline:
        await scene.say(1, 0)
        await scene.say(2, 1800)
        said = [event.text for event in scene.seen if isinstance(event, ev.SayStarted)]
        assert "The disk is full" in said
        assert len(scene.executor.running) == 1


@pytest.mark.parametrize(("action", "done"), [(Action.UNDO, "redo"), (Action.REDO, "undo")])
async def test_an_undo_that_was_no_undo_is_done_again(action: Action, done: str) -> None:
    scene = Scene()
    async with scene.pipeline:
        Deciding(scene.pipeline, Stages(scene.brain, executor=scene.executor)).perform(
            do.Withdraw(2, 4, action), Dialog()
        )
        await scene.settled()
    assert scene.executor.taken_back == [(done, 1)]


# ------------------------------------------------------------------------ where the time went


async def test_each_turn_tells_where_its_time_went() -> None:
    scene = Scene("Run the tests.")
    async with scene.pipeline:
        await scene.say(1, 0)
        await asyncio.wait_for(scene.executor.started.wait(), 5)
        await scene.settled()
    (timed,) = (event for event in scene.seen if isinstance(event, ev.TurnTimed))
    assert timed.turn == 1 and timed.waited_ms == pytest.approx(300)
    parts = (timed.recognised_ms, timed.recorded_ms, timed.understood_ms, timed.started_ms)
    assert all(part >= 0 for part in parts)
    assert timed.total_ms == pytest.approx(300 + sum(parts))


def test_turns_of_which_nothing_comes_are_forgotten() -> None:
    told: list[ev.Event] = []
    clock = TurnClock(lambda event, cause: told.append(event))
    heard = ev.Utterance(ev.AudioBlock(0, bytes(2 * 1300 * MS)), 0, 1000 * MS)
    for turn in range(1, MOST + 3):
        clock.watch(ev.Envelope(turn, 1.0, ev.SpeechEnded(turn, heard)))
    for turn in (1, MOST + 2):
        clock.watch(ev.Envelope(99, 1.1, ev.Transcript(turn, "stop", final=True, sample=1)))
        clock.watch(ev.Envelope(99, 1.2, ev.Recorded(turn)))
        stop = Intent(kind="control", action=Action.STOP, text="stop")
        clock.watch(ev.Envelope(99, 1.3, ev.Understood(turn, stop)))
    assert [event.turn for event in told if isinstance(event, ev.TurnTimed)] == [MOST + 2]
