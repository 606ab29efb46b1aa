"""Deleting, so that the words are really gone: rows, recordings, log, free pages and copies."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy import delete as remove
from sqlalchemy.ext.asyncio import AsyncConnection

from mybro.journal import sound
from mybro.journal.place import Place
from mybro.journal.records import ENDS, Deletion
from mybro.journal.rows import table
from mybro.journal.tables import CostRow, EventRow, JobRow, PermissionRow, SessionRow, UtteranceRow
from mybro.journal.writer import Writer

_SESSION = table(SessionRow)
_UTTERANCE = table(UtteranceRow)
_JOB = table(JobRow)
_PERMISSION = table(PermissionRow)
_COST = table(CostRow)
_EVENT = table(EventRow)

GROUP = 100
"""Utterances deleted at a time, so that new ones never wait long."""
CHECKPOINT_TRIES = 8
ORPHAN_AGE_S = 86_400.0
"""A recording without a row is that of a crash only if it is not just being written."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which utterances to delete."""

    ids: tuple[int, ...] = ()
    older_than: float | None = None
    everything: bool = False


async def delete(writer: Writer, place: Place, chosen: Chosen) -> Deletion:
    """See `Journal.delete`."""
    rows, busy = await writer.write(lambda connection: _choose(connection, place, chosen))
    await _delete(writer, place, rows)
    if chosen.everything:
        await writer.write(lambda connection: _delete_rest(connection, place))
        await asyncio.to_thread(_erase_orphans, place, set(), None)
    left = await _compact(writer, place)
    for path in (*place.copies(), *(place.set_aside() if chosen.everything else ())):
        path.unlink(missing_ok=True)
    found = {row.id for row in rows} | set(busy)
    missing = tuple(number for number in chosen.ids if number not in found)
    return Deletion(len(rows), busy, missing, (*left, *place.set_aside()))


async def prune(writer: Writer, place: Place, before: float, wall: float) -> int:
    """See `Journal.prune`: what was said before `before`, seconds since 1970."""
    rows, _ = await writer.write(lambda connection: _choose(connection, place, Chosen(older_than=before)))
    await _delete(writer, place, rows)
    kept = await writer.write(lambda connection: _delete_silent_sessions(connection, place, before))
    await asyncio.to_thread(_erase_orphans, place, kept, wall - ORPHAN_AGE_S)
    for path in (*place.copies(), *place.set_aside()):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
    return len(rows)


async def _choose(
    connection: AsyncConnection, place: Place, chosen: Chosen
) -> tuple[list[Any], tuple[int, ...]]:
    """The rows to delete, and the numbers of those that a running session still works on."""
    statement = select(_UTTERANCE.c.id, _UTTERANCE.c.session, _UTTERANCE.c.audio, _UTTERANCE.c.state)
    if not chosen.everything:
        wanted: ColumnElement[bool] = _UTTERANCE.c.id.in_(chosen.ids)
        if chosen.older_than is not None:
            wanted |= _UTTERANCE.c.said < chosen.older_than
        statement = statement.where(wanted)
    rows = (await connection.execute(statement)).all()
    open_sessions = {row.session for row in rows if row.state not in ENDS}
    live = {session for session in open_sessions if place.is_live(session)}
    busy = {row.id for row in rows if row.state not in ENDS and row.session in live}
    return [row for row in rows if row.id not in busy], tuple(sorted(busy))


async def _delete(writer: Writer, place: Place, rows: Sequence[Any]) -> None:
    """Recordings first: were this cut short, the entry is still listed and can be deleted again."""
    for start in range(0, len(rows), GROUP):
        group = rows[start : start + GROUP]
        await asyncio.to_thread(_erase, place, [row.audio for row in group if row.audio])
        await writer.write(partial(_delete_rows, place=place, rows=group))


def _erase(place: Place, paths: Sequence[str]) -> None:
    for path in paths:
        sound.erase(place.recordings, path)


async def _delete_rows(connection: AsyncConnection, place: Place, rows: Sequence[Any]) -> None:
    ids = [row.id for row in rows]
    await connection.execute(remove(_UTTERANCE).where(_UTTERANCE.c.id.in_(ids)))
    # What belongs to no utterance may still quote one, such as a sentence that was spoken in reply.
    for session in {row.session for row in rows}:
        for loose in (
            remove(_EVENT).where(_EVENT.c.utterance.is_(None), _EVENT.c.session == session),
            remove(_PERMISSION).where(_PERMISSION.c.job.is_(None), _PERMISSION.c.session == session),
            remove(_JOB).where(_JOB.c.utterance.is_(None), _JOB.c.session == session),
        ):
            await connection.execute(loose)
        left = select(_UTTERANCE.c.id).where(_UTTERANCE.c.session == session).limit(1)
        if (await connection.execute(left)).first() is None and not place.is_live(session):
            await _delete_sessions(connection, place, [session])


async def _delete_sessions(connection: AsyncConnection, place: Place, sessions: Sequence[str]) -> None:
    await connection.execute(remove(_SESSION).where(_SESSION.c.id.in_(sessions)))
    for session in sessions:
        place.forget_session(session)


async def _delete_rest(connection: AsyncConnection, place: Place) -> None:
    """What is left when no utterance is: sessions in which nothing was said, and costs."""
    await connection.execute(remove(_COST))
    await _delete_silent_sessions(connection, place, None)


async def _delete_silent_sessions(
    connection: AsyncConnection, place: Place, before: float | None
) -> set[str]:
    """Delete sessions without an utterance; returns the recordings that belong to one."""
    silent = _SESSION.c.id.not_in(select(_UTTERANCE.c.session))
    statement = select(_SESSION.c.id).where(silent)
    if before is not None:
        statement = statement.where(_SESSION.c.started < before)
    found = (await connection.execute(statement)).scalars()
    await _delete_sessions(connection, place, [session for session in found if not place.is_live(session)])
    paths = await connection.execute(select(_UTTERANCE.c.audio).where(_UTTERANCE.c.audio.is_not(None)))
    return set(paths.scalars())


def _erase_orphans(place: Place, kept: set[str], before: float | None) -> None:
    """Remove recordings without a row: their session was killed between recording and commit."""
    for path in place.recordings.glob("*/*"):
        name = str(path.relative_to(place.recordings))
        with contextlib.suppress(FileNotFoundError):
            if name not in kept and (before is None or path.stat().st_mtime < before):
                sound.erase(place.recordings, name)


async def _compact(writer: Writer, place: Place) -> tuple[Path, ...]:
    """Rewrite the database and empty its log; returns the log where another process keeps it open."""

    async def run(connection: AsyncConnection, statement: str) -> Any:
        # On the driver itself: SQLAlchemy would begin a transaction, and VACUUM cannot run in one.
        driver: Any = (await connection.get_raw_connection()).driver_connection
        async with driver.execute(statement) as cursor:
            return await cursor.fetchone()

    await writer.alone(partial(run, statement="VACUUM"))
    for _ in range(CHECKPOINT_TRIES):
        busy, _, _ = await writer.alone(partial(run, statement="PRAGMA wal_checkpoint(TRUNCATE)"))
        if not busy:
            return ()
    return tuple(path for path in place.files() if path.name.endswith("-wal"))
