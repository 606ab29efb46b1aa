"""The database of one repository's checkpoints: what every path was, from which checkpoint to which."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mybro.errors import ExecutorError
from mybro.executor.checkpoint.entry import Change, Entry, Kind
from mybro.executor.checkpoint.restore import disk_full
from mybro.executor.checkpoint.scan import Seen

VERSION = 1

_FULL = {errno.ENOSPC, errno.EDQUOT}

_SCHEMA = """
CREATE TABLE blob (digest BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, data BLOB);
CREATE TABLE checkpoint (
    id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT NOT NULL, at REAL NOT NULL,
    git TEXT NOT NULL, unknown BLOB NOT NULL, excluded TEXT NOT NULL);
CREATE TABLE entry (
    path BLOB NOT NULL, kind TEXT NOT NULL, mode INTEGER NOT NULL, data BLOB NOT NULL,
    since INTEGER NOT NULL, until INTEGER, PRIMARY KEY (path, since)) WITHOUT ROWID;
CREATE INDEX entry_since ON entry (since);
CREATE INDEX entry_until ON entry (until);
CREATE TABLE seen (
    path BLOB PRIMARY KEY, size INTEGER, mtime INTEGER, ctime INTEGER, inode INTEGER, mode INTEGER,
    digest BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE step (
    number INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT NOT NULL, before INTEGER NOT NULL, after INTEGER,
    state TEXT NOT NULL, interrupted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE restoring (
    number INTEGER PRIMARY KEY, source INTEGER NOT NULL, target INTEGER NOT NULL, step INTEGER,
    name TEXT NOT NULL, paths BLOB NOT NULL);
CREATE TABLE loosened (path BLOB PRIMARY KEY, mode INTEGER NOT NULL);
"""


@contextlib.contextmanager
def readable_errors(folder: Path) -> Iterator[None]:
    """Turn what the disk and the database report into what a person can act on."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", None)  # only what SQLite itself reports has one
        if code == sqlite3.SQLITE_FULL:
            raise disk_full() from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise ExecutorError(
                "checkpoints_damaged", "the checkpoints of this repository are damaged",
                hint=f"Move {folder} away; what was done so far can then not be undone.",
            ) from error  # fmt: skip
        raise ExecutorError("checkpoint_failed", f"no checkpoint could be made: {error}") from error
    except OSError as error:
        if error.errno in _FULL:
            raise disk_full(error) from error
        raise ExecutorError("checkpoint_failed", f"no checkpoint could be made: {error}") from error


def open_database(file: Path) -> sqlite3.Connection:
    """Open or make it; the caller commits by hand."""
    db = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=30.0)
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA journal_size_limit = 16777216")
    with transaction(db):
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in _SCHEMA.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION:
            db.execute("ROLLBACK")
            db.close()
            raise ExecutorError(
                "checkpoints_newer", "the checkpoints were written by another version of mybro"
            )
    return db


@contextlib.contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def load_latest(db: sqlite3.Connection) -> dict[bytes, Entry]:
    """Every path's state at the newest checkpoint."""
    rows = db.execute("SELECT path, kind, mode, data FROM entry WHERE until IS NULL")
    return {path: Entry(_KINDS[kind], mode, data) for path, kind, mode, data in rows}


def load_seen(db: sqlite3.Connection, latest: Mapping[bytes, Entry]) -> Seen:
    """The known files' stamps."""
    found: Seen = {}
    for path, size, mtime, ctime, inode, mode, digest in db.execute("SELECT * FROM seen"):
        entry = latest.get(path)
        if entry is not None and entry.kind is Kind.FILE and entry.data == digest:
            found[path] = ((size, mtime, ctime, inode, mode), entry)
    return found


def save_entries(
    db: sqlite3.Connection, checkpoint: int, latest: Mapping[bytes, Entry], now: Mapping[bytes, Entry]
) -> None:
    """Write down how the newest checkpoint differs from the one before it."""
    gone = [path for path in latest if path not in now]
    changed = [path for path, entry in now.items() if latest.get(path) != entry]
    db.executemany(
        "UPDATE entry SET until = ? WHERE path = ? AND until IS NULL",
        ((checkpoint, path) for path in (*gone, *(path for path in changed if path in latest))),
    )
    db.executemany(
        "INSERT INTO entry VALUES (?, ?, ?, ?, ?, NULL)",
        ((path, now[path].kind.value, now[path].mode, now[path].data, checkpoint) for path in changed),
    )


def save_seen(db: sqlite3.Connection, fresh: Seen, forgotten: Iterable[bytes]) -> None:
    db.executemany("DELETE FROM seen WHERE path = ?", ((path,) for path in forgotten))
    db.executemany(
        "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((path, *stamp, entry.data) for path, (stamp, entry) in fresh.items()),
    )


def changes_between(db: sqlite3.Connection, before: int, after: int) -> list[Change]:
    """Every path that differs, sorted. `before` must be the older checkpoint."""
    rows = db.execute(
        "SELECT DISTINCT path FROM entry WHERE (since > :b AND since <= :a) OR (until > :b AND until <= :a)",
        {"b": before, "a": after},
    )
    found = []
    for (path,) in rows.fetchall():
        one, other = _at(db, path, before), _at(db, path, after)
        if one != other:
            found.append(Change(path, one, other))
    return sorted(found, key=lambda change: change.path)


def entry_digests(db: sqlite3.Connection) -> set[bytes]:
    """The contents that some path at some checkpoint has."""
    return {row[0] for row in db.execute("SELECT DISTINCT data FROM entry WHERE kind = 'f'")}


def _at(db: sqlite3.Connection, path: bytes, checkpoint: int) -> Entry | None:
    row = db.execute(
        "SELECT kind, mode, data FROM entry WHERE path = ? AND since <= ? AND (until IS NULL OR until > ?)",
        (path, checkpoint, checkpoint),
    ).fetchone()
    return None if row is None else Entry(_KINDS[row[0]], row[1], row[2])


_KINDS = {kind.value: kind for kind in Kind}


def drop_checkpoints(db: sqlite3.Connection, used: set[int]) -> None:
    """Delete the checkpoints that are not used, but for the newest, and what only they refer to."""
    every = [row[0] for row in db.execute("SELECT id FROM checkpoint ORDER BY id")]
    kept = [number for number in every if number in used or number == every[-1]]
    db.executemany("DELETE FROM checkpoint WHERE id = ?", ((n,) for n in every if n not in set(kept)))
    db.execute("CREATE TEMP TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY)")
    db.execute("DELETE FROM kept")
    db.executemany("INSERT INTO kept VALUES (?)", ((n,) for n in kept))
    db.execute(
        "DELETE FROM entry WHERE until IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM kept WHERE id >= entry.since AND id < entry.until)"
    )
