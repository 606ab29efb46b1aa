"""The journal without a session: open it, read it, delete from it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from mybro.config import JournalSettings, data_dir
from mybro.errors import JournalError, Problem
from mybro.events import AudioBlock, Envelope
from mybro.journal import sound
from mybro.journal.place import Place
from mybro.journal.prepare import prepare
from mybro.journal.records import (
    DayCost,
    Deletion,
    EventRecord,
    Filter,
    JobCost,
    SessionCost,
    UtteranceRecord,
)

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from mybro.journal.writer import Writer

T = TypeVar("T")

CLOSE_WITHIN_S = 1.9
DAY_S = 86_400.0

_HEAVY = ("database", "derive", "forget", "recovery", "sessions", "writer")
"""What imports SQLAlchemy, and so is imported when a journal is opened and not before."""


class Archive:
    """One process's hand on the journal; several processes may have theirs on the same one."""

    def __init__(
        self,
        place: Place,
        settings: JournalSettings,
        wall: Callable[[], float],
        engine: AsyncEngine,
        writer: Writer,
        notice: Problem | None,
    ) -> None:
        self.place = place
        self.notice = notice
        """What a person should hear about the opening: a damaged journal was set aside."""
        self._settings = settings
        self._wall = wall
        self._engine = engine
        self._writer = writer
        self._closed = False
        self._reads = 0
        self._unread = asyncio.Event()
        self._unread.set()

    @classmethod
    async def open(
        cls,
        path: Path | None = None,
        settings: JournalSettings | None = None,
        wall: Callable[[], float] = time.time,
    ) -> Self:
        """Open, create or migrate the journal at `path` (default: in the data folder).

        `wall` gives seconds since 1970. Raises `JournalError`.
        """
        place = Place(path or data_dir() / "journal.db")
        notice, _ = await asyncio.gather(
            asyncio.to_thread(prepare, place, wall()), asyncio.to_thread(_import_heavy)
        )
        from mybro.journal import database, faults
        from mybro.journal.writer import Writer

        engine = database.engine(place.database)
        try:
            connection = await database.writer_connection(engine)
        except BaseException as error:
            await engine.dispose()
            if not isinstance(error, Exception):
                raise
            raise faults.from_sqlite(error, place.database) from None
        writer = Writer(connection, place.database)
        return cls(place, settings or JournalSettings(), wall, engine, writer, notice)

    async def recent(self, limit: int = 20, wanted: Filter | None = None) -> list[UtteranceRecord]:
        """The newest utterances that pass the filter, newest first. Raises `JournalError`, as all below."""
        from mybro.journal import queries

        return await self._read(
            lambda connection: queries.utterances(connection, self.place, limit, wanted or Filter())
        )

    async def utterance(self, utterance: int) -> UtteranceRecord:
        """One utterance; a number that the journal does not know is an error."""
        found = await self.recent(1, Filter(ids=(utterance,), wordless=True))
        if not found:
            raise JournalError(
                "no_such_utterance", f"there is no #{utterance}", hint="`mybro history` lists what there is"
            )
        return found[0]

    async def events(self, utterance: int) -> list[EventRecord]:
        """All that was logged about an utterance, in order."""
        from mybro.journal import queries

        return await self._read(lambda connection: queries.events(connection, utterance))

    async def envelopes(self, session: str) -> list[Envelope]:
        """A session's whole log as events again (with zeros for sound), for a replay.

        An event that this version does not know is an error.
        """
        from mybro.journal import queries

        return await self._read(lambda connection: queries.envelopes(connection, session))

    async def recording(self, utterance: UtteranceRecord) -> AudioBlock:
        """An utterance's sound, from sample 0. It is an error where there is none, or it is damaged."""
        if utterance.audio is None:
            reason = "was typed" if utterance.source == "typed" else "was kept without its sound"
            raise JournalError("no_recording", f"#{utterance.id} {reason}")
        return await asyncio.to_thread(sound.load, utterance.audio, utterance.audio_sha256)

    async def costs(self, since: float = 0.0) -> list[DayCost]:
        """Cost by day, oldest first, from the day that holds `since` (seconds since 1970)."""
        from mybro.journal import costs

        return await self._read(lambda connection: costs.by_day(connection, since))

    async def session_costs(self, since: float = 0.0) -> list[SessionCost]:
        """Cost by coding session, the one that spent last at the end."""
        from mybro.journal import costs

        return await self._read(lambda connection: costs.by_session(connection, since))

    async def job_costs(self, since: float = 0.0) -> list[JobCost]:
        """Cost by job, oldest first."""
        from mybro.journal import costs

        return await self._read(lambda connection: costs.by_job(connection, since))

    async def delete(
        self, ids: Sequence[int] = (), *, older_than: float | None = None, everything: bool = False
    ) -> Deletion:
        """Delete utterances with all that belongs to them, so that no file of the journal holds a word.

        By number, by age (said before `older_than`, seconds since 1970), or everything. What a running
        session still works on is left alone. What they cost stays in the totals, unless everything goes.
        """
        from mybro.journal import forget

        chosen = forget.Chosen(tuple(ids), older_than, everything)
        return await forget.delete(self._writer, self.place, chosen)

    async def prune(self, retention_days: int) -> int:
        """Delete what was said more than so many days ago (0 keeps all); returns how much that was.

        It makes way for new entries again and again, and leaves the file's size as it is.
        """
        from mybro.journal import forget

        if retention_days <= 0:
            return 0
        now = self._wall()
        return await forget.prune(self._writer, self.place, now - retention_days * DAY_S, now)

    async def aclose(self) -> None:
        """Write what waits and let go of everything, within two seconds."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._writer.aclose()
                # A connection that comes back to a pool which is disposed of already is never closed.
                await self._unread.wait()
                await self._engine.dispose()

    async def _read(self, query: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        from sqlalchemy.exc import DBAPIError

        from mybro.journal import faults

        if self._closed:
            raise JournalError("journal_closed", "the journal is closed")
        self._reads += 1
        self._unread.clear()
        try:
            async with self._engine.connect() as connection:
                return await query(connection)
        except DBAPIError as error:
            raise faults.from_sqlite(error, self.place.database) from None
        finally:
            self._reads -= 1
            if not self._reads:
                self._unread.set()


def _import_heavy() -> None:
    for name in _HEAVY:
        importlib.import_module(f"mybro.journal.{name}")
