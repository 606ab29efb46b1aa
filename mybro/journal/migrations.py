"""The database's shape, as the steps that lead to it. A step that was released is never changed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from mybro.errors import JournalError

APPLICATION_ID = 0x6D79_6272
"""In the file's header, so that another program's database is never taken for a journal."""

Step = Sequence[str]
"""SQL statements that lead from one version to the next."""

_FIRST: Step = (
    """CREATE TABLE session (
        id TEXT NOT NULL PRIMARY KEY,
        started REAL NOT NULL,
        ended REAL,
        clean BOOLEAN NOT NULL,
        repo TEXT NOT NULL,
        version TEXT NOT NULL)""",
    """CREATE TABLE utterance (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        session TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        turn INTEGER NOT NULL,
        repo TEXT NOT NULL,
        source TEXT NOT NULL CHECK (source IN ('voice', 'typed')),
        state TEXT NOT NULL CHECK (state IN ('heard', 'transcribed', 'understood', 'accepted', 'started',
            'done', 'failed', 'stopped', 'dropped', 'interrupted')),
        said REAL NOT NULL,
        accepted REAL,
        started REAL,
        ended REAL,
        audio TEXT,
        audio_sha256 TEXT,
        duration_s REAL NOT NULL,
        speech_start INTEGER NOT NULL,
        speech_end INTEGER NOT NULL,
        UNIQUE (session, turn))""",
    "CREATE INDEX utterance_said ON utterance (said)",
    """CREATE TABLE transcript (
        id INTEGER NOT NULL PRIMARY KEY,
        utterance INTEGER NOT NULL REFERENCES utterance (id) ON DELETE CASCADE,
        text TEXT NOT NULL,
        final BOOLEAN NOT NULL,
        language TEXT NOT NULL,
        model TEXT NOT NULL,
        processing_ms REAL NOT NULL,
        average_logprob REAL NOT NULL,
        no_speech_probability REAL NOT NULL)""",
    "CREATE INDEX transcript_utterance ON transcript (utterance)",
    """CREATE TABLE intent (
        id INTEGER NOT NULL PRIMARY KEY,
        utterance INTEGER NOT NULL REFERENCES utterance (id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        action TEXT,
        risk TEXT NOT NULL,
        body TEXT NOT NULL,
        processing_ms REAL NOT NULL)""",
    "CREATE INDEX intent_utterance ON intent (utterance)",
    """CREATE TABLE job (
        id INTEGER NOT NULL PRIMARY KEY,
        session TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        utterance INTEGER REFERENCES utterance (id) ON DELETE CASCADE,
        title TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed', 'stopped', 'interrupted')),
        ok BOOLEAN NOT NULL,
        started REAL NOT NULL,
        ended REAL,
        problem TEXT,
        summary TEXT NOT NULL,
        detail TEXT NOT NULL,
        changed TEXT NOT NULL,
        checkpoint_before TEXT,
        checkpoint_after TEXT,
        coding_session TEXT,
        UNIQUE (session, number))""",
    "CREATE INDEX job_utterance ON job (utterance)",
    """CREATE TABLE permission (
        id INTEGER NOT NULL PRIMARY KEY,
        session TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        question INTEGER NOT NULL,
        job INTEGER REFERENCES job (id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        text TEXT NOT NULL,
        detail TEXT NOT NULL,
        object TEXT NOT NULL,
        risk TEXT NOT NULL,
        asked REAL NOT NULL,
        answer TEXT CHECK (answer IN ('yes', 'no', 'always', 'withdrawn')),
        choice TEXT,
        answered_by TEXT,
        answered REAL,
        UNIQUE (session, question))""",
    "CREATE INDEX permission_job ON permission (job)",
    """CREATE TABLE cost (
        id INTEGER NOT NULL PRIMARY KEY,
        day TEXT NOT NULL,
        session TEXT REFERENCES session (id) ON DELETE SET NULL,
        job INTEGER REFERENCES job (id) ON DELETE SET NULL,
        usd REAL NOT NULL,
        input_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL)""",
    "CREATE INDEX cost_day ON cost (day)",
    "CREATE INDEX cost_job ON cost (job)",
    "CREATE INDEX cost_session ON cost (session)",
    """CREATE TABLE event (
        session TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        at REAL NOT NULL,
        wall REAL NOT NULL,
        sample INTEGER NOT NULL,
        name TEXT NOT NULL,
        body TEXT NOT NULL,
        cause INTEGER,
        generation INTEGER NOT NULL,
        turn INTEGER,
        utterance INTEGER REFERENCES utterance (id) ON DELETE CASCADE,
        PRIMARY KEY (session, seq)) WITHOUT ROWID""",
    "CREATE INDEX event_utterance ON event (utterance) WHERE utterance IS NOT NULL",
    "CREATE INDEX event_loose ON event (session, turn) WHERE utterance IS NULL",
)

_WHOSE_COST: Step = (
    "ALTER TABLE job ADD COLUMN agent TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE cost ADD COLUMN agent TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE cost ADD COLUMN coding_session TEXT",
    "ALTER TABLE cost ADD COLUMN repo TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE cost ADD COLUMN seconds REAL NOT NULL DEFAULT 0",
    """UPDATE cost SET
        coding_session = (SELECT coding_session FROM job WHERE job.id = cost.job),
        seconds = coalesce((SELECT max(ended - started, 0) FROM job WHERE job.id = cost.job), 0),
        repo = coalesce((SELECT repo FROM session WHERE session.id = cost.session), '')""",
)
"""Who spent it, and how long that took."""

STEPS: tuple[Step, ...] = (_FIRST, _WHOSE_COST)


def migrate(connection: sqlite3.Connection, copy: Path, steps: Sequence[Step] = STEPS) -> int:
    """Bring a database to the newest version; returns the version it had before.

    Each step is atomic and takes the version number along. `copy`, a path, receives the whole database
    as it was if there is anything in it to migrate. The connection is in autocommit mode.
    Raises `JournalError` for a database that is newer than this program, or no journal at all.
    """
    version = version_of(connection)
    if version > len(steps):
        raise JournalError(
            "journal_from_the_future",
            f"the journal was written by a newer mybro (format {version}; this one knows {len(steps)})",
            hint="Update mybro, or set MYBRO_DATA_DIR to begin another journal",
        )
    if version == 0:
        _refuse_strangers(connection)
    elif version < len(steps):
        _copy(connection, copy)
    for number, step in enumerate(steps[version:], start=version + 1):
        _apply(connection, number, step)
    return version


def version_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _refuse_strangers(connection: sqlite3.Connection) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables or application not in (0, APPLICATION_ID):
        raise JournalError(
            "not_a_journal",
            "the journal's file is a database of another program",
            hint="Move it away, or set MYBRO_DATA_DIR",
        )


def _copy(connection: sqlite3.Connection, path: Path) -> None:
    """A copy through SQLite itself: to open and close the file in any other way would drop its locks."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    target = sqlite3.connect(part)
    try:
        connection.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error:
        part.unlink()
        raise
    finally:
        target.close()
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)


def _apply(connection: sqlite3.Connection, number: int, step: Step) -> None:
    # Tables that others refer to can only be rebuilt with this off; it cannot change in a transaction.
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in step:
            connection.execute(statement)
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise JournalError("migration_failed", f"the journal cannot be brought to format {number}")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={number}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
