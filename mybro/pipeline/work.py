"""Starting work, following it and stopping it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mybro.brain.steering import adds, redirects
from mybro.events import Answered, JobAdded, JobQueued, JobStarted, Swept
from mybro.intent import Action, Intent
from mybro.naming import agent_name
from mybro.pipeline import joining
from mybro.pipeline.draft import Draft
from mybro.pipeline.effects import (
    Answer,
    Chime,
    DropTranscription,
    ForgetTurn,
    Hush,
    StartJob,
    StopAgent,
    StopJobs,
    Sweep,
)
from mybro.pipeline.state import Job, JobPhase, Mouth, State, Turn
from mybro.speak import phrases


def carry_out(draft: Draft, turn: Turn) -> None:
    """Start the work of a turn."""
    intent = turn.intent
    assert intent is not None  # noqa: S101
    draft.drop_turn(turn.number)
    joining.remember(draft, turn, None)
    if intent.kind == "chat" and intent.reply:
        draft.say(intent.reply)
        return
    former = _corrected(draft.state, intent)
    if former is not None:
        draft.put_job(replace(former, phase=JobPhase.STOPPING))
        draft.do(StopJobs((former.number,)))
        intent = intent.model_copy(update={"agent": intent.agent or _whose(former)})
    more = former is None and _is_more(draft.state, intent)
    job = draft.put_job(
        Job(draft.number(), turn.number, intent, title=phrases.title(intent), unsaid=more),
    )
    joining.remember(draft, turn, job.number)
    draft.do(Chime("accepted"), StartJob(job.number, turn.number, intent, more))
    if not more:
        draft.say(phrases.redirected() if former is not None else phrases.understood(intent))


def _is_more(state: State, intent: Intent) -> bool:
    """Whether something is said to who is at work: "and also write a test", or a question."""
    if intent.kind != "question" and not (intent.kind == "task" and adds(intent.text)):
        return False
    coding = [job for job in state.jobs.values() if is_coding(job.intent)]
    return any(job.phase in (JobPhase.RUNNING, JobPhase.WAITING) for job in coding)


def is_coding(intent: Intent) -> bool:
    """Whether a coding session does it."""
    return intent.kind in ("task", "question") or intent.action is Action.DELEGATE_FINDINGS


def began(draft: Draft, event: JobStarted) -> None:
    """A job is at work; one of which it was not known when it could begin is said to be."""
    job = draft.state.jobs.get(event.job)
    job_changed(draft, event.job, phase=JobPhase.RUNNING, title=event.title, agent=event.agent, unsaid=False)
    if job is not None and job.unsaid:
        draft.say(phrases.understood(job.intent))


def added(draft: Draft, event: JobAdded) -> None:
    """It ends with the job that it has become part of, and is told with that."""
    job = draft.state.jobs.get(event.job)
    if job is not None:
        draft.drop_job(event.job)
        draft.say(phrases.passed_on() if job.intent.kind == "question" else phrases.added())


def queued(draft: Draft, event: JobQueued) -> None:
    if event.job in draft.state.jobs:
        job_changed(draft, event.job, unsaid=False)
        draft.say(phrases.queued())


def _corrected(state: State, intent: Intent) -> Job | None:
    """The task at work in whose place something else is asked for: the coding session goes on with that."""
    if intent.kind != "task" or not redirects(intent.text):
        return None
    theirs = [job for job in state.jobs.values() if intent.agent in (None, _whose(job) or "1")]
    tasks = [job for job in theirs if job.intent.kind == "task"]
    return next((job for job in reversed(tasks) if job.phase is not JobPhase.STOPPING), None)


def _whose(job: Job) -> str | None:
    """Who does a job, as one would address it; None for whoever has the focus."""
    return agent_name(job.agent.removesuffix(" agent")) if job.agent else job.intent.agent


def stop_all(draft: Draft, before: int | None = None) -> None:
    """Stop outranks everything and waits for nothing.

    `before` is the turn that said so: what was said after it stands. None stops every turn.
    """
    state = draft.state
    jobs = tuple(state.jobs)
    for question in state.questions.values():
        if question.job is not None:
            draft.do(Answer(Answered(question.number, yes=False)))
    later = {}
    for turn in state.turns.values():
        if before is not None and turn.number > before:
            later[turn.number] = turn
            continue
        if turn.request is not None:
            draft.do(DropTranscription(turn.request))
        draft.do(ForgetTurn(turn.number))
    draft.do(Hush(), Chime("stopped"))
    draft.set(
        generation=state.generation + 1,
        turns=later,
        questions={n: q for n, q in state.questions.items() if q.turn in later},
        saying={},
        mouth=Mouth.SILENT,
        paused=False,
        jobs={n: replace(job, phase=JobPhase.STOPPING) for n, job in state.jobs.items()},
    )
    if jobs:
        draft.do(StopJobs(jobs))
    sweep(draft, Sweep(jobs))


def sweep(draft: Draft, how: Sweep | StopAgent) -> None:
    """Have a stop carried out to its end."""
    draft.set(sweeping=draft.state.sweeping + 1)
    draft.do(how)


def swept(draft: Draft, event: Swept) -> None:
    """Tell what a stop has ended beside jobs, or that there was nothing to end."""
    draft.set(sweeping=max(0, draft.state.sweeping - 1))
    if event.ended:
        draft.say(phrases.ended(event.ended))
    elif not event.stopped:
        draft.say(phrases.nothing_to_stop())


def job_changed(draft: Draft, number: int, **changes: Any) -> None:
    """Note what a job is doing. One that is being stopped stays so until it has."""
    job = draft.state.jobs.get(number)
    if job is not None and job.phase is not JobPhase.STOPPING:
        draft.put_job(replace(job, **changes))
