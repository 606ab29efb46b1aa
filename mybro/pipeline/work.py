"""Starting work, following it and stopping it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mybro.events import Answered
from mybro.pipeline.draft import Draft
from mybro.pipeline.effects import Answer, Chime, DropTranscription, ForgetTurn, Hush, StartJob, StopJobs
from mybro.pipeline.state import Job, JobPhase, Mouth, Turn
from mybro.speak import phrases


def carry_out(draft: Draft, turn: Turn) -> None:
    """Start the work of a turn."""
    intent = turn.intent
    assert intent is not None  # noqa: S101
    draft.drop_turn(turn.number)
    if intent.kind == "chat" and intent.reply:
        draft.say(intent.reply)
        return
    job = draft.put_job(Job(draft.number(), turn.number, intent, title=phrases.title(intent)))
    draft.do(Chime("accepted"), StartJob(job.number, turn.number, intent))
    draft.say(phrases.understood(intent))


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
        questions={},
        saying={},
        mouth=Mouth.SILENT,
        paused=False,
        jobs={n: replace(job, phase=JobPhase.STOPPING) for n, job in state.jobs.items()},
    )
    if jobs:
        draft.do(StopJobs(jobs))
    else:
        draft.say(phrases.nothing_to_stop())


def job_changed(draft: Draft, number: int, **changes: Any) -> None:
    """Note what a job is doing. One that is being stopped stays so until it has."""
    job = draft.state.jobs.get(number)
    if job is not None and job.phase is not JobPhase.STOPPING:
        draft.put_job(replace(job, **changes))
