"""The state machine as a table: events in, state and effects out, by calling it."""

from __future__ import annotations

import pytest

from mybro import events as ev
from mybro.errors import Problem
from mybro.intent import Action, Arguments, Intent
from mybro.pipeline import effects as do
from mybro.pipeline.state import Ear, JobPhase, Mouth, State, TurnPhase
from mybro.pipeline.transition import transition

pytestmark = pytest.mark.unit

RUN_TESTS = Intent(kind="local", action=Action.TEST, text="run the tests")
PUSH = Intent(
    kind="local",
    action=Action.PUSH,
    text="force push",
    risk="destructive",
    needs_confirmation=True,
    target="main",
)
YES = Intent(kind="control", action=Action.YES, text="yes")
NO = Intent(kind="control", action=Action.NO, text="no")
OUTCOME = ev.Outcome("12 passed")


class Run:
    """Feeds events and carries out `Post`, as the loop does; every other effect is kept."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self.effects: list[do.Effect] = []

    def feed(self, *events: ev.Event) -> list[do.Effect]:
        """The effects of these events alone, in order."""
        since = len(self.effects)
        pending = list(events)
        while pending:
            self.state, effects = transition(self.state, pending.pop(0))
            posted = [effect.event for effect in effects if isinstance(effect, do.Post)]
            pending[:0] = posted
            self.effects += [effect for effect in effects if not isinstance(effect, do.Post | do.GiveWay)]
        return self.effects[since:]

    def hear(self, turn: int, text: str, start: int = 0) -> list[do.Effect]:
        """A sentence from its first sound to its recorded transcript."""
        since = len(self.effects)
        self.feed(ev.SpeechStarted(turn, start))
        paused = self.feed(ev.SpeechPaused(turn, utterance(start)))
        request = next(effect.request for effect in paused if isinstance(effect, do.Transcribe))
        self.feed(ev.Transcribed(turn, request, text, "test"), ev.SpeechEnded(turn, utterance(start)))
        self.feed(ev.Recorded(turn))
        return self.effects[since:]

    def job(self) -> int:
        return next(iter(self.state.jobs))


def utterance(start: int = 0, length: int = 16000) -> ev.Utterance:
    return ev.Utterance(ev.AudioBlock(start, bytes(2 * length)), start, start + length - 2560)


def kinds(effects: list[do.Effect]) -> list[str]:
    return [type(effect).__name__ for effect in effects]


def said(effects: list[do.Effect]) -> list[str]:
    return [effect.text for effect in effects if isinstance(effect, do.Say)]


def started(run: Run, intent: Intent = RUN_TESTS, turn: int = 1) -> int:
    """Bring a run to a job at work; returns the job's number."""
    run.hear(turn, intent.text)
    run.feed(ev.Understood(turn, intent))
    job = run.job()
    run.feed(ev.JobStarted(job, turn, "running the tests"))
    return job


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


# ---------------------------------------------------------------------------- questions


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


# ---------------------------------------------------------------------------- control


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
