"""What is said while a job is at work and becomes part of it: it is done, ends and is undone with that."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from mybro.events import (
    Event,
    JobAdded,
    JobFailed,
    JobFinished,
    JobStarted,
    JobStopped,
    Outcome,
)
from mybro.executor.hand import Job, Report, TakesMore
from mybro.executor.running import Running
from mybro.executor.words import title
from mybro.intent import Intent


def hosts(intent: Intent, jobs: Sequence[Running]) -> Sequence[Running]:
    """Of jobs, oldest first, those that may take it: what is to be done comes after what was said before."""
    if intent.kind == "question":
        return jobs
    return [running for running in jobs if not running.reads][-1:]


async def add(job: Job, running: Running, emit: Report) -> bool:
    """Make `job` part of one at work; False where that takes nothing now."""
    hand: object = running.hand
    if running.stopping or not isinstance(hand, TakesMore) or not await hand.add(job):
        return False
    await emit(JobAdded(job.number, running.job.number))
    await emit(JobStarted(job.number, job.turn, title(job.intent)))
    if running.ended is None:
        running.added[job.number] = ""
    else:  # in the very moment in which it was added
        await emit(_end(job.number, "", running.ended))
    return True


async def end(running: Running, event: Event, emit: Report) -> None:
    """Report the end of a job and of what had become part of it."""
    running.ended = event
    await emit(event)
    for number, answer in list(running.added.items()):
        await emit(_end(number, answer, event))


def _end(number: int, answer: str, event: Event) -> Event:
    """The same end; what it cost and changed is told once, of the job itself."""
    match event:
        case JobFinished(outcome=outcome):
            said = answer or outcome.summary
            return JobFinished(number, Outcome(said, ok=outcome.ok, session=outcome.session))
        case JobFailed(problem=problem):
            return JobFailed(number, problem)
        case JobStopped():
            return JobStopped(number)
    return dataclasses.replace(event)
