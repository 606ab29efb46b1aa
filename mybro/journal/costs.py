"""What was spent: by day, by coding session, by job."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mybro.journal.records import DayCost, JobCost, SessionCost
from mybro.journal.rows import table
from mybro.journal.tables import CostRow, JobRow

_COST = table(CostRow)
_JOB = table(JobRow)
_SUMS = (
    func.sum(_COST.c.usd), func.sum(_COST.c.input_tokens), func.sum(_COST.c.output_tokens),
    func.sum(_COST.c.seconds), func.count(),
)  # fmt: skip


async def by_day(connection: AsyncConnection, since: float) -> list[DayCost]:
    """See `Archive.costs`."""
    recent = _COST.c.day >= _day(since)
    rows = select(_COST.c.day, *_SUMS).where(recent).group_by(_COST.c.day).order_by(_COST.c.day)
    return [DayCost(*row) for row in await connection.execute(rows)]


async def by_session(connection: AsyncConnection, since: float) -> list[SessionCost]:
    """See `Archive.session_costs`."""
    keys = (_COST.c.repo, _COST.c.agent, _COST.c.coding_session)
    rows = select(*keys, func.min(_COST.c.day), func.max(_COST.c.day), *_SUMS)
    rows = rows.where(_COST.c.day >= _day(since)).group_by(*keys).order_by(func.max(_COST.c.id))
    return [SessionCost(*row) for row in await connection.execute(rows)]


async def by_job(connection: AsyncConnection, since: float) -> list[JobCost]:
    """See `Archive.job_costs`."""
    rows = (
        select(
            _COST.c.day, _JOB.c.utterance, _JOB.c.title, _COST.c.repo, _COST.c.agent, _COST.c.coding_session,
            _COST.c.usd, _COST.c.input_tokens, _COST.c.output_tokens, _COST.c.seconds,
        )
        .select_from(_COST.outerjoin(_JOB, _COST.c.job == _JOB.c.id))
        .where(_COST.c.day >= _day(since))
        .order_by(_COST.c.id)
    )  # fmt: skip
    return [JobCost(*tuple(row)) for row in await connection.execute(rows)]


def _day(since: float) -> str:
    return datetime.fromtimestamp(since).astimezone().date().isoformat()
