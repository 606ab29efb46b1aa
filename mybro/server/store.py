"""The API's own tables, in SQLite or PostgreSQL: what was transcribed for clients, and the intents kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Column, DateTime, delete, event, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Field, SQLModel

from mybro.config import data_dir
from mybro.errors import ServerError

DAY_S = 86_400.0


class TranscriptionLog(SQLModel, table=True):
    """One final text that a client's sound became."""

    __tablename__ = "transcription_log"
    id: int | None = Field(default=None, primary_key=True)
    session_id: str = Field(index=True)
    """The client's connection, or request."""
    model_id: str
    content: str
    latency_ms: float
    """From the request to the answer."""
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), index=True, nullable=False))


class KeptIntent(SQLModel, table=True):
    """What a sentence was understood as, by the hash of the sentence and what it was said in."""

    __tablename__ = "kept_intent"
    key: str = Field(primary_key=True)
    body: str
    expires: float = Field(index=True)
    """Seconds since 1970."""


_TABLES = [SQLModel.metadata.tables[name] for name in ("transcription_log", "kept_intent")]


class Store:
    """Opened with `open`; every method raises `ServerError` store_failed where the database does."""

    def __init__(self, engine: AsyncEngine, wall: Callable[[], float]) -> None:
        self._engine, self._wall = engine, wall

    @classmethod
    async def open(
        cls, url: str | None = None, *, retention_days: int = 0, wall: Callable[[], float] = time.time
    ) -> Self:
        """Open or create the tables; what is older than the retention (0 keeps all) is deleted."""
        try:
            store = cls(_engine(url), wall)
            await store._prepare(retention_days)
        except (SQLAlchemyError, ServerError, ModuleNotFoundError, OSError) as error:
            where = "the database of server.database_url" if url else "server.db"
            raise ServerError("store_failed", f"{where} cannot be used ({type(error).__name__})") from None
        return store

    async def _prepare(self, retention_days: int) -> None:
        async with self._engine.begin() as connection:
            await connection.run_sync(
                lambda sync: SQLModel.metadata.create_all(sync, tables=_TABLES, checkfirst=True)
            )
        await self.prune(retention_days)

    async def prune(self, retention_days: int) -> int:
        """Delete what is older than the retention (0 keeps all) or has expired; tells how many rows."""
        logged, kept = _TABLES
        oldest = datetime.fromtimestamp(self._wall() - retention_days * DAY_S, UTC)
        gone = 0
        if retention_days:
            gone += await self._write(delete(logged).where(logged.c.created_at < oldest))
        return gone + await self._write(delete(kept).where(kept.c.expires < self._wall()))

    async def log(self, session_id: str, model_id: str, content: str, latency_ms: float) -> None:
        """Keep one transcription."""
        row = {
            "session_id": session_id, "model_id": model_id, "content": content,
            "latency_ms": round(latency_ms, 1), "created_at": datetime.fromtimestamp(self._wall(), UTC),
        }  # fmt: skip
        await self._write(_TABLES[0].insert().values(row))

    async def logs(
        self, limit: int, before: int | None = None, session_id: str | None = None
    ) -> list[dict[str, Any]]:
        """The newest transcriptions first."""
        table = _TABLES[0]
        statement = select(table).order_by(table.c.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(table.c.id < before)
        if session_id is not None:
            statement = statement.where(table.c.session_id == session_id)
        rows = await self._read(statement)
        # SQLite forgets the zone.
        return [{**row, "created_at": row["created_at"].replace(tzinfo=UTC)} for row in rows]

    async def forget_logs(self, before: float | None = None) -> None:
        """Delete what was transcribed for clients, or what of it is older than that (seconds since 1970)."""
        statement = delete(_TABLES[0])
        if before is not None:
            statement = statement.where(_TABLES[0].c.created_at < datetime.fromtimestamp(before, UTC))
        await self._write(statement)

    async def compact(self) -> None:
        """Leave nothing of what was deleted in SQLite's own log beside the database."""
        if self._engine.dialect.name == "sqlite":
            async with self._engine.connect() as connection:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    async def get(self, key: str) -> str | None:
        """A kept intent that has not expired."""
        kept = _TABLES[1]
        rows = await self._read(select(kept.c.body).where(kept.c.key == key, kept.c.expires > self._wall()))
        return rows[0]["body"] if rows else None

    async def put(self, key: str, body: str, ttl_s: float) -> None:
        kept = _TABLES[1]
        try:
            async with self._engine.begin() as connection:
                await connection.execute(delete(kept).where(kept.c.key == key))
                await connection.execute(
                    kept.insert().values(key=key, body=body, expires=self._wall() + ttl_s)
                )
        except DBAPIError as error:
            raise _failed(error) from None

    async def clear(self) -> None:
        """Forget every intent."""
        await self._write(delete(_TABLES[1]))

    async def aclose(self) -> None:
        await self._engine.dispose()

    async def _write(self, statement: Any) -> int:
        try:
            async with self._engine.begin() as connection:
                return int((await connection.execute(statement)).rowcount)
        except DBAPIError as error:
            raise _failed(error) from None

    async def _read(self, statement: Any) -> list[dict[str, Any]]:
        try:
            async with self._engine.connect() as connection:
                return [dict(row) for row in (await connection.execute(statement)).mappings()]
        except DBAPIError as error:
            raise _failed(error) from None


def _engine(url: str | None) -> AsyncEngine:
    if url is not None:
        # Of the ways to PostgreSQL only asyncpg is one of ours.
        return create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1), pool_pre_ping=True
        )
    place = data_dir() / "server.db"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch(mode=0o600, exist_ok=True)
    engine = create_async_engine(f"sqlite+aiosqlite:///{place}")

    @event.listens_for(engine.sync_engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "busy_timeout=5000", "synchronous=NORMAL", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _failed(error: DBAPIError) -> ServerError:
    return ServerError("store_failed", f"the database failed ({type(error.orig).__name__})", retryable=True)
