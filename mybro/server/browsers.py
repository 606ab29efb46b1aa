"""Browsers that have shown the page's token: known again after a restart, until a week without a visit.

What is kept is a hash of what the browser's cookie holds.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from mybro.config import data_dir
from mybro.errors import ServerError

SESSION_S = 7 * 86_400.0
"""A browser that has not come back for this long has to show the token again."""
SESSIONS = 256
_WRITE_S = 3600.0
"""So much later must an end be that it is worth writing down."""
_TABLE = "CREATE TABLE IF NOT EXISTS browser (hash TEXT PRIMARY KEY, ends REAL NOT NULL)"


class Browsers:
    """Those of one server, by the name of its cookie."""

    def __init__(
        self, cookie: str, path: Path | None = None, wall: Callable[[], float] = time.time
    ) -> None:  # fmt: skip
        self._cookie, self._wall = cookie, wall
        place = path or data_dir() / "tokens.db"
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(place, timeout=5.0, isolation_level=None)
            self._database.execute(_TABLE)
            place.chmod(0o600)
            self._database.execute("DELETE FROM browser WHERE ends <= ?", (wall(),))
            rows = self._database.execute("SELECT hash, ends FROM browser ORDER BY ends").fetchall()
        except (OSError, sqlite3.Error) as error:
            raise ServerError("no_register", f"{place} cannot be used: {error}") from None
        self._ends: OrderedDict[str, float] = OrderedDict(rows)

    def add(self) -> str:
        """A new browser: the cookie's value."""
        session = secrets.token_urlsafe(32)
        self._keep(self._hash(session), self._wall() + SESSION_S)
        while len(self._ends) > SESSIONS:
            self._drop(next(iter(self._ends)))
        return session

    def find(self, session: str) -> str | None:
        """A name for the browser that shows this, if it is known."""
        known = self._hash(session)
        ends, now = self._ends.get(known), self._wall()
        if ends is None:
            return None
        if ends <= now:
            self._drop(known)
            return None
        if now + SESSION_S - ends > _WRITE_S:
            self._keep(known, now + SESSION_S)
        self._ends.move_to_end(known)
        return f"browser-{known[:8]}"

    def remove(self, session: str) -> None:
        self._drop(self._hash(session))

    def close(self) -> None:
        self._database.close()

    def _hash(self, session: str) -> str:
        return hashlib.sha256(f"{self._cookie}={session}".encode()).hexdigest()

    def _keep(self, known: str, ends: float) -> None:
        self._ends[known] = ends
        self._write("INSERT OR REPLACE INTO browser VALUES (?, ?)", (known, ends))

    def _drop(self, known: str) -> None:
        self._ends.pop(known, None)
        self._write("DELETE FROM browser WHERE hash = ?", (known,))

    def _write(self, statement: str, values: tuple[str | float, ...]) -> None:
        try:
            self._database.execute(statement, values)
        except sqlite3.Error as error:
            raise ServerError(
                "no_register", f"the register of browsers failed: {error}", retryable=True
            ) from None
