"""What sessions left undone when they were killed."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from mybro.errors import JournalError
from mybro.journal import queries, work
from mybro.journal.place import Place
from mybro.journal.records import ENDS, Filter, Unfinished
from mybro.journal.rows import Here, table
from mybro.journal.tables import EventRow, JobRow, PermissionRow, SessionRow, UtteranceRow

_UTTERANCE = table(UtteranceRow)
_EVENT = table(EventRow)


async def unfinished(connection: AsyncConnection, place: Place, wall: float) -> list[Unfinished]:
    """See `Journal.unfinished`."""
    rows = await connection.execute(
        select(_UTTERANCE.c.id, _UTTERANCE.c.session, _UTTERANCE.c.state, col(SessionRow.clean))
        .join(SessionRow, col(SessionRow.id) == _UTTERANCE.c.session)
        .where(_UTTERANCE.c.state.not_in(ENDS))
        .order_by(_UTTERANCE.c.id)
    )
    # A session that ended in order has dealt with everything short of what it had accepted.
    open_ones = [row for row in rows if not row.clean or row.state in ("accepted", "started")]
    live = {session: place.is_live(session) for session in {row.session for row in open_ones}}
    open_ones = [row for row in open_ones if not live[row.session]]
    started = {row.id for row in open_ones if row.state == "started"}
    await connection.execute(
        update(UtteranceRow).where(col(UtteranceRow.id).in_(started)).values(state="interrupted", ended=wall)
    )
    await _close_sessions(connection, place, wall)
    wanted = Filter(ids=tuple(row.id for row in open_ones), wordless=True)
    found = await queries.utterances(connection, place, len(open_ones), wanted)
    return [Unfinished(utterance, offered=utterance.id not in started) for utterance in reversed(found)]


async def _close_sessions(connection: AsyncConnection, place: Place, wall: float) -> None:
    """Write down that sessions were cut off, with the time of their last sign of life."""
    for session in await queries.cut_off_sessions(connection, place):
        last = select(func.max(_EVENT.c.wall)).where(_EVENT.c.session == session).scalar_subquery()
        await connection.execute(
            update(SessionRow)
            .where(col(SessionRow.id) == session)
            .values(ended=func.coalesce(last, col(SessionRow.started)))
        )
        await work.cut_off(Here(connection, session, ""))
        await connection.execute(
            update(JobRow)
            .where(col(JobRow.session) == session, col(JobRow.state) == "running")
            .values(state="interrupted", ended=wall)
        )
        await connection.execute(
            update(PermissionRow)
            .where(col(PermissionRow.session) == session, col(PermissionRow.answer).is_(None))
            .values(answer="withdrawn", answered=wall)
        )
        place.forget_session(session)


async def adopt(
    connection: AsyncConnection, place: Place, utterance: int, session: str, turn: int, wall: float
) -> None:
    """See `Journal.adopt`."""
    await _check_open(connection, place, utterance)
    taken = select(_UTTERANCE.c.id).where(_UTTERANCE.c.session == session, _UTTERANCE.c.turn == turn)
    if (await connection.execute(taken)).first() is not None:
        raise JournalError("turn_taken", "a turn can take over one utterance only")
    await connection.execute(
        update(UtteranceRow)
        .where(col(UtteranceRow.id) == utterance)
        .values(session=session, turn=turn, state="accepted", accepted=wall, ended=None)
    )
    await connection.execute(
        update(EventRow)
        .where(
            col(EventRow.session) == session, col(EventRow.turn) == turn, col(EventRow.utterance).is_(None)
        )
        .values(utterance=utterance)
    )


async def discard(connection: AsyncConnection, place: Place, utterance: int, wall: float) -> None:
    """See `Journal.discard`."""
    await _check_open(connection, place, utterance)
    await connection.execute(
        update(UtteranceRow)
        .where(col(UtteranceRow.id) == utterance, col(UtteranceRow.state) != "interrupted")
        .values(state="dropped", ended=wall)
    )


async def _check_open(connection: AsyncConnection, place: Place, utterance: int) -> None:
    found = await connection.execute(
        select(_UTTERANCE.c.state, _UTTERANCE.c.session).where(_UTTERANCE.c.id == utterance)
    )
    row = found.one_or_none()
    if row is None or (row.state in ENDS and row.state != "interrupted") or place.is_live(row.session):
        raise JournalError("not_unfinished", f"#{utterance} is not waiting to be taken up again")
