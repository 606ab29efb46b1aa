"""Reading: rows become records."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mybro.events import Envelope
from mybro.journal.codec import clean, decode
from mybro.journal.place import Place
from mybro.journal.records import (
    EventRecord,
    Filter,
    IntentRecord,
    JobRecord,
    PermissionRecord,
    TranscriptRecord,
    UtteranceRecord,
)
from mybro.journal.rows import table
from mybro.journal.tables import (
    CostRow,
    EventRow,
    IntentRow,
    JobRow,
    PermissionRow,
    SessionRow,
    TranscriptRow,
    UtteranceRow,
)

_SESSION = table(SessionRow)
_UTTERANCE = table(UtteranceRow)
_TRANSCRIPT = table(TranscriptRow)
_INTENT = table(IntentRow)
_JOB = table(JobRow)
_PERMISSION = table(PermissionRow)
_COST = table(CostRow)
_EVENT = table(EventRow)

_BAD = ("failed", "interrupted")


async def utterances(
    connection: AsyncConnection, place: Place, limit: int, wanted: Filter
) -> list[UtteranceRecord]:
    """See `Journal.recent`."""
    order = _UTTERANCE.c.id.desc() if wanted.after is None else _UTTERANCE.c.id
    cut_off = await cut_off_sessions(connection, place)
    statement = select(_UTTERANCE).where(*_conditions(wanted, cut_off)).order_by(order).limit(limit)
    rows = (await connection.execute(statement)).all()
    parts = await _parts(connection, [row.id for row in rows])
    return [
        _utterance(row, place, parts, cut_off=row.state == "started" and row.session in cut_off)
        for row in rows
    ]


async def cut_off_sessions(connection: AsyncConnection, place: Place) -> set[str]:
    """Sessions whose process is gone and that were neither ended nor recovered."""
    unended = await connection.execute(select(_SESSION.c.id).where(_SESSION.c.ended.is_(None)))
    return {session for session in unended.scalars() if not place.is_live(session)}


def _conditions(wanted: Filter, cut_off: Collection[str]) -> Iterable[ColumnElement[bool]]:
    if wanted.ids:
        yield _UTTERANCE.c.id.in_(wanted.ids)
    if wanted.before is not None:
        yield _UTTERANCE.c.id < wanted.before
    if wanted.after is not None:
        yield _UTTERANCE.c.id > wanted.after
    if wanted.since is not None:
        yield _UTTERANCE.c.said >= wanted.since
    if wanted.repo is not None:
        yield _UTTERANCE.c.repo == wanted.repo
    jobs = select(_JOB.c.id).where(_JOB.c.utterance == _UTTERANCE.c.id)
    words = select(_TRANSCRIPT.c.id).where(_TRANSCRIPT.c.utterance == _UTTERANCE.c.id)
    if wanted.failed:
        bad_job = jobs.where(or_(_JOB.c.state.in_(_BAD), _JOB.c.ok.is_(False))).exists()
        lost = and_(_UTTERANCE.c.state == "started", _UTTERANCE.c.session.in_(cut_off))
        yield or_(_UTTERANCE.c.state.in_(_BAD), lost, bad_job)
    if not wanted.wordless:
        yield or_(_UTTERANCE.c.state != "dropped", words.where(func.trim(_TRANSCRIPT.c.text) != "").exists())
    for word in clean(wanted.search).casefold().split():
        said = words.where(func.instr(func.casefold(_TRANSCRIPT.c.text), word) > 0).exists()
        came = jobs.where(func.instr(func.casefold(_JOB.c.summary), word) > 0).exists()
        yield or_(said, came)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What belongs to some utterances, by their numbers."""

    transcripts: dict[int, list[Any]]
    intents: dict[int, list[Any]]
    jobs: dict[int, list[Any]]
    permissions: dict[int, list[Any]]
    """By the job's row, as are the costs."""
    costs: dict[int, list[Any]]


async def _parts(connection: AsyncConnection, ids: Sequence[int]) -> _Parts:
    async def by(column: Any, keys: Sequence[int]) -> dict[int, list[Any]]:
        grouped: dict[int, list[Any]] = defaultdict(list)
        if keys:
            owner = column.table
            for row in await connection.execute(select(owner).where(column.in_(keys)).order_by(owner.c.id)):
                grouped[getattr(row, column.name)].append(row)
        return grouped

    jobs = await by(_JOB.c.utterance, ids)
    job_ids = [job.id for group in jobs.values() for job in group]
    return _Parts(
        await by(_TRANSCRIPT.c.utterance, ids),
        await by(_INTENT.c.utterance, ids),
        jobs,
        await by(_PERMISSION.c.job, job_ids),
        await by(_COST.c.job, job_ids),
    )


def _utterance(row: Any, place: Place, parts: _Parts, cut_off: bool) -> UtteranceRecord:
    transcripts = tuple(
        TranscriptRecord(t.text, t.final, t.language, t.model, t.processing_ms, t.average_logprob)
        for t in parts.transcripts.get(row.id, ())
    )
    intents = parts.intents.get(row.id)
    jobs = tuple(_job(job, parts, cut_off) for job in parts.jobs.get(row.id, ()))
    return UtteranceRecord(
        id=row.id, session=row.session, turn=row.turn, source=row.source,
        state="interrupted" if cut_off else row.state, repo=row.repo, said=row.said,
        accepted=row.accepted, started=row.started, ended=row.ended,
        text=next((t.text for t in reversed(transcripts) if t.final), ""),
        audio=place.recordings / row.audio if row.audio else None, audio_sha256=row.audio_sha256,
        duration_s=row.duration_s, speech_start=row.speech_start, speech_end=row.speech_end,
        transcripts=transcripts, intent=_intent(intents[-1]) if intents else None, jobs=jobs,
    )  # fmt: skip


def _intent(row: Any) -> IntentRecord:
    return IntentRecord(row.kind, row.action, row.risk, json.loads(row.body), row.processing_ms)


def _job(row: Any, parts: _Parts, cut_off: bool) -> JobRecord:
    costs = parts.costs.get(row.id, ())
    return JobRecord(
        number=row.number, title=row.title,
        state="interrupted" if cut_off and row.state == "running" else row.state,
        ok=row.ok, started=row.started, ended=row.ended, summary=row.summary, detail=row.detail,
        changed=tuple(json.loads(row.changed)), checkpoint_before=row.checkpoint_before,
        checkpoint_after=row.checkpoint_after, coding_session=row.coding_session,
        permissions=tuple(
            PermissionRecord(
                p.question, p.kind, p.text, p.detail, p.risk, p.asked, p.answer, p.choice, p.answered_by,
                p.answered,
            )
            for p in parts.permissions.get(row.id, ())
        ),
        cost_usd=sum(cost.usd for cost in costs),
        input_tokens=sum(cost.input_tokens for cost in costs),
        output_tokens=sum(cost.output_tokens for cost in costs),
    )  # fmt: skip


async def events(connection: AsyncConnection, utterance: int) -> list[EventRecord]:
    """See `Journal.events`."""
    rows = await connection.execute(
        select(_EVENT).where(_EVENT.c.utterance == utterance).order_by(_EVENT.c.wall, _EVENT.c.seq)
    )
    return [
        EventRecord(
            e.session, e.seq, e.at, e.wall, e.sample, e.name, json.loads(e.body), e.cause, e.generation
        )
        for e in rows
    ]


async def envelopes(connection: AsyncConnection, session: str) -> list[Envelope]:
    """See `Journal.envelopes`."""
    rows = await connection.execute(select(_EVENT).where(_EVENT.c.session == session).order_by(_EVENT.c.seq))
    return [
        Envelope(e.seq, e.at, decode(e.name, e.body), e.sample, e.cause, e.generation, e.wall) for e in rows
    ]
