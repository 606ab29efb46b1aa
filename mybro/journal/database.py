"""The engine: SQLAlchemy on aiosqlite, and what every connection is told."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

BUSY_READER_S = 5.0
BUSY_SLICE_S = 0.25
"""How long the writer lets SQLite wait for another process's lock: it asks again, and may stop asking."""

_SETTINGS = (
    # An accepted sentence survives a power cut: FULL syncs the log at every commit, where NORMAL would
    # only survive the death of the process. On macOS only a full flush goes past the drive's cache.
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=ON",
    "PRAGMA foreign_keys=ON",
    # What is deleted is overwritten with zeros, and is never spilled into a temporary file.
    "PRAGMA secure_delete=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=4194304",
)

_BEGIN = "mybro_begin"
_NOWHERE = logging.NullHandler()


def engine(path: Path) -> AsyncEngine:
    """An engine for the database at `path`, which exists."""
    # At their finer levels these log parameters and rows, which are what people say.
    for name in ("aiosqlite", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Where a log is kept, it has them; without one, a connection that was not closed in time would be told
    # on a person's terminal with a traceback, as Python does with what no handler takes.
    logging.getLogger("sqlalchemy").addHandler(_NOWHERE)
    made = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        hide_parameters=True,
        pool_size=3,
        max_overflow=0,
        connect_args={"isolation_level": None, "timeout": BUSY_READER_S},
    )
    event.listen(made.sync_engine, "connect", _on_connect)
    event.listen(made.sync_engine, "begin", _on_begin)
    return made


async def writer_connection(made: AsyncEngine) -> AsyncConnection:
    """The one connection that writes. It takes the write lock at the start of each transaction.

    A transaction that begins by reading and then writes would fail at once, without waiting, where
    another process has written in between.
    """
    opening = asyncio.create_task(_writer_connection(made))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # A connection whose opening is broken off belongs to nobody, and is never closed.
        await asyncio.wait([opening])
        if not opening.cancelled() and opening.exception() is None:
            await opening.result().close()
        raise


async def _writer_connection(made: AsyncEngine) -> AsyncConnection:
    connection = await made.connect()
    try:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await (await driver.execute(f"PRAGMA busy_timeout={BUSY_SLICE_S * 1000:.0f}")).close()
        return await connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
    except BaseException:
        await connection.close()
        raise


def _on_connect(connection: Any, _record: object) -> None:
    connection.create_function("casefold", 1, lambda text: (text or "").casefold(), deterministic=True)
    cursor = connection.cursor()
    for setting in _SETTINGS:
        cursor.execute(setting)
    cursor.close()


def _on_begin(connection: Connection) -> None:
    # Python's own transactions are off (isolation_level None), so that this decides how one begins.
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
