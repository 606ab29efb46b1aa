"""The journal of a running session: what was said is on disk before anything is done with it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mybro import __version__
from mybro.errors import JournalError
from mybro.events import Envelope, SpeechEnded
from mybro.journal import sound
from mybro.journal.archive import Archive
from mybro.journal.codec import is_noise, path_text
from mybro.journal.place import SessionLock
from mybro.journal.records import State, Unfinished

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from mybro.journal.rows import Here

LOG = logging.getLogger(__name__)


class Journal(Archive):
    """An archive that is being written."""

    session: str | None = None
    """The running session's id."""
    repo = ""
    """What is said now is about."""
    _lock: SessionLock | None = None
    _upkeep: asyncio.Task[None] | None = None

    async def begin(self, repo: Path) -> str:
        """Begin a session in a repository, an absolute path; returns its id.

        What is older than the retention allows is deleted in the background. Raises `JournalError`.
        """
        if self.session is not None:
            raise JournalError("session_running", "a session is running already")
        from mybro.journal import faults, sessions

        session, now = uuid.uuid4().hex, self._wall()
        self.switch(repo)
        try:
            lock = SessionLock(self.place, session)
        except OSError as error:
            raise faults.from_os(error, self.place.sessions) from None
        try:
            await self._writer.write(
                lambda connection: sessions.begin(connection, session, self.repo, now, __version__)
            )
        except BaseException:
            lock.release()
            raise
        self._lock, self.session = lock, session
        self._upkeep = asyncio.create_task(self._keep_up(), name="journal upkeep")
        return session

    def switch(self, repo: Path) -> None:
        """What is said from now on is about another repository, an absolute path."""
        self.repo = path_text(repo)

    async def record(self, envelope: Envelope) -> None:
        """Write an event and all that follows from it; returns once it is on disk.

        Concurrent calls share a commit and keep their order. An event whose `seq` is there already is
        ignored, and so are events that change nothing (`codec.is_noise`). Raises `JournalError`; where
        only the recording could not be kept, everything else is on disk all the same.
        """
        here = self._here()
        if is_noise(envelope.event):
            return
        from mybro.journal.derive import apply

        wall = envelope.wall or self._wall()
        recording = self._keep_sound(envelope)

        async def write(connection: AsyncConnection) -> None:
            kept = recording.result() if recording and not recording.exception() else None
            await apply(here(connection), envelope, wall, kept)

        await self._writer.write(write, ready=recording)
        if recording is not None:
            recording.result()

    async def mark(self, turn: int, state: State) -> None:
        """Say how far a turn has come where no event says it: above all `accepted`, `done`, `dropped`.

        Durable when it returns. A state never goes back, so a late mark does nothing. Raises
        `JournalError`.
        """
        here, now = self._here(), self._wall()
        from mybro.journal.utterances import mark

        await self._writer.write(lambda connection: mark(here(connection), turn, state, now))

    async def unfinished(self) -> list[Unfinished]:
        """What sessions that are gone left undone, oldest first. Raises `JournalError`.

        What had started becomes `interrupted`, and is given back only this once; the rest is given back
        until it is adopted or discarded.
        """
        from mybro.journal import recovery

        now = self._wall()
        return await self._writer.write(lambda connection: recovery.unfinished(connection, self.place, now))

    async def adopt(self, utterance: int, turn: int) -> None:
        """Take an unfinished or interrupted utterance over as this session's `turn`, as accepted.

        Raises `JournalError` where another process was quicker, or the turn has an utterance already.
        """
        session, now = self._running(), self._wall()
        from mybro.journal import recovery

        await self._writer.write(
            lambda connection: recovery.adopt(connection, self.place, utterance, session, turn, now)
        )

    async def discard(self, utterance: int) -> None:
        """Drop an unfinished utterance: the person does not want it any more. Raises `JournalError`."""
        from mybro.journal import recovery

        now = self._wall()
        await self._writer.write(lambda connection: recovery.discard(connection, self.place, utterance, now))

    async def aclose(self) -> None:
        """End the session in order and let go of everything, within two seconds."""
        if self._closed:
            return
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.wait([self._upkeep])
        ending = asyncio.create_task(self._end())
        await asyncio.sleep(0)  # so that its write stands in the queue before the queue is closed
        await super().aclose()
        await ending
        if self._lock is not None:
            self._lock.release()

    async def _end(self) -> None:
        from mybro.journal import sessions

        if self.session is None:
            return
        session, now = self.session, self._wall()
        with contextlib.suppress(JournalError):
            await self._writer.write(lambda connection: sessions.end(connection, session, now))

    def _running(self) -> str:
        if self.session is None:
            raise JournalError("no_session", "no session has begun")
        return self.session

    def _here(self) -> Callable[[AsyncConnection], Here]:
        """Session and repository as they are now, whenever the write's turn comes."""
        session, repo = self._running(), self.repo
        from mybro.journal.rows import Here

        return lambda connection: Here(connection, session, repo)

    def _keep_sound(self, envelope: Envelope) -> asyncio.Future[sound.Sound] | None:
        event = envelope.event
        if (
            not isinstance(event, SpeechEnded)
            or not self._settings.keep_audio
            or not event.utterance.audio.pcm
        ):
            return None
        path = f"{self.session}/{event.turn}.flac"
        return asyncio.ensure_future(
            asyncio.to_thread(sound.keep, self.place.recordings, path, event.utterance.audio)
        )

    async def _keep_up(self) -> None:
        """What a session does for the journal while nobody waits for it."""
        try:
            if self._settings.keep_audio:
                await asyncio.to_thread(sound.warm_up)
            await self.prune(self._settings.retention_days)
        except JournalError as error:
            LOG.warning("old entries could not be deleted: %s", error.code)
