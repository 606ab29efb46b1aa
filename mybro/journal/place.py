"""Where the journal lies: the database, its recordings, and who is using it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mybro.errors import JournalError

LOCK_TIMEOUT_S = 15.0
_LOCK_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Place:
    """The journal's files, all in one folder that only its owner may read."""

    database: Path

    @property
    def root(self) -> Path:
        return self.database.parent

    @property
    def recordings(self) -> Path:
        """FLAC files, `<session>/<turn>.flac`."""
        return self.root / "recordings"

    @property
    def sessions(self) -> Path:
        """One locked file for each session that is running."""
        return self.root / "sessions"

    def files(self) -> tuple[Path, ...]:
        """The database with its write-ahead log and shared memory; those that exist."""
        names = (self.database.name + tail for tail in ("", "-wal", "-shm"))
        return tuple(path for name in names if (path := self.root / name).exists())

    def copies(self) -> tuple[Path, ...]:
        """Backups from before a migration."""
        return tuple(sorted(self.root.glob(f"{self.database.stem}-before-v*.db")))

    def set_aside(self) -> tuple[Path, ...]:
        """Damaged databases."""
        return tuple(sorted(self.root.glob(f"{self.database.stem}-damaged-*")))

    def make(self) -> None:
        """Create folder and database file, readable by their owner alone.

        SQLite gives its log the database's permissions, so the database is created here and not by it.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.recordings, self.sessions):
            folder.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.database, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock under which the database is created, migrated or set aside. Blocks.

        Raises `JournalError` where another process holds it for longer than LOCK_TIMEOUT_S.
        """
        lock = os.open(self.root / f"{self.database.stem}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            deadline = time.monotonic() + LOCK_TIMEOUT_S
            while not _try_lock(lock, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise JournalError(
                        "journal_busy",
                        "another mybro is preparing the journal and does not finish",
                        hint="Wait, or end it",
                        retryable=True,
                    )
                time.sleep(_LOCK_POLL_S)
            yield
        finally:
            os.close(lock)

    def is_live(self, session: str) -> bool:
        """Whether the process of a session still runs, here or elsewhere on this machine."""
        try:
            lock = os.open(self.sessions / f"{session}.lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _try_lock(lock, fcntl.LOCK_SH)
        finally:
            os.close(lock)

    def anyone_live(self) -> bool:
        """Whether any session runs; for when the database cannot be asked."""
        return any(self.is_live(path.stem) for path in self.sessions.glob("*.lock"))

    def forget_session(self, session: str) -> None:
        """Remove the lock file that a killed session left behind."""
        (self.sessions / f"{session}.lock").unlink(missing_ok=True)


class SessionLock:
    """Held as long as a session runs. The kernel lets go of it when the process dies, by whatever means."""

    def __init__(self, place: Place, session: str) -> None:
        self._path = place.sessions / f"{session}.lock"
        self._file: int | None = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def release(self) -> None:
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None


def _try_lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
