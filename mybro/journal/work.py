"""Rows of what was done: job, permission, cost."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlmodel import col

from mybro.events import (
    Answered,
    JobAsked,
    JobFailed,
    JobFinished,
    JobStarted,
    JobStopped,
    Outcome,
    TakenBack,
)
from mybro.journal.codec import clean, finite, shorten
from mybro.journal.records import State
from mybro.journal.rows import Here, add, table
from mybro.journal.tables import CostRow, JobRow, PermissionRow, SessionRow, UtteranceRow
from mybro.journal.utterances import advance

_JOB = table(JobRow)
_SESSION = table(SessionRow)


async def job_started(here: Here, started: JobStarted, wall: float) -> None:
    row = JobRow(
        session=here.session, number=started.job, title=clean(started.title), state="running", started=wall,
        utterance=await advance(here, started.turn, "started", wall), checkpoint_before=started.checkpoint,
        agent=clean(started.agent),
    )  # fmt: skip
    await add(here, row)


async def job_ended(here: Here, event: JobFinished | JobFailed | JobStopped, wall: float) -> None:
    """The last of an utterance's jobs ends the utterance too."""
    problem = event.problem if isinstance(event, JobFailed) else None
    state: State = "failed" if problem else "stopped" if isinstance(event, JobStopped) else "done"
    known = event.outcome or Outcome("", ok=False)
    values = {
        "state": state,
        "ok": known.ok and problem is None,
        "ended": wall,
        "problem": problem and problem.code,
        "summary": clean(known.summary or (problem.message if problem else "")),
        "detail": clean(shorten(known.detail)),
        "changed": json.dumps([clean(path) for path in known.changed], ensure_ascii=False),
        "checkpoint_after": known.checkpoint,
        "coding_session": known.session,
    }
    # A job whose start could not be written, the disk being full then, is a row all the same.
    statement = upsert(JobRow).values(
        session=here.session, number=event.job, title="", started=wall, agent="", **values
    )
    found = await here.connection.execute(
        statement.on_conflict_do_update(("session", "number"), set_=values).returning(
            col(JobRow.id), col(JobRow.utterance), col(JobRow.agent), col(JobRow.started)
        )
    )
    row = found.one()
    if known.cost_usd or known.input_tokens or known.output_tokens:
        repo = await here.connection.scalar(select(_SESSION.c.repo).where(_SESSION.c.id == here.session))
        cost = CostRow(
            day=datetime.fromtimestamp(wall).astimezone().date().isoformat(), session=here.session,
            job=row.id, usd=finite(known.cost_usd), input_tokens=known.input_tokens,
            output_tokens=known.output_tokens, agent=row.agent, coding_session=known.session,
            repo=repo or "", seconds=finite(max(0.0, wall - row.started)),
        )  # fmt: skip
        await add(here, cost)
    await here.connection.execute(
        update(UtteranceRow)
        .where(
            col(UtteranceRow.id) == row.utterance,
            col(UtteranceRow.state) == "started",
            ~select(_JOB.c.id).where(_JOB.c.utterance == row.utterance, _JOB.c.state == "running").exists(),
        )
        .values(state=state, ended=wall)
    )


async def taken_back(here: Here, event: TakenBack, wall: float) -> None:
    """What a job had done is gone again; its utterance was no sentence of its own."""
    if not event.outcome.ok:
        return
    found = await here.connection.execute(
        update(JobRow)
        .where(col(JobRow.session) == here.session, col(JobRow.number) == event.job)
        .values(state="stopped", summary="Taken back: the sentence went on")
        .returning(col(JobRow.utterance))
    )
    await here.connection.execute(
        update(UtteranceRow)
        .where(col(UtteranceRow.id) == found.scalar_one_or_none())
        .values(state="stopped", ended=wall)
    )


async def asked(here: Here, event: JobAsked, wall: float) -> None:
    job = await here.connection.execute(
        select(_JOB.c.id).where(_JOB.c.session == here.session, _JOB.c.number == event.job)
    )
    row = PermissionRow(
        session=here.session, question=event.question, job=job.scalar_one_or_none(), kind=event.kind,
        text=clean(event.text), detail=clean(shorten(event.detail)), object=clean(event.object),
        risk=event.risk, asked=wall,
    )  # fmt: skip
    await add(here, row)


async def answered(here: Here, event: Answered, wall: float) -> None:
    """Write down an answer; the first one stands."""
    values = {
        "answer": "no" if not event.yes else "always" if event.always else "yes",
        "choice": clean(event.choice) if event.choice else None,
        "answered_by": event.by,
    }
    await _settle(here, event.question, wall, values)


async def withdrawn(here: Here, question: int, wall: float) -> None:
    await _settle(here, question, wall, {"answer": "withdrawn"})


async def _settle(here: Here, question: int, wall: float, values: dict[str, str | None]) -> None:
    await here.connection.execute(
        update(PermissionRow)
        .where(
            col(PermissionRow.session) == here.session,
            col(PermissionRow.question) == question,
            col(PermissionRow.answer).is_(None),
        )
        .values(answered=wall, **values)
    )
