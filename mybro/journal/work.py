"""Rows of what was done: job, permission, cost."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlmodel import col

from mybro.errors import JournalError
from mybro.events import (
    Answered,
    JobAsked,
    JobFailed,
    JobFinished,
    JobProgressed,
    JobStarted,
    JobStopped,
    Outcome,
    TakenBack,
)
from mybro.journal.codec import clean, decode, finite, shorten
from mybro.journal.records import State
from mybro.journal.rows import Here, add, table
from mybro.journal.tables import CostRow, EventRow, JobRow, PermissionRow, SessionRow, UtteranceRow
from mybro.journal.utterances import advance

_JOB = table(JobRow)
_SESSION = table(SessionRow)
_EVENT = table(EventRow)


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
    await _charge(here, row, known, wall)
    await here.connection.execute(
        update(UtteranceRow)
        .where(
            col(UtteranceRow.id) == row.utterance,
            col(UtteranceRow.state) == "started",
            ~select(_JOB.c.id).where(_JOB.c.utterance == row.utterance, _JOB.c.state == "running").exists(),
        )
        .values(state=state, ended=wall)
    )


async def cut_off(here: Here) -> None:
    """The jobs of a session that was killed have cost what they had told of."""
    name = JobProgressed.__name__
    number, costs = (func.json_extract(_EVENT.c.body, path) for path in ("$.job", "$.so_far"))
    # With the largest number of an event, SQLite gives that event's other columns.
    last = (
        select(number.label("number"), _EVENT.c.body, _EVENT.c.wall, func.max(_EVENT.c.seq))
        .where(_EVENT.c.session == here.session, _EVENT.c.name == name, costs.is_not(None))
        .group_by(number)
        .subquery()
    )
    rows = await here.connection.execute(
        select(_JOB.c.id, _JOB.c.agent, _JOB.c.started, last.c.body, last.c.wall)
        .join(last, last.c.number == _JOB.c.number)
        .where(_JOB.c.session == here.session, _JOB.c.state == "running")
    )
    for row in rows.all():
        with contextlib.suppress(JournalError):
            event = decode(name, row.body)
            if isinstance(event, JobProgressed) and event.so_far is not None:
                await _charge(here, row, event.so_far, row.wall)


async def _charge(here: Here, job: Row[*tuple[Any, ...]], known: Outcome, wall: float) -> None:
    """Write down what a job has cost, of which `id`, `agent` and `started` are given."""
    if not (known.cost_usd or known.input_tokens or known.output_tokens):
        return
    repo = await here.connection.scalar(select(_SESSION.c.repo).where(_SESSION.c.id == here.session))
    cost = CostRow(
        day=datetime.fromtimestamp(wall).astimezone().date().isoformat(), session=here.session,
        job=job.id, usd=finite(known.cost_usd), input_tokens=known.input_tokens,
        output_tokens=known.output_tokens, agent=job.agent, coding_session=known.session,
        repo=repo or "", seconds=finite(max(0.0, wall - job.started)),
    )  # fmt: skip
    await add(here, cost)


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
