"""The catalogue: photos and what is known of them, in SQLite, with a full-text index."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from photos.errors import PhotoError
from photos.picture import Picture, distance
from photos.vision import Seen

SCHEMA = """
CREATE TABLE IF NOT EXISTS photo (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    taken TEXT NOT NULL,
    added TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    hash TEXT NOT NULL,
    look BLOB NOT NULL,
    seen TEXT
) STRICT;
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (name, description, text, tags);
"""
SAME_BITS = 10
"""Photos whose hashes differ in no more than these are the same picture."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One row."""

    id: int
    sha256: str
    name: str
    media_type: str
    width: int
    height: int
    taken: str
    added: str
    seen: Seen | None


class Catalogue:
    """One SQLite file and a folder of photos. May be used from several threads."""

    def __init__(self, folder: Path) -> None:
        self._files = folder / "files"
        self._files.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(folder / "catalogue.db", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {SCHEMA}")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def add(self, name: str, data: bytes, picture: Picture) -> tuple[Photo, bool]:
        """Keep a photo; False where the very same file was there already."""
        digest = hashlib.sha256(data).hexdigest()
        with self._transaction() as db:
            known = db.execute("SELECT id FROM photo WHERE sha256 = ?", (digest,)).fetchone()
            if known:
                return self._get(known["id"]), False
            # The file first: a row without its file would be a photo that cannot be shown.
            (self._files / digest).write_bytes(data)
            row = db.execute(
                "INSERT INTO photo (sha256, name, media_type, width, height, taken, hash, look)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (
                    digest, name, picture.media_type, picture.width, picture.height, picture.taken,
                    f"{picture.hash:016x}", picture.look.tobytes(),
                ),
            ).fetchone()  # fmt: skip
            db.execute("INSERT INTO words (rowid, name) VALUES (?, ?)", (row["id"], name))
            return self._get(row["id"]), True

    def describe(self, photo: int, seen: Seen) -> Photo:
        with self._transaction() as db:
            found = self._get(photo)
            db.execute("UPDATE photo SET seen = ? WHERE id = ?", (seen.model_dump_json(), photo))
            db.execute("DELETE FROM words WHERE rowid = ?", (photo,))
            db.execute(
                "INSERT INTO words (rowid, name, description, text, tags) VALUES (?, ?, ?, ?, ?)",
                (photo, found.name, seen.description, seen.text, " ".join(seen.tags)),
            )
            return self._get(photo)

    def get(self, photo: int) -> Photo:
        """Raises `PhotoError` where there is none."""
        with self._lock:
            return self._get(photo)

    def file(self, photo: Photo) -> Path:
        return self._files / photo.sha256

    def page(self, after: int, limit: int) -> list[Photo]:
        """Photos in the order in which they came, after one of them."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM photo WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
            return [_photo(row) for row in rows]

    def search(self, question: str, limit: int) -> list[Photo]:
        """Photos in whose name, description, text or tags all words occur, best first."""
        words = " ".join('"' + word.replace('"', '""') + '"*' for word in question.split())
        if not words:
            return []
        with self._lock:
            rows = self._db.execute(
                "SELECT photo.* FROM words JOIN photo ON photo.id = words.rowid WHERE words MATCH ?"
                " ORDER BY words.rank LIMIT ?",
                (words, limit),
            )
            return [_photo(row) for row in rows]

    def similar(self, photo: int, limit: int) -> list[tuple[Photo, float, bool]]:
        """The photos that look most like one: each with 0 to 1, and whether it is the same picture."""
        with self._lock:
            mine = self._db.execute("SELECT hash, look FROM photo WHERE id = ?", (photo,)).fetchone()
            if mine is None:
                raise _unknown(photo)
            rows = self._db.execute("SELECT id, hash, look FROM photo WHERE id != ?", (photo,)).fetchall()
            if not rows:
                return []
            looks = np.frombuffer(b"".join(row["look"] for row in rows), np.float32).reshape(len(rows), -1)
            scores = looks @ np.frombuffer(mine["look"], np.float32)
            same = [distance(int(mine["hash"], 16), int(row["hash"], 16)) <= SAME_BITS for row in rows]
            order = sorted(range(len(rows)), key=lambda i: (same[i], float(scores[i])), reverse=True)[:limit]
            return [(self._get(rows[i]["id"]), round(float(scores[i]), 4), same[i]) for i in order]

    def remove(self, photo: int) -> None:
        with self._transaction() as db:
            found = self._get(photo)
            db.execute("DELETE FROM photo WHERE id = ?", (photo,))
            db.execute("DELETE FROM words WHERE rowid = ?", (photo,))
        self.file(found).unlink(missing_ok=True)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _get(self, photo: int) -> Photo:
        row = self._db.execute("SELECT * FROM photo WHERE id = ?", (photo,)).fetchone()
        if row is None:
            raise _unknown(photo)
        return _photo(row)


def _unknown(photo: int) -> PhotoError:
    return PhotoError(404, "no_photo", f"there is no photo {photo}")


def _photo(row: sqlite3.Row) -> Photo:
    seen = Seen.model_validate_json(row["seen"]) if row["seen"] else None
    return Photo(
        row["id"], row["sha256"], row["name"], row["media_type"], row["width"], row["height"], row["taken"],
        row["added"], seen,
    )  # fmt: skip
