"""Before a journal is used: its folder, its format, and whether it is whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from mybro.errors import JournalError, Problem
from mybro.journal import faults
from mybro.journal.migrations import STEPS, Step, migrate, version_of
from mybro.journal.place import Place, sync_folder

BUSY_TIMEOUT_S = 10.0


def prepare(place: Place, wall: float, steps: Sequence[Step] = STEPS) -> Problem | None:
    """Create or migrate the database; set a damaged one aside and begin a new one. Blocks.

    `wall`, in seconds since 1970, names what is set aside. Returns the sentence to tell the person where
    that happened. Raises `JournalError` where there can be no journal.
    """
    try:
        place.make()
        with place.alone():
            try:
                _prepare(place, steps)
            except sqlite3.DatabaseError as error:
                if not faults.is_damage(error) or place.anyone_live():
                    raise  # never pull the file away from under a running session
                problem = _set_aside(place, wall)
                _prepare(place, steps)
                return problem
    except sqlite3.Error as error:
        raise faults.from_sqlite(error, place.database) from None
    except OSError as error:
        raise faults.from_os(error, place.root) from None
    return None


def _prepare(place: Place, steps: Sequence[Step]) -> None:
    connection = sqlite3.connect(place.database, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=FULL")
        version = version_of(connection)
        live, cut_off = _unended(connection, place) if version else (False, False)
        if cut_off:
            _check(connection)
        if live and version < len(steps):
            raise JournalError(
                "journal_in_use",
                "an older mybro is running and uses the journal",
                hint="End it, then try again",
            )
        copy = place.root / f"{place.database.stem}-before-v{len(steps)}.db"
        if migrate(connection, copy, steps) < len(steps):
            sync_folder(place.root)
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _unended(connection: sqlite3.Connection, place: Place) -> tuple[bool, bool]:
    """Whether a session is running, and whether one was cut off: only then is the file read through."""
    try:
        rows = connection.execute("SELECT id FROM session WHERE ended IS NULL").fetchall()
    except sqlite3.OperationalError:
        return False, False
    live = [place.is_live(session) for (session,) in rows]
    return any(live), not all(live)


def _check(connection: sqlite3.Connection) -> None:
    (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if answer != "ok":
        error = sqlite3.DatabaseError("quick_check found damage")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _set_aside(place: Place, wall: float) -> Problem:
    stamp = datetime.fromtimestamp(wall).astimezone().strftime("%Y%m%d-%H%M%S")
    name = f"{place.database.stem}-damaged-{stamp}.db"
    if (place.root / name).exists():
        raise JournalError("journal_damaged", f"{place.database} is damaged, twice in a second")
    # The log goes along under the matching name: it may hold the newest entries, and a new database
    # must never be opened beside a stranger's log.
    for path in place.files():
        path.rename(place.root / path.name.replace(place.database.name, name, 1))
    place.make()
    sync_folder(place.root)
    return Problem(
        "journal_was_damaged",
        f"the journal was damaged; it was set aside as {name} and a new one was begun",
        hint=f"`sqlite3 {name} .recover` may read what is in it",
    )
