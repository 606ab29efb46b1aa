"""The state machine as a table: control words, corrections and stops."""

from __future__ import annotations

import pytest

from mybro import events as ev
from mybro.intent import Action, Arguments, Intent
from mybro.pipeline import effects as do
from mybro.pipeline.state import JobPhase
from tests.transition_tools import OUTCOME, RUN_TESTS, YES, Run, kinds, said, started, utterance

pytestmark = pytest.mark.unit


def control(run: Run, action: Action, turn: int = 9, count: int | None = None) -> list[do.Effect]:
    run.hear(turn, "control words")
    intent = Intent(kind="control", action=action, text="control words", arguments=Arguments(count=count))
    return run.feed(ev.Understood(turn, intent))


def test_undo_goes_back_as_many_steps_as_were_said() -> None:
    run = Run()
    effects = control(run, Action.UNDO, count=3)
    assert [(e.which, e.count) for e in effects if isinstance(e, do.TakeBack)] == [("undo", 3)]
    assert run.state.busy


def test_cancel_means_the_question_first_then_the_work() -> None:
    run = Run()
    job = started(run)
    run.feed(ev.JobAsked(job, 1, "permission", "May it?"))
    assert do.Answer(ev.Answered(1, yes=False)) in control(run, Action.CANCEL)
    assert do.StopJobs((job,)) in control(run, Action.CANCEL, turn=10)


def test_repeat_says_the_last_sentence() -> None:
    run = Run()
    job = started(run)
    run.feed(ev.JobFinished(job, OUTCOME))
    assert said(control(run, Action.REPEAT)) == ["12 passed."]


def test_status_tells_the_newest_step() -> None:
    run = Run()
    job = started(run)
    run.feed(ev.JobProgressed(job, "editing parser.py"), ev.JobProgressed(job, "words", "words"))
    assert said(control(run, Action.STATUS)) == ["Editing parser.py."]


@pytest.mark.parametrize(
    ("action", "effect"),
    [
        (Action.MUTE, do.Mute(on=True)),
        (Action.UNMUTE, do.Mute(on=False)),
        (Action.PAUSE, do.HoldVoice(on=True)),
        (Action.PAUSE, do.FreezeJobs(on=True)),
        (Action.RESUME, do.FreezeJobs(on=False)),
        (Action.RESUME, do.HoldVoice(on=False)),
        (Action.QUIT, do.ShutDown()),
    ],
)
def test_control_words_reach_their_stage(action: Action, effect: do.Effect) -> None:
    assert effect in control(Run(), action)


def test_a_yes_that_nobody_asked_for_is_said_so() -> None:
    run = Run()
    run.hear(1, "yes")
    assert said(run.feed(ev.Understood(1, YES))) == ["Nothing is waiting for an answer."]


ADD_API = Intent(kind="task", text="add an API with Flask")
CORRECTION = Intent(kind="task", text="no, use FastAPI instead")


def test_a_correction_takes_the_place_of_the_task_at_work() -> None:
    run = Run()
    former = started(run, ADD_API)
    run.hear(2, CORRECTION.text)
    effects = run.feed(ev.Understood(2, CORRECTION))
    assert kinds(effects) == ["StopJobs", "Chime", "StartJob", "Say"]
    assert do.StopJobs((former,)) in effects
    assert said(effects) == ["Changing course."]
    assert run.state.jobs[former].phase is JobPhase.STOPPING
    assert said(run.feed(ev.JobStopped(former))) == []
    assert [job.intent for job in run.state.jobs.values()] == [CORRECTION]


def test_a_correction_of_nothing_is_a_task() -> None:
    run = Run()
    run.hear(1, CORRECTION.text)
    assert "StopJobs" not in kinds(run.feed(ev.Understood(1, CORRECTION)))


def test_tests_that_run_are_not_corrected() -> None:
    run = Run()
    started(run, RUN_TESTS)
    run.hear(2, CORRECTION.text)
    assert "StopJobs" not in kinds(run.feed(ev.Understood(2, CORRECTION)))


def test_a_stop_for_one_agent_is_for_that_agent_alone() -> None:
    run = Run()
    job = started(run, ADD_API)
    run.hear(2, "second agent, stop")
    stop = Intent(kind="control", action=Action.STOP, agent="2", text="stop")
    effects = run.feed(ev.Understood(2, stop))
    assert do.StopAgent("2") in effects
    assert "StopJobs" not in kinds(effects)
    assert run.state.jobs[job].phase is JobPhase.RUNNING


def test_a_stop_for_all_agents_stops_all() -> None:
    run = Run()
    job = started(run, ADD_API)
    run.hear(2, "everyone, hold it")
    effects = run.feed(ev.Understood(2, Intent(kind="control", action=Action.STOP, agent="all", text="stop")))
    assert do.StopJobs((job,)) in effects


def sounding_like(run: Run, text: str) -> list[do.Effect]:
    """A job at work, and a turn that is not over; the effects of what it sounds like so far."""
    started(run, ADD_API)
    run.feed(ev.SpeechStarted(2, 0))
    paused = run.feed(ev.SpeechPaused(2, utterance()))
    request = next(effect.request for effect in paused if isinstance(effect, do.Transcribe))
    return run.feed(ev.Transcribed(2, request, text, "test"))


def test_what_sounds_like_stop_holds_the_jobs_until_the_sentence_is_over() -> None:
    run = Run()
    assert do.FreezeJobs(on=True) in sounding_like(run, "Stop.")
    ended = run.feed(ev.SpeechEnded(2, utterance()))
    assert "StopJobs" in kinds(ended)
    assert run.state.holding is None


def test_a_sentence_that_only_begins_with_stop_lets_the_jobs_go_on() -> None:
    run = Run()
    assert do.FreezeJobs(on=True) in sounding_like(run, "Stop.")
    assert do.FreezeJobs(on=False) in run.feed(ev.SpeechResumed(2, 20000))
    assert run.state.holding is None


def test_words_that_are_dropped_let_the_jobs_go_on() -> None:
    run = Run()
    sounding_like(run, "Stop.")
    assert do.FreezeJobs(on=False) in run.feed(ev.SourceClosed("mic"))


def test_other_words_hold_nothing() -> None:
    run = Run()
    assert do.FreezeJobs(on=True) not in sounding_like(run, "Stop the server")
    idle = Run()
    idle.feed(ev.SpeechStarted(2, 0))
    assert "FreezeJobs" not in kinds(idle.feed(ev.Transcript(2, "stop", False, 0)))


def test_a_question_about_what_was_said_after_a_stop_stays() -> None:
    run = Run()
    run.feed(ev.SpeechStarted(1, 0))
    offered = Intent(kind="task", text="tidy up")
    run.feed(ev.Recalled(2, offered))
    run.feed(ev.Transcript(1, "stop", final=True, sample=0, model="fake"))
    assert [question.turn for question in run.state.questions.values()] == [2]
    assert list(run.state.turns) == [2]
