"""Rows of sessions."""

from __future__ import annotations

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from mybro.journal.tables import SessionRow


async def begin(connection: AsyncConnection, session: str, repo: str, wall: float, version: str) -> None:
    row = SessionRow(id=session, started=wall, repo=repo, version=version)
    await connection.execute(insert(SessionRow), row.model_dump())


async def end(connection: AsyncConnection, session: str, wall: float) -> None:
    await connection.execute(
        update(SessionRow).where(col(SessionRow.id) == session).values(ended=wall, clean=True)
    )
