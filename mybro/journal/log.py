"""The append-only log of events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.dialects.sqlite import insert as upsert

from mybro.events import Envelope
from mybro.journal.codec import encode
from mybro.journal.rows import Here, table
from mybro.journal.tables import EventRow, JobRow, PermissionRow, UtteranceRow

_UTTERANCE = table(UtteranceRow)
_JOB = table(JobRow)
_PERMISSION = table(PermissionRow)
_EVENT = table(EventRow)


def _log_statement(owner: Any) -> Any:
    values: dict[str, Any] = {column.name: bindparam(column.name) for column in _EVENT.columns}
    return upsert(EventRow).values(values | {"utterance": owner}).on_conflict_do_nothing()


_SESSION: BindParameter[str] = bindparam("session")
_OWNER: BindParameter[int] = bindparam("owner")
_LOG = {
    "turn": _log_statement(
        select(_UTTERANCE.c.id)
        .where(_UTTERANCE.c.session == _SESSION, _UTTERANCE.c.turn == _OWNER)
        .scalar_subquery()
    ),
    "job": _log_statement(
        select(_JOB.c.utterance).where(_JOB.c.session == _SESSION, _JOB.c.number == _OWNER).scalar_subquery()
    ),
    "question": _log_statement(
        select(_JOB.c.utterance)
        .join(_PERMISSION, _PERMISSION.c.job == _JOB.c.id)
        .where(_PERMISSION.c.session == _SESSION, _PERMISSION.c.question == _OWNER)
        .scalar_subquery()
    ),
    "cause": _log_statement(
        select(_EVENT.c.utterance)
        .where(_EVENT.c.session == _SESSION, _EVENT.c.seq == _OWNER)
        .scalar_subquery()
    ),
}
"""By what an event is tied to its utterance, the most direct first."""


async def log(here: Here, envelope: Envelope, wall: float) -> bool:
    """Append to the log; False where the event is there already."""
    event = envelope.event
    tie = next((name for name in ("turn", "job", "question") if hasattr(event, name)), "cause")
    values = {
        "session": here.session,
        "seq": envelope.seq,
        "at": envelope.at,
        "wall": wall,
        "sample": envelope.sample,
        "name": type(event).__name__,
        "body": encode(event),
        "cause": envelope.cause,
        "generation": envelope.generation,
        "turn": getattr(event, "turn", None),
        "owner": envelope.cause if tie == "cause" else getattr(event, tie),
    }
    return bool((await here.connection.execute(_LOG[tie], values)).rowcount)
