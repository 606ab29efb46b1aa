"""The state machine as a table: questions and their answers."""

from __future__ import annotations

import pytest

from mybro import events as ev
from mybro.intent import Action, Intent
from mybro.pipeline import effects as do
from mybro.pipeline.state import JobPhase, TurnPhase
from tests.transition_tools import NO, PUSH, RUN_TESTS, YES, Run, kinds, said, started, utterance

pytestmark = pytest.mark.unit


def confirming(run: Run, intent: Intent = PUSH) -> int:
    """Bring a run to a read-back that has been heard out; returns the question's number."""
    run.hear(1, intent.text)
    effects = run.feed(ev.Understood(1, intent))
    (say,) = (effect for effect in effects if isinstance(effect, do.Say))
    assert say.urgency == "question"
    run.feed(
        ev.SayStarted(say.speech, say.text), ev.LevelMeasured(40000, -40, -30), ev.SayFinished(say.speech)
    )
    return next(iter(run.state.questions))


def test_what_destroys_needs_a_yes_that_names_its_object() -> None:
    run = Run()
    confirming(run)
    run.hear(2, "yes", start=50000)
    effects = run.feed(ev.Understood(2, YES))
    assert "StartJob" not in kinds(effects)
    assert "main" in said(effects)[0]
    assert "StartJob" in kinds(run.hear(3, "yes main", start=90000))


def test_a_yes_that_began_before_the_question_was_heard_out_does_not_count() -> None:
    run = Run()
    intent = PUSH.model_copy(update={"risk": "write"})
    run.hear(1, "push")
    effects = run.feed(ev.Understood(1, intent))
    (say,) = (effect for effect in effects if isinstance(effect, do.Say))
    run.feed(ev.SayStarted(say.speech, say.text))
    run.hear(2, "yes", start=30000)
    effects = run.feed(ev.Understood(2, YES))
    assert "StartJob" not in kinds(effects)


def test_an_answer_belongs_to_the_question_at_the_time_of_speaking() -> None:
    run = Run()
    job = started(run)
    run.feed(ev.SpeechStarted(2, 16000))
    run.feed(ev.JobAsked(job, 1, "permission", "May it run npm?"))
    assert run.state.asked is None, "a question waits while the person speaks"
    (trial,) = (e for e in run.feed(ev.SpeechPaused(2, utterance(16000))) if isinstance(e, do.Transcribe))
    run.feed(ev.Transcribed(2, trial.request, "yes", "test"), ev.SpeechEnded(2, utterance(16000)))
    run.feed(ev.Recorded(2))
    effects = run.feed(ev.Understood(2, YES))
    assert "Answer" not in kinds(effects)


@pytest.mark.parametrize(("intent", "yes"), [(YES, True), (NO, False)])
def test_a_permission_is_answered_by_voice(intent: Intent, yes: bool) -> None:
    run = Run()
    job = started(run)
    effects = run.feed(ev.JobAsked(job, 1, "permission", "May it run npm?"))
    assert run.state.jobs[job].phase is JobPhase.WAITING
    (say,) = (effect for effect in effects if isinstance(effect, do.Say))
    run.feed(ev.SayStarted(say.speech, say.text), ev.SayFinished(say.speech))
    run.hear(2, intent.text, start=50000)
    assert do.Answer(ev.Answered(1, yes=yes)) in run.feed(ev.Understood(2, intent))
    assert run.state.jobs[job].phase is JobPhase.RUNNING


def test_one_question_is_asked_at_a_time_and_the_first_answer_wins() -> None:
    run = Run()
    job = started(run)
    run.feed(ev.JobAsked(job, 1, "permission", "First?"), ev.JobAsked(job, 3, "permission", "Second?"))
    assert run.state.asked is not None
    assert run.state.asked.number == 1
    effects = run.feed(ev.Answered(1, yes=True, by="key"))
    assert run.state.asked.number == 3
    assert said(effects) == ["Second?"]
    assert run.feed(ev.Answered(1, yes=False, by="page")) == []


def test_an_unconfirmed_turn_is_left_alone_after_a_while() -> None:
    run = Run()
    confirming(run)
    (timer,) = (effect for effect in run.effects if isinstance(effect, do.SetTimer))
    assert said(run.feed(ev.TimerFired(timer.timer))) == ["Left alone."]
    assert run.state.turns == {}
    assert run.state.questions == {}


def test_a_withdrawn_question_vanishes_and_is_said_to() -> None:
    run = Run()
    job = started(run)
    run.feed(ev.JobAsked(job, 1, "permission", "First?"))
    assert len(said(run.feed(ev.QuestionWithdrawn(1)))) == 1
    assert run.state.questions == {}


def test_something_recalled_is_offered_and_not_done() -> None:
    run = Run()
    effects = run.feed(ev.Recalled(1, RUN_TESTS))
    assert kinds(effects) == ["Say"]
    assert run.state.turns[1].phase is TurnPhase.ASKING
    (question,) = run.state.questions
    assert "StartJob" in kinds(run.feed(ev.Answered(question, yes=True, by="key")))


def test_a_yes_that_names_the_object_needs_no_language_model() -> None:
    run = Run()
    confirming(run)
    effects = run.hear(2, "Yes, force push main.", start=50000)
    assert "StartJob" in kinds(effects)
    assert "Understand" not in kinds(effects)


def test_a_no_that_names_the_object_is_no_yes() -> None:
    run = Run()
    confirming(run)
    assert "StartJob" not in kinds(run.hear(2, "no not main", start=50000))


ADD_API = Intent(kind="task", text="add an API with Flask")
COLOURS = (ev.Choice("Blue", "a blue one"), ev.Choice("Red", "a red one"))


def choosing(run: Run) -> int:
    """Bring a run to a question with choices that has been heard out; returns its job's number."""
    job = started(run, ADD_API)
    asking = run.feed(ev.JobAsked(job, 7, "choice", "Which colour? Blue or Red?", choices=COLOURS))
    (speech,) = [effect.speech for effect in asking if isinstance(effect, do.Say)]
    run.feed(ev.SayStarted(speech, "Which colour? Blue or Red?"), ev.SayFinished(speech))
    return job


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("the red one", "Red"),
        ("blue", "Blue"),
        ("number two", "Red"),
        ("something like teal", "something like teal"),
    ],
)
def test_a_choice_is_answered_by_name_number_or_other_words(text: str, choice: str) -> None:
    run = Run()
    choosing(run)
    assert do.Answer(ev.Answered(7, yes=True, choice=choice)) in run.hear(9, text)


def test_a_bare_yes_chooses_nothing() -> None:
    run = Run()
    choosing(run)
    effects = run.hear(9, "yes")
    run.feed(ev.Understood(9, Intent(kind="control", action=Action.YES, text="yes")))
    assert not [effect for effect in effects if isinstance(effect, do.Answer)]
    assert 7 in run.state.questions


def test_no_declines_a_choice_and_commands_are_no_answers() -> None:
    run = Run()
    choosing(run)
    assert "Understand" in kinds(run.hear(9, "run the tests"))
    run.hear(10, "no")
    effects = run.feed(
        ev.Understood(9, RUN_TESTS), ev.Understood(10, Intent(kind="control", action=Action.NO, text="no"))
    )
    assert do.Answer(ev.Answered(7, yes=False)) in effects
