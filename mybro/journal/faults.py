"""What can go wrong with a file on a disk, as sentences."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from mybro.errors import JournalError

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PRIMARY = 0xFF
"""The lower byte of an extended SQLite result code is the primary one."""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says that the file itself is broken, not its surroundings."""
    return _primary(error) in _DAMAGED


def is_busy(error: BaseException) -> bool:
    """Whether another process held the lock; `error` may be SQLAlchemy's."""
    return _primary(getattr(error, "orig", None) or error) == sqlite3.SQLITE_BUSY


def from_sqlite(error: BaseException, path: Path) -> JournalError:
    """A `JournalError` for what SQLite or SQLAlchemy raised; never holds statement or parameters."""
    cause = getattr(error, "orig", None) or error
    match _primary(cause):
        case sqlite3.SQLITE_FULL:
            return _disk_full(path)
        case sqlite3.SQLITE_READONLY:
            return _read_only(path)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return JournalError(
                "journal_busy", f"another program keeps {path} locked", hint="Try again", retryable=True
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return JournalError(
                "journal_damaged", f"{path} is damaged",
                hint="End every running mybro and start again: the file is set aside and a new one begun",
            )  # fmt: skip
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return _unreachable(path)
    name = getattr(cause, "sqlite_errorname", type(cause).__name__)
    return JournalError("journal_failed", f"{path} could not be used ({name})", hint="Check the disk")


def from_os(error: OSError, path: Path) -> JournalError:
    """A `JournalError` for what the file system refused."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return _disk_full(path)
        case errno.EROFS:
            return _read_only(path)
        case errno.EACCES | errno.EPERM | errno.ENOTDIR | errno.EEXIST:
            return _unreachable(path)
    reason = error.strerror or type(error).__name__
    return JournalError("journal_failed", f"{path} could not be used ({reason})", hint="Check the disk")


def _primary(error: BaseException) -> int:
    return int(getattr(error, "sqlite_errorcode", None) or 0) & _PRIMARY


def _disk_full(path: Path) -> JournalError:
    return JournalError(
        "journal_disk_full", f"the disk that holds {path} is full",
        hint="Free some space; `mybro history delete --older-than 30d` helps too", retryable=True,
    )  # fmt: skip


def _read_only(path: Path) -> JournalError:
    return JournalError(
        "journal_read_only",
        f"{path} cannot be written",
        hint="Make its folder writable, or set MYBRO_DATA_DIR",
    )


def _unreachable(path: Path) -> JournalError:
    return JournalError(
        "journal_unreachable", f"{path} cannot be opened", hint="Check its folder, or set MYBRO_DATA_DIR"
    )
