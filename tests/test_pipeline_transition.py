"""The state machine as a table: events in, state and effects out, by calling it."""

from __future__ import annotations

import pytest

from mybro import events as ev
from mybro.errors import Problem
from mybro.intent import Intent
from mybro.pipeline import effects as do
from mybro.pipeline.state import Ear, JobPhase, Mouth, State
from tests.transition_tools import OUTCOME, RUN_TESTS, Run, kinds, said, started, utterance

pytestmark = pytest.mark.unit


def test_a_sentence_becomes_a_job_only_after_it_is_recorded() -> None:
    run = Run()
    heard = run.hear(1, "run the tests")
    assert kinds(heard) == ["Transcribe", "Acknowledge", "Understand"]
    effects = run.feed(ev.Understood(1, RUN_TESTS))
    assert kinds(effects) == ["Chime", "StartJob", "Say"]
    assert run.state.jobs[run.job()].phase is JobPhase.QUEUED
    assert run.state.turns == {}


def test_a_trial_that_covers_the_whole_speech_is_the_transcript() -> None:
    run = Run()
    effects = run.hear(1, "run the tests")
    assert kinds(effects).count("Transcribe") == 1


def test_a_trial_is_dropped_when_speech_goes_on() -> None:
    run = Run()
    run.feed(ev.SpeechStarted(1, 0))
    (trial,) = run.feed(ev.SpeechPaused(1, utterance()))
    assert isinstance(trial, do.Transcribe)
    assert run.state.ear is Ear.CLOSING
    assert run.feed(ev.SpeechResumed(1, 20000)) == [do.DropTranscription(trial.request)]
    assert run.feed(ev.Transcribed(1, trial.request, "rename the function", "test")) == []
    (again,) = run.feed(ev.SpeechEnded(1, utterance(0, 48000)))
    assert isinstance(again, do.Transcribe)
    assert again.request != trial.request


def test_a_trial_without_an_answer_yet_is_waited_for_not_asked_again() -> None:
    run = Run()
    run.feed(ev.SpeechStarted(1, 0))
    (trial,) = run.feed(ev.SpeechPaused(1, utterance()))
    assert isinstance(trial, do.Transcribe)
    assert run.feed(ev.SpeechEnded(1, utterance())) == []
    assert kinds(run.feed(ev.Transcribed(1, trial.request, "run the tests", "test"))) == ["Acknowledge"]


def test_sound_without_words_leaves_nothing_and_raises_the_voice_again() -> None:
    run = Run()
    run.feed(ev.SayStarted(8, "Twelve tests passed."))
    assert kinds(run.feed(ev.SpeechStarted(1, 0))) == ["Duck"]
    (trial,) = run.feed(ev.SpeechPaused(1, utterance()))
    assert isinstance(trial, do.Transcribe)
    effects = run.feed(ev.SpeechEnded(1, utterance()), ev.Transcribed(1, trial.request, "", "test"))
    assert effects == [do.ForgetTurn(1), do.Duck(on=False)]
    assert run.state.mouth is Mouth.SPEAKING
    assert run.state.turns == {}


def test_words_cut_the_voice() -> None:
    run = Run()
    run.feed(ev.SayStarted(8, "Twelve tests passed."))
    assert "Hush" in kinds(run.hear(1, "show me the diff"))


def test_its_own_voice_is_not_taken_for_a_person() -> None:
    run = Run()
    run.feed(ev.SayStarted(8, "Twelve tests passed and two failed in the parser."))
    effects = run.hear(1, "tests passed and too failed in the parser")
    assert "Acknowledge" not in kinds(effects)
    assert "Hush" not in kinds(effects)


def test_stop_is_heard_over_a_voice_that_says_stop() -> None:
    run = Run()
    run.feed(ev.SayStarted(8, "Say stop to stop everything."))
    assert "Hush" in kinds(run.hear(1, "stop"))


def test_stop_waits_for_nothing() -> None:
    run = Run()
    job = started(run)
    effects = run.hear(2, "Stop!")
    assert do.StopJobs((job,)) in effects
    assert "Acknowledge" not in kinds(effects)
    assert run.state.generation == 1
    assert run.state.jobs[job].phase is JobPhase.STOPPING
    assert said(run.feed(ev.JobStopped(job))) == ["Stopped."]
    assert run.state.jobs == {}


def test_what_comes_from_a_stopped_job_changes_nothing() -> None:
    run = Run()
    job = started(run)
    run.hear(2, "stop")
    run.feed(ev.JobStopped(job))
    before = run.state
    for late in (
        ev.JobProgressed(job, "editing"),
        ev.JobFinished(job, OUTCOME),
        ev.JobFailed(job, Problem("x", "x")),
        ev.Understood(1, RUN_TESTS),
        ev.Recorded(1),
    ):
        assert run.feed(late) == []
    assert run.state == before


def test_a_question_from_a_stopped_job_gets_a_no() -> None:
    run = Run()
    job = started(run)
    run.hear(2, "stop")
    assert run.feed(ev.JobAsked(job, 1, "permission", "May it?")) == [do.Answer(ev.Answered(1, yes=False))]


def test_stop_leaves_what_was_said_after_it() -> None:
    run = Run()
    run.feed(ev.SpeechStarted(1, 0))
    (trial,) = run.feed(ev.SpeechPaused(1, utterance()))
    assert isinstance(trial, do.Transcribe)
    run.feed(ev.SpeechEnded(1, utterance()), ev.SpeechStarted(2, 32000))
    run.feed(ev.Transcribed(1, trial.request, "stop", "test"))
    assert list(run.state.turns) == [2]


def test_turns_are_accepted_in_the_order_of_speech() -> None:
    run = Run()
    run.hear(1, "make the parser faster")
    run.hear(2, "run the tests")
    assert run.feed(ev.Understood(2, RUN_TESTS)) == []
    task = Intent(kind="task", text="make the parser faster")
    effects = run.feed(ev.Understood(1, task))
    assert [effect.turn for effect in effects if isinstance(effect, do.StartJob)] == [1, 2]


def test_hear_alone_does_nothing() -> None:
    run = Run(State(acting=False))
    run.hear(1, "run the tests")
    assert run.feed(ev.Understood(1, RUN_TESTS)) == []
    assert "StopJobs" not in kinds(run.hear(2, "stop"))
    assert run.state.turns.keys() == {2}


# ---------------------------------------------------------------------------- faults


def test_trouble_with_the_source_is_said_once_and_forgotten_when_it_is_over() -> None:
    run = Run()
    trouble = ev.SourceTroubled(Problem("dead_sound", "The microphone delivers only zeros"))
    assert len(said(run.feed(trouble))) == 1
    assert said(run.feed(trouble)) == []
    run.feed(ev.ListeningStarted(16000))
    assert run.state.trouble is None


def test_a_failed_transcription_is_said_and_the_turn_dropped() -> None:
    run = Run()
    run.feed(ev.SpeechStarted(1, 0))
    (request,) = (e for e in run.feed(ev.SpeechEnded(1, utterance())) if isinstance(e, do.Transcribe))
    effects = run.feed(ev.TranscriptionFailed(1, request.request, Problem("worker_died", "It died")))
    assert said(effects) == ["It died."]
    assert run.state.turns == {}


def test_a_failed_trial_is_tried_again_at_the_end() -> None:
    run = Run()
    run.feed(ev.SpeechStarted(1, 0))
    (trial,) = (e for e in run.feed(ev.SpeechPaused(1, utterance())) if isinstance(e, do.Transcribe))
    assert run.feed(ev.TranscriptionFailed(1, trial.request, Problem("worker_died", "It died"))) == []
    assert kinds(run.feed(ev.SpeechEnded(1, utterance()))) == ["Transcribe"]


def test_what_could_not_be_recorded_is_not_done() -> None:
    run = Run()
    run.hear(1, "run the tests")
    effects = run.feed(ev.RecordingFailed(1, Problem("disk_full", "The disk is full")))
    assert said(effects) == ["The disk is full."]
    assert run.feed(ev.Understood(1, RUN_TESTS)) == []


def test_a_source_that_ends_in_mid_speech_leaves_no_open_turn() -> None:
    run = Run()
    run.feed(ev.SourceOpened("mic", True), ev.SpeechStarted(1, 0), ev.SourceClosed("mic"))
    assert run.state.turns == {}
    assert run.state.ear is Ear.OFF
