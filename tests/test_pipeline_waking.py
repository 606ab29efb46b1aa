"""A wake phrase: what it lets through, and that nothing is kept or done of the rest."""

from __future__ import annotations

import pytest

from mybro import events as ev
from mybro.audio.wake import Wake, WakePhrase
from mybro.config import Settings
from mybro.errors import TranscriptionError
from mybro.events import SAMPLE_RATE
from mybro.pipeline import effects as do
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.ports import Stages
from mybro.pipeline.state import State
from mybro.pipeline.waking import phrase_of
from tests.fakes.pipeline import FakeBrain, FakeJournal, FakeTranscription
from tests.transition_tools import Run, kinds, started, utterance

pytestmark = pytest.mark.unit

PHRASE = Wake(WakePhrase("hey mybro"))


def waiting() -> Run:
    return Run(State(wake=PHRASE))


def said(run: Run, text: str, turn: int = 1, start: int = 0, called: bool | None = None) -> list[do.Effect]:
    """A sentence whose words are known before its end."""
    run.feed(ev.SpeechStarted(turn, start))
    paused = run.feed(ev.SpeechPaused(turn, utterance(start)))
    request = next(effect.request for effect in paused if isinstance(effect, do.Transcribe))
    return run.feed(
        ev.Transcribed(turn, request, text, "test", called=called), ev.SpeechEnded(turn, utterance(start))
    )


@pytest.mark.parametrize("spelling", ["Hey, my bro,", "Hey Maibro.", "hey mybro", "Okay, hey my brow,"])
def test_a_command_in_the_same_breath(spelling: str) -> None:
    run = waiting()
    assert "Acknowledge" in kinds(said(run, f"{spelling} run the tests"))
    assert run.state.turns[1].text == "run the tests"


@pytest.mark.parametrize(
    "text", ["run the tests", "Maybe run the tests.", "stop", "Hey, my brother is here."]
)
def test_what_is_not_addressed_is_dropped(text: str) -> None:
    run = waiting()
    effects = said(run, text)
    assert kinds(effects) == ["ForgetTurn"]
    assert run.state.turns == {}


def test_after_the_phrase_alone_the_next_sentence_is_meant_and_no_other() -> None:
    run = waiting()
    assert do.Chime("listening") in said(run, "Hey, my bro.")
    assert "Acknowledge" in kinds(said(run, "run the tests", 2, 3 * SAMPLE_RATE))
    assert kinds(said(run, "and buy some milk", 3, 5 * SAMPLE_RATE)) == ["ForgetTurn"]


def test_a_recogniser_that_listened_for_the_phrase_is_believed() -> None:
    run = waiting()
    assert "Acknowledge" in kinds(said(run, "Run the tests.", called=True))
    assert run.state.turns[1].text == "Run the tests."
    assert kinds(said(run, "Hey, my bro said it is red.", 2, 3 * SAMPLE_RATE, called=False)) == ["ForgetTurn"]


def test_the_phrase_alone_is_heard_by_the_recogniser() -> None:
    run = waiting()
    assert do.Chime("listening") in said(run, "", called=True)
    assert "Acknowledge" in kinds(said(run, "run the tests", 2, 3 * SAMPLE_RATE, called=False))


def test_mybro_listens_for_some_seconds_only() -> None:
    run = waiting()
    said(run, "Hey, my bro.")
    assert kinds(said(run, "run the tests", 2, 20 * SAMPLE_RATE)) == ["ForgetTurn"]


def test_stop_needs_no_phrase_while_there_is_something_to_stop() -> None:
    run = Run()
    started(run)
    run.state = State(**{f: getattr(run.state, f) for f in run.state.__slots__} | {"wake": PHRASE})
    assert "StopJobs" in kinds(said(run, "stop", 2))


def test_the_talk_key_needs_no_phrase() -> None:
    run = waiting()
    run.feed(ev.TalkPressed())
    assert "Acknowledge" in kinds(said(run, "run the tests"))
    run.feed(ev.TalkReleased())
    assert kinds(said(run, "show me the diff", 2, 10 * SAMPLE_RATE)) == ["ForgetTurn"]


def test_typed_words_need_no_phrase() -> None:
    assert "Acknowledge" in kinds(waiting().feed(ev.Typed(1, "run the tests")))


async def test_nothing_of_it_is_kept_or_thought_about() -> None:
    journal, brain = FakeJournal(), FakeBrain()
    pipeline = Pipeline()
    pipeline.state = State(wake=PHRASE, acting=False)
    words = FakeTranscription("we could move to Lisbon", "hey mybro run the tests")
    pipeline.attach(Stages(brain, words, journal=journal))
    async with pipeline:
        for turn in (1, 2):
            await pipeline.post(ev.SpeechStarted(turn, 0))
            await pipeline.post(ev.SpeechEnded(turn, utterance()))
            await pipeline.settled()
    assert brain.asked == ["run the tests"]
    kept = [one.event for one in journal.recorded]
    private = [e for e in kept if isinstance(e, ev.SpeechEnded | ev.Transcribed | ev.Transcript)]
    assert {event.turn for event in private} == {2}
    assert {type(event) for event in private} == {ev.SpeechEnded, ev.Transcribed, ev.Transcript}


def test_a_recogniser_elsewhere_is_refused() -> None:
    hands_free = {"listen": "hands-free", "wake_phrase": "hey mybro"}
    here = Settings.model_validate({"audio": hands_free})
    assert phrase_of(here) == "hey mybro"
    away = Settings.model_validate({"audio": hands_free, "transcribe": {"backend": "openai"}})
    with pytest.raises(TranscriptionError, match="on this machine"):
        phrase_of(away)
    without = Settings.model_validate({"transcribe": {"backend": "openai"}})
    assert phrase_of(without) is None
