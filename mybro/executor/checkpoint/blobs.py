"""The contents that checkpoints keep, each once, found by SHA-256.

Small contents live in the database, so that thousands of them cost one write to disk; large ones are files.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

SMALL = 256 << 10
"""Bytes. Larger contents become files."""

CHUNK = 1 << 20

_SETTLE_S = 0.012
"""A file written this recently may be written again without its time stamp moving (one kernel tick)."""

_TRIES = 6


class RestlessError(Exception):
    """A file that changed during every attempt to read it."""


class TooLargeError(Exception):
    """A file over the limit."""


class Blobs:
    """Inside a database transaction of the caller's: what is added counts once that is committed."""

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self._folder = folder
        self._temporary = folder / "tmp"
        self._temporary.mkdir(parents=True, exist_ok=True)

    def add(self, data: bytes) -> bytes:
        """Keep these bytes; returns their digest."""
        digest = hashlib.sha256(data).digest()
        if len(data) <= SMALL:
            self._db.execute("INSERT OR IGNORE INTO blob VALUES (?, ?, ?)", (digest, len(data), data))
        elif not self._has(digest):
            with self._new_file() as (handle, temporary):
                _write_all(handle, data)
                self._publish(handle, temporary, digest, len(data))
        return digest

    def add_file(self, path: bytes, limit: int) -> tuple[bytes, os.stat_result]:
        """Keep a regular file's bytes, as they were at one moment.

        Raises `RestlessError`, `TooLargeError`, or `OSError` where it is gone, not regular or not readable.
        """
        for attempt in range(_TRIES):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                before = os.fstat(handle)
                if not stat.S_ISREG(before.st_mode):
                    raise FileNotFoundError(path)
                if before.st_size > limit:
                    raise TooLargeError
                if time.time() - before.st_mtime >= _SETTLE_S or attempt == _TRIES - 1:
                    digest = self._copy(handle, before)
                    if digest is not None:
                        return digest, before
            finally:
                os.close(handle)
            time.sleep(_SETTLE_S)
        raise RestlessError

    def read(self, digest: bytes) -> bytes:
        return b"".join(self.chunks(digest))

    def chunks(self, digest: bytes) -> Iterator[bytes]:
        """The contents, in pieces. Raises `KeyError` where they are not kept."""
        row = self._db.execute("SELECT data FROM blob WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            raise KeyError(digest.hex())
        if row[0] is not None:
            yield row[0]
            return
        with self._path(digest).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def size(self, digest: bytes) -> int:
        row = self._db.execute("SELECT size FROM blob WHERE digest = ?", (digest,)).fetchone()
        return int(row[0]) if row else 0

    def drop(self, digests: Iterable[bytes]) -> None:
        """Forget contents: rows now, files once `sweep` runs after the commit."""
        self._db.executemany("DELETE FROM blob WHERE digest = ?", ((d,) for d in digests))

    def sweep(self) -> None:
        """Remove files that no row names: what a crash or `drop` left. The caller holds the store's lock."""
        for leftover in self._temporary.iterdir():
            leftover.unlink(missing_ok=True)
        kept = {row[0] for row in self._db.execute("SELECT digest FROM blob WHERE data IS NULL")}
        for file in self._folder.glob("??/*"):
            if bytes.fromhex(file.parent.name + file.name) not in kept:
                file.unlink(missing_ok=True)

    def _copy(self, handle: int, before: os.stat_result) -> bytes | None:
        """Keep an open file's bytes; None where it changed meanwhile."""
        if before.st_size <= SMALL:
            data = _read_up_to(handle, before.st_size + 1)
            if len(data) != before.st_size or not same_file(before, os.fstat(handle)):
                return None
            return self.add(data)
        digest, size = hashlib.sha256(), 0
        with self._new_file() as (copy, temporary):
            while size <= before.st_size and (chunk := os.read(handle, CHUNK)):
                digest.update(chunk)
                size += len(chunk)
                _write_all(copy, chunk)
            if size != before.st_size or not same_file(before, os.fstat(handle)):
                return None
            self._publish(copy, temporary, digest.digest(), size)
        return digest.digest()

    def _has(self, digest: bytes) -> bool:
        return self._db.execute("SELECT 1 FROM blob WHERE digest = ?", (digest,)).fetchone() is not None

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._folder / name[:2] / name[2:]

    def _publish(self, handle: int, temporary: Path, digest: bytes, size: int) -> None:
        """Make a complete temporary file the contents of `digest`: on disk before its row is."""
        if self._has(digest):
            return
        os.fsync(handle)
        final = self._path(digest)
        final.parent.mkdir(exist_ok=True)
        temporary.replace(final)
        sync_folder(final.parent)
        self._db.execute("INSERT INTO blob VALUES (?, ?, NULL)", (digest, size))

    @contextlib.contextmanager
    def _new_file(self) -> Iterator[tuple[int, Path]]:
        """An open temporary file that is gone afterwards unless it was renamed."""
        temporary = self._temporary / os.urandom(8).hex()
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            yield handle, temporary
        finally:
            os.close(handle)
            temporary.unlink(missing_ok=True)


def same_file(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether two looks at an open file saw the same contents."""
    return (one.st_size, one.st_mtime_ns, one.st_ctime_ns) == (
        other.st_size,
        other.st_mtime_ns,
        other.st_ctime_ns,
    )


def sync_folder(folder: Path) -> None:
    """Have a folder's list of names on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_up_to(handle: int, limit: int) -> bytes:
    parts: list[bytes] = []
    while limit > 0 and (part := os.read(handle, limit)):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
