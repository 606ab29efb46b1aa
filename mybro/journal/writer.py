"""Group commit: whatever waits to be written when the last commit is done shares the next one."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mybro.errors import JournalError
from mybro.journal import faults

MAX_WAITING = 256
MAX_GROUP = 64
BUSY_TRIES = 40
"""How often another process's lock is waited for; see `database.BUSY_SLICE_S`."""
BUSY_TRIES_AT_END = 3
CLOSE_GRACE_S = 1.5

_DATABASE_ERRORS = (DBAPIError, sqlite3.Error)
"""SQLAlchemy's, and those of the driver where it is used directly."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Write:
    apply: Callable[[AsyncConnection], Awaitable[Any]]
    done: asyncio.Future[Any]
    ready: asyncio.Future[Any] | None
    """Settled, one way or the other, before the transaction begins."""


class Writer:
    """Owns the connection that writes. Writes are committed in the order in which they were asked for."""

    def __init__(self, connection: AsyncConnection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._waiting: asyncio.Queue[_Write | None] = asyncio.Queue(MAX_WAITING)
        self._closing = False
        self._lock = asyncio.Lock()
        self._task = asyncio.create_task(self._run(), name="journal writer")

    async def write(
        self, apply: Callable[[AsyncConnection], Awaitable[T]], *, ready: asyncio.Future[Any] | None = None
    ) -> T:
        """Run `apply` in a transaction; returns its result once that is on disk.

        `ready` is waited for first. Cancelling the caller does not take the write back. Raises
        `JournalError`, or what `apply` raises.
        """
        if self._closing:
            raise _closed()
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._waiting.put(_Write(apply, done, ready))
        if self._task.done():
            raise _closed()
        return await done

    async def alone(self, apply: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Run `apply` between two commits and outside a transaction. Raises `JournalError`."""
        if self._closing:
            raise _closed()
        async with self._lock:
            try:
                return await self._patiently(lambda: apply(self._connection))
            except _DATABASE_ERRORS as error:
                raise faults.from_sqlite(error, self._path) from None

    async def aclose(self) -> None:
        """Commit what waits, within CLOSE_GRACE_S; what cannot be is refused."""
        if self._closing:
            return
        self._closing = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_GRACE_S):
                await self._waiting.put(None)
                await asyncio.shield(self._task)
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._connection.close()

    async def _run(self) -> None:
        group: list[_Write | None] = []
        try:
            while None not in group:
                group = [await self._waiting.get()]
                while len(group) < MAX_GROUP and not self._waiting.empty():
                    group.append(self._waiting.get_nowait())
                await self._commit([write for write in group if write is not None])
        finally:
            while not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            for write in group:
                if write is not None:
                    _settle(write.done, error=_closed())

    async def _commit(self, group: list[_Write]) -> None:
        settled = [write.ready for write in group if write.ready is not None]
        if settled:
            await asyncio.wait(settled)
        try:
            results = await self._transaction(group)
        except Exception as error:
            if len(group) > 1 and not _is_environment(error):
                # One write that cannot be done must not take its neighbours along.
                for write in group:
                    await self._commit([write])
                return
            for write in group:
                _settle(write.done, error=_translated(error, self._path))
        else:
            for write, result in zip(group, results, strict=True):
                _settle(write.done, result=result)

    async def _transaction(self, group: list[_Write]) -> list[Any]:
        async def once() -> list[Any]:
            async with self._connection.begin():
                return [await write.apply(self._connection) for write in group]

        async with self._lock:
            return await self._patiently(once)

    async def _patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        tries = 1
        while True:
            try:
                return await attempt()
            except _DATABASE_ERRORS as error:
                if not faults.is_busy(error) or tries >= (BUSY_TRIES_AT_END if self._closing else BUSY_TRIES):
                    raise
            tries += 1


def _is_environment(error: Exception) -> bool:
    """Whether the disk or a lock is at fault, so that every write of the group would fail alike."""
    return isinstance(error, _DATABASE_ERRORS) and not isinstance(error, IntegrityError)


def _translated(error: Exception, path: Path) -> Exception:
    return faults.from_sqlite(error, path) if isinstance(error, _DATABASE_ERRORS) else error


def _settle(done: asyncio.Future[Any], *, result: Any = None, error: Exception | None = None) -> None:
    if done.done():  # the caller was cancelled, or has its answer
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


def _closed() -> JournalError:
    return JournalError("journal_closed", "the journal is closed")
