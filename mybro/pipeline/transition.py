"""The one function that decides: `transition(state, event)` gives the next state and the effects to run.

It touches no clock, no file and no process. What happened too late, for a turn or job that is gone, changes
nothing: events are matched by their numbers, never by "the current one".
"""

from __future__ import annotations

from mybro import events as ev
from mybro.pipeline import acts, barge_in, joining, questions, turns, waking, work
from mybro.pipeline.draft import Draft, Urgency
from mybro.pipeline.effects import Chime, Duck, Effect
from mybro.pipeline.state import Ear, Mouth, State
from mybro.speak import phrases


def transition(state: State, event: ev.Event) -> tuple[State, tuple[Effect, ...]]:
    """The next state, and what to do, in that order."""
    draft = Draft(state)
    if not (_hear(draft, event) or _speak(draft, event) or _work(draft, event)):
        _steer(draft, event)
    questions.ask_next(draft)
    return draft.state, tuple(draft.effects)


def _hear(draft: Draft, event: ev.Event) -> bool:  # noqa: C901 - one flat table
    """The ear and what becomes of speech. False where the event belongs elsewhere."""
    match event:
        case ev.SourceOpened(live=live):
            draft.set(ear=Ear.IDLE, sample=0, trouble=None, live=live)
            joining.new_source(draft)
            questions.new_source(draft)
        case ev.ListeningStarted(sample):
            draft.set(sample=max(sample, draft.state.sample), trouble=None)
            if draft.state.live:
                draft.do(Chime("listening"))
        case ev.SourceTroubled(problem):
            if draft.state.trouble != problem:
                draft.say(problem.line(), "error")
            draft.set(trouble=problem)
        case ev.SourceClosed():
            draft.set(ear=Ear.OFF)
            turns.forget_open(draft)
        case ev.LevelMeasured(sample=sample):
            draft.set(sample=max(sample, draft.state.sample))
        case ev.SpeechStarted():
            turns.begin(draft, event)
        case ev.SpeechSustained():
            barge_in.sustained(draft, event)
        case ev.SpeechPaused():
            turns.pause(draft, event)
        case ev.SpeechResumed(turn, sample):
            turns.resume(draft, turn, sample)
        case ev.SpeechEnded():
            turns.end(draft, event)
        case ev.Transcribed():
            turns.transcribed(draft, event)
        case ev.TranscriptionFailed():
            turns.failed(draft, event)
        case ev.Typed(turn, text):
            turns.typed(draft, turn, text)
        case ev.Transcript():
            turns.settle_text(draft, event)
        case ev.Recorded(turn):
            turns.recorded(draft, turn)
        case ev.RecordingFailed(turn, problem):
            turns.drop(draft, turn)
            draft.say(phrases.failed(problem), "error")
        case ev.Understood(turn, intent):
            turns.understood(draft, turn, intent)
        case ev.Recalled(turn, intent):
            turns.recalled(draft, turn, intent)
        case _:
            return False
    return True


def _speak(draft: Draft, event: ev.Event) -> bool:
    match event:
        case ev.SayStarted(speech, text):
            draft.set(mouth=Mouth.SPEAKING, saying={**draft.state.saying, speech: text})
            if draft.state.ear is Ear.HEARING:
                draft.set(mouth=Mouth.DUCKED)
                draft.do(Duck(on=True))
        case ev.SayFinished(speech):
            saying = {n: text for n, text in draft.state.saying.items() if n != speech}
            draft.set(saying=saying, mouth=draft.state.mouth if saying else Mouth.SILENT)
            questions.heard(draft, speech)
        case _:
            return False
    return True


def _work(draft: Draft, event: ev.Event) -> bool:  # noqa: C901 - one flat table
    match event:
        case ev.JobStarted():
            work.began(draft, event)
        case ev.JobAdded():
            work.added(draft, event)
        case ev.JobQueued():
            work.queued(draft, event)
        case ev.JobAnswered(text=text):
            draft.say(text)
        case ev.JobProgressed(job, text, kind):
            if kind == "step":
                work.job_changed(draft, job, step=text)
        case ev.JobAsked():
            questions.asked(draft, event)
        case ev.QuestionWithdrawn(question):
            questions.withdraw(draft, question)
        case ev.JobFinished(job, outcome):
            # What one of several has done is news, which waits for silence and is told together.
            good: Urgency = "news" if _has_agent(draft.state, job) else "answer"
            if questions.job_ended(draft, job):
                draft.say(phrases.finished(outcome), good if outcome.ok else "error")
        case ev.JobFailed(job, problem):
            if questions.job_ended(draft, job):
                draft.say(phrases.failed(problem), "error")
        case ev.JobStopped(job):
            if questions.job_ended(draft, job) and not draft.state.jobs:
                draft.say(phrases.stopped())
        case ev.Answered():
            questions.answer(draft, event)
        case _:
            return False
    return True


def _has_agent(state: State, job: int) -> bool:
    return job in state.jobs and state.jobs[job].agent != ""


def _steer(draft: Draft, event: ev.Event) -> None:
    match event:
        case ev.Announce(text):
            draft.say(text, "news")
        case ev.TurnJudged():
            turns.judged(draft, event)
        case ev.TakenBack():
            turns.taken_back(draft, event)
        case ev.StopAll():
            work.stop_all(draft)
        case ev.Swept():
            work.swept(draft, event)
        case ev.Quit():
            acts.quit_session(draft)
        case ev.TalkPressed() | ev.TalkReleased():
            waking.key(draft, down=isinstance(event, ev.TalkPressed))
        case ev.TimerFired(timer):
            questions.timer_fired(draft, timer)
        case ev.StageFailed(stage, problem):
            # A voice that fails cannot say so; the view shows it.
            if stage != "speak":
                draft.say(problem.line(), "error")
