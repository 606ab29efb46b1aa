"""A sentence that goes on after it seemed to be over: what had begun is taken back, both parts are one."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import pytest

from mybro import events as ev
from mybro.brain.brain import Brain
from mybro.brain.classify import classify
from mybro.brain.grammar import parse
from mybro.clock import MonotonicClock
from mybro.config import BrainSettings, TurnSettings
from mybro.intent import Action, Intent
from mybro.pipeline import effects as do
from mybro.pipeline import joining
from mybro.pipeline.patience import Patience
from mybro.pipeline.state import Former, State, Turn
from mybro.pipeline.transition import transition

pytestmark = pytest.mark.unit

MS = ev.SAMPLE_RATE // 1000


class Talk:
    """A state machine that is talked to; texts are understood as the local grammar has them."""

    def __init__(self, settings: TurnSettings | None = None) -> None:
        self.state = State(patience=Patience(settings or TurnSettings()))
        self.done: list[do.Effect] = []
        self.posted: list[ev.Event] = []
        self.now = 0
        self.turn = 0

    def feed(self, *events: ev.Event) -> list[do.Effect]:
        since = len(self.done)
        pending = list(events)
        while pending:
            self.state, effects = transition(self.state, pending.pop(0))
            posted = [effect.event for effect in effects if isinstance(effect, do.Post)]
            self.posted += posted
            pending[:0] = posted
            self.done += effects
        return self.done[since:]

    def begin(self, after_ms: int = 3000) -> int:
        self.turn += 1
        self.now += after_ms * MS
        self.feed(ev.SpeechStarted(self.turn, self.now))
        return self.turn

    def pause(self, text: str, *, speech_ms: int = 1000) -> list[do.Effect]:
        """Speech, a short quiet and the words on trial."""
        start = self.now
        self.now += speech_ms * MS
        self.heard = ev.Utterance(ev.AudioBlock(start, bytes(2 * (self.now - start))), start, self.now)
        effects = self.feed(ev.SpeechPaused(self.turn, self.heard))
        asked = next(effect for effect in effects if isinstance(effect, do.Transcribe))
        self.asked = asked
        return self.feed(ev.Transcribed(self.turn, asked.request, text, "test"))

    def end(self, reason: str = "quiet") -> list[do.Effect]:
        """The quiet goes on, and what has been heard is understood."""
        turn = self.turn
        effects = self.feed(ev.SpeechEnded(turn, self.heard, reason))  # type: ignore[arg-type]
        effects += self.feed(ev.Recorded(turn))
        for thought in [effect for effect in effects if isinstance(effect, do.Understand)]:
            intent = parse(thought.text) or classify(thought.text)
            effects += self.feed(ev.Understood(thought.turn, intent))
        return effects

    def say(self, text: str, after_ms: int = 3000, reason: str = "quiet") -> list[do.Effect]:
        self.begin(after_ms)
        return self.pause(text) + self.end(reason)


E = TypeVar("E")


def some(effects: list[do.Effect], kind: type[E]) -> list[E]:
    return [effect for effect in effects if isinstance(effect, kind)]


def texts(effects: list[do.Effect]) -> list[str]:
    return [effect.intent.text for effect in some(effects, do.StartJob)]


def test_what_was_begun_too_early_is_taken_back_and_both_parts_are_one_sentence() -> None:
    talk = Talk()
    first = some(talk.say("Run the tests."), do.StartJob)
    assert texts(talk.done) == ["Run the tests."]
    talk.begin(after_ms=800)
    talk.pause("Run the tests and fix what fails.")
    assert talk.asked.audio.seconds == pytest.approx(2), "the sound of both parts is heard together"
    effects = talk.end()
    (taken,) = some(effects, do.Withdraw)
    assert (taken.turn, taken.job) == (2, first[0].job)
    assert ev.TurnJoined(2, 1) in talk.posted
    assert texts(effects) == [], "the whole waits until its part is taken back"
    assert texts(talk.feed(ev.TakenBack(2, taken.job, ev.Outcome("Undone.")))) == [
        "Run the tests and fix what fails."
    ]


def test_late_news_of_what_was_taken_back_is_no_news() -> None:
    talk = Talk()
    (job,) = some(talk.say("Run the tests."), do.StartJob)
    talk.begin(after_ms=400)
    talk.pause("Run the tests and fix what fails.")
    talk.end()
    assert some(talk.feed(ev.JobStopped(job.job)), do.Say) == []


def test_what_has_not_begun_yet_is_not_begun() -> None:
    talk = Talk()
    talk.begin()
    talk.pause("Create a new file.")
    turn = talk.turn
    talk.feed(ev.SpeechEnded(turn, talk.heard), ev.Recorded(turn))
    talk.begin(after_ms=500)
    assert texts(talk.feed(ev.Understood(turn, classify("Create a new file.")))) == []
    talk.pause("Create a new file called parser.")
    effects = talk.end()
    assert texts(effects) == ["Create a new file called parser."]
    assert some(effects, do.Withdraw) == []


@pytest.mark.parametrize(
    ("first", "both", "second"),
    [
        ("Run the tests.", "Run the tests. Show me the diff.", "Show me the diff."),
        ("Run the tests.", "Run the tests. Stop.", "Stop."),
        (
            "Run the tests.",
            "Run the tests. Add a docstring to every method.",
            "Add a docstring to every method.",
        ),
        ("Fix the login bug.", "Fix the login bug. Run the tests.", "Run the tests."),
        ("Find usages of user_id.", "Find usages of user ID. Run the tests.", "Run the tests."),
        ("Find usages of user ID.", "Find usages of user_id. Run the tests.", "Run the tests."),
        ("Fix the bug.", "Fix the bug. Second agent, write docs.", "Second agent, write docs."),
        ("Run the tests.", "Run the tests.", ""),
        ("Run the tests.", "Run the test.", ""),
        ("Run the tests.", "", ""),
    ],
)
def test_a_command_of_its_own_or_no_word_at_all_takes_nothing_back(
    first: str, both: str, second: str
) -> None:
    talk = Talk()
    talk.say(first)
    talk.begin(after_ms=700)
    talk.pause(both)
    effects = talk.end()
    assert some(effects, do.Withdraw) == []
    final = [event for event in talk.posted if isinstance(event, ev.Transcript) and event.final]
    assert final[-1].text == second


@pytest.mark.parametrize(
    ("first", "both"),
    [
        ("Run the tests.", "Run the tests in the parser module."),
        ("Add a unit.", "Add a unit test for the date parser."),
        ("Rename user ID to account.", "Rename user ID to account ID."),
        ("Show me the get.", "Show me the git diff."),
        ("Help.", "Help me understand this function."),
    ],
)
def test_the_rest_of_a_sentence_makes_it_longer(first: str, both: str) -> None:
    turn = Turn(2, joins=Former(1, first, sound(0, 1000), None, None))
    assert joining.part_of(turn, both) == (both, True)


def sound(start_ms: int, length_ms: int) -> ev.Utterance:
    block = ev.AudioBlock(start_ms * MS, bytes(2 * length_ms * MS))
    return ev.Utterance(block, block.start, block.end)


@pytest.mark.parametrize("gap_ms", [1600, 5000])
def test_speech_that_comes_later_is_another_sentence(gap_ms: int) -> None:
    talk = Talk()
    talk.say("Run the tests.")
    talk.begin(after_ms=gap_ms)
    assert talk.state.turns[2].joins is None


def test_a_turn_that_a_key_ended_does_not_go_on() -> None:
    talk = Talk()
    talk.say("Run the tests.", reason="key")
    talk.begin(after_ms=200)
    assert talk.state.turns[2].joins is None


def test_joining_can_be_turned_off() -> None:
    talk = Talk(TurnSettings(join_ms=0))
    talk.say("Run the tests.")
    talk.begin(after_ms=200)
    assert talk.state.turns[2].joins is None


def test_a_stop_is_a_sentence_of_its_own_unless_speech_goes_on_at_once() -> None:
    for gap_ms, goes_on in ((200, True), (700, False)):
        talk = Talk()
        talk.say("Run the tests.")
        talk.state = replace(talk.state, former=Former(9, "Stop.", sound(0, 1), stop(), None))
        talk.now = 0
        talk.begin(after_ms=gap_ms)
        assert (talk.state.turns[talk.turn].joins is not None) == goes_on


def stop() -> Intent:
    return Intent(kind="control", action=Action.STOP, text="stop")


@pytest.mark.parametrize("action", [Action.YES, Action.NO, Action.PAUSE, Action.MUTE, Action.QUIT])
def test_what_cannot_be_taken_back_stands(action: Action) -> None:
    state = State(patience=Patience(TurnSettings()))
    intent = Intent(kind="control", action=action, text=action)
    state = replace(state, former=Former(1, action, sound(0, 500), intent, None))
    assert joining.candidate(state, 600 * MS) is None


def test_an_undo_is_taken_back_by_a_redo() -> None:
    talk = Talk()
    talk.say("Undo that.")
    talk.begin(after_ms=300)
    talk.pause("Undo that rename of the user class.")
    (taken,) = some(talk.end(), do.Withdraw)
    assert taken.opposite_of is Action.UNDO


def test_a_question_that_the_first_part_raised_is_no_longer_asked() -> None:
    talk = Talk()
    talk.say("Push to origin.")
    assert talk.state.asked is not None
    talk.begin(after_ms=300)
    talk.pause("Push to origin main.")
    talk.end()
    assert [question.turn for question in talk.state.questions.values()] == [2]


def test_a_new_source_goes_on_with_nothing() -> None:
    talk = Talk()
    talk.say("Run the tests.")
    talk.feed(ev.SourceOpened("other", live=False))
    talk.begin(after_ms=100)
    assert talk.state.turns[2].joins is None


def test_parts_that_overlap_are_heard_once() -> None:
    turn = Turn(2, joins=Former(1, "run", sound(0, 1000), None, None))
    whole = joining.whole_sound(turn, sound(800, 1000))
    assert (whole.audio.start, whole.audio.end) == (0, 1800 * MS)
    apart = joining.whole_sound(turn, sound(1500, 1000))
    assert apart.audio.end == 2500 * MS and apart.audio.seconds == pytest.approx(2)


def test_what_is_long_already_is_not_made_longer() -> None:
    for seconds, goes_on in ((20, True), (29, False)):
        former = Former(1, "Write a letter.", sound(0, seconds * 1000), None, None)
        state = replace(State(patience=Patience(TurnSettings())), former=former)
        found = joining.candidate(state, (seconds * 1000 + 500) * MS)
        assert (found is not None) == goes_on


def test_pauses_are_learnt_from_what_goes_on() -> None:
    talk = Talk()
    talk.begin()
    talk.pause("Rename")
    talk.now += 450 * MS
    talk.feed(ev.SpeechResumed(1, talk.now))
    talk.pause("Rename the function.")
    assert talk.state.pauses.lengths == (450,)


def test_the_wait_is_told_to_the_ear_and_the_sound_may_change_it() -> None:
    talk = Talk()
    talk.state = replace(talk.state, patience=Patience(TurnSettings(), listens_to_sound=True))
    talk.begin()
    effects = talk.pause("Add type hints to the parser.")
    assert [(wait.turn, wait.quiet_ms) for wait in some(effects, do.EndAfter)] == [(1, 240)]
    (asked,) = some(effects, do.JudgeTurn)
    (wait,) = some(talk.feed(ev.TurnJudged(1, asked.request, 0.01)), do.EndAfter)
    assert wait.quiet_ms == 600
    assert talk.feed(ev.TurnJudged(1, asked.request + 2, 0.99)) == [], "of another request"
    talk.end()
    assert talk.feed(ev.TurnJudged(1, asked.request, 0.99)) == [], "too late"


def test_who_was_taken_up_too_early_twice_is_given_time() -> None:
    talk = Talk()
    sentence, waits = "Add a test", []
    for more in ("for the parser.", "and the lexer.", "and the reader."):
        sentence = f"{sentence.rstrip('.')} {more}"
        talk.begin(after_ms=700)
        waits.append(some(talk.pause(sentence), do.EndAfter)[0].quiet_ms)
        talk.end()
        if (withdrawing := talk.state.withdrawing) is not None:
            talk.feed(ev.TakenBack(withdrawing, 0, ev.Outcome("")))
    assert waits == [240, 240, 600]


def test_by_silence_nothing_is_decided_by_words() -> None:
    talk = Talk(TurnSettings(rule="silence"))
    talk.begin()
    effects = talk.pause("Run the tests.")
    assert some(effects, do.EndAfter) == [] and some(effects, do.Guess) == []


async def test_the_brain_knows_what_the_tests_take_for_known() -> None:
    brain = Brain(BrainSettings(provider="none"), MonotonicClock())
    assert (await brain.understand("Run the tests.")).action is Action.TEST
    await brain.aclose()
