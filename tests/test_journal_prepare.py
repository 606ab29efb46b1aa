"""Opening: formats, damage, and files that are not what they should be."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlmodel import SQLModel

from mybro.errors import JournalError
from mybro.journal import Archive, faults, tables
from mybro.journal.migrations import STEPS, Step, migrate
from mybro.journal.place import Place
from mybro.journal.prepare import prepare
from tests.journal_tools import NOON, begin, rows, tone

pytestmark = pytest.mark.integration

V1 = Path(__file__).parent / "data" / "journal_v1.db"

NEXT: Step = (
    "ALTER TABLE utterance ADD COLUMN mood TEXT",
    "UPDATE utterance SET mood = 'fine'",
    "CREATE TABLE cost_again AS SELECT * FROM cost",
    "DROP TABLE cost",
    "ALTER TABLE cost_again RENAME TO cost",
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with a journal that the first version wrote; its last session was killed."""
    shutil.copy(V1, tmp_path / "journal.db")
    return tmp_path


async def test_a_journal_of_the_first_version_is_read(old: Path) -> None:
    archive = await Archive.open(old / "journal.db")
    assert archive.notice is None
    found = await archive.recent()
    assert [(each.id, each.text, each.state) for each in found] == [
        (4, "push it", "interrupted"),
        (3, "explain the parser", "accepted"),
        (2, "füge einen Test für leere Eingaben hinzu 🙂", "done"),
        (1, "run the tests", "done"),
    ]
    assert (found[2].jobs[0].changed, found[2].cost_usd) == (("tests/test_input.py",), 0.04)
    assert len(await archive.events(1)) == 7
    assert len(await archive.envelopes(found[2].session)) == 14
    await archive.aclose()


async def test_a_session_goes_on_in_a_journal_of_the_first_version(old: Path) -> None:
    talk = await begin(old)
    left = await talk.journal.unfinished()
    assert [(each.utterance.id, each.offered) for each in left] == [(3, True), (4, False)]
    await talk.journal.adopt(3, 1)
    await talk.work(1, 1, "explained")
    await talk.speak(2, "next")
    assert (await talk.journal.recent())[0].id == 5
    await talk.journal.aclose()


def test_a_step_takes_the_rows_along_and_leaves_a_copy(old: Path) -> None:
    before = (old / "journal.db").read_bytes()
    place = Place(old / "journal.db")
    assert prepare(place, NOON, (*STEPS, NEXT)) is None
    assert rows(old, "SELECT DISTINCT mood FROM utterance") == [("fine",)]
    assert rows(old, "PRAGMA user_version") == [(len(STEPS) + 1,)]
    (copy,) = place.copies()
    kept = sqlite3.connect(copy)
    assert kept.execute("PRAGMA user_version").fetchone() == (1,)
    assert kept.execute("SELECT count(*) FROM event").fetchone() == (19,)
    kept.close()
    assert copy.stat().st_mode & 0o077 == 0
    assert len(before) > 0
    assert prepare(place, NOON, (*STEPS, NEXT)) is None


@pytest.mark.parametrize(
    "broken",
    [
        ("UPDATE utterance SET state = 'lost'",),
        ("ALTER TABLE utterance ADD COLUMN mood TEXT", "NONSENSE"),
        ("UPDATE job SET utterance = 999",),
    ],
    ids=["a check fails", "no such statement", "a reference dangles"],
)
def test_a_step_that_fails_changes_nothing(old: Path, broken: Step) -> None:
    before = rows(old, "SELECT * FROM utterance")
    schema = rows(old, "SELECT sql FROM sqlite_schema")
    with pytest.raises(JournalError):
        prepare(Place(old / "journal.db"), NOON, (*STEPS, NEXT, broken))
    # The step before it has stood on its own.
    assert rows(old, "PRAGMA user_version") == [(len(STEPS) + 1,)]
    assert rows(old, "SELECT id, state FROM utterance") == [(row[0], row[5]) for row in before]
    assert len(rows(old, "SELECT sql FROM sqlite_schema")) == len(schema) - 3
    assert list(old.glob("*damaged*")) == []


async def test_a_journal_of_a_newer_version_is_refused_untouched(tmp_path: Path) -> None:
    await written(tmp_path, killed=False)
    connection = sqlite3.connect(tmp_path / "journal.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(JournalError) as caught:
        await Archive.open(tmp_path / "journal.db")
    assert caught.value.code == "journal_from_the_future"
    assert "Update mybro" in caught.value.hint
    assert rows(tmp_path, "PRAGMA user_version") == [(99,)]


async def test_a_database_of_another_program_is_refused_untouched(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "journal.db")
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    with pytest.raises(JournalError) as caught:
        await Archive.open(tmp_path / "journal.db")
    assert caught.value.code == "not_a_journal"
    assert rows(tmp_path, "SELECT name FROM sqlite_schema") == [("bookmarks",)]


async def test_no_migration_under_a_running_session(old: Path) -> None:
    talk = await begin(old)
    with pytest.raises(JournalError) as caught:
        prepare(Place(old / "journal.db"), NOON, (*STEPS, NEXT))
    assert caught.value.code == "journal_in_use"
    await talk.journal.aclose()


def test_the_models_are_what_the_steps_make() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, Path("unused"))
    made = {
        table: {
            (name, kind, bool(required), bool(key))
            for _, name, kind, required, _, key in connection.execute(f"PRAGMA table_info({table})")
        }
        for (table,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    }
    kinds = {"VARCHAR": "TEXT", "FLOAT": "REAL"}
    # Another room's models stand in the same register once it has been imported.
    ours = {each.__tablename__ for each in SQLModel.__subclasses__() if each.__module__ == tables.__name__}
    models = [table for table in SQLModel.metadata.sorted_tables if table.name in ours]
    declared = {
        table.name: {
            (c.name, kinds.get(str(c.type), str(c.type)), not c.nullable, c.primary_key)
            for c in table.columns
        }
        for table in models
    }
    assert made == declared
    references = {
        (table, row[3], row[2])
        for table in made
        for row in connection.execute(f"PRAGMA foreign_key_list({table})")
    }
    connection.close()
    assert references == {
        (table.name, key.parent.name, key.column.table.name) for table in models for key in table.foreign_keys
    }


# ---------------------------------------------------------------------------- damage


async def written(folder: Path, *, killed: bool) -> None:
    talk = await begin(folder)
    for turn in range(30):
        await talk.type(turn, f"sentence {turn} " * 20)
    if not killed:
        await talk.journal.aclose()
        return
    # As a kill leaves it: the session has no end, and nobody holds its lock.
    await talk.journal.aclose()
    connection = sqlite3.connect(folder / "journal.db")
    connection.execute("UPDATE session SET ended = NULL, clean = 0")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("damage", ["garbage", "header", "pages"])
async def test_a_damaged_journal_is_set_aside_with_a_sentence(tmp_path: Path, damage: str) -> None:
    await written(tmp_path, killed=damage == "pages")
    path = tmp_path / "journal.db"
    content = bytearray(path.read_bytes())
    match damage:
        case "garbage":
            content = bytearray(b"these are not the bytes of a database " * 500)
        case "header":
            content[:16] = bytes(16)
        case "pages":
            content[9000:60_000] = b"\xa5" * 51_000
    path.write_bytes(content)

    talk = await begin(tmp_path)
    notice = talk.journal.notice
    assert notice is not None
    found = re.search(r"journal-damaged-\d{8}-\d{6}\.db", notice.message)
    assert found is not None
    assert (tmp_path / found[0]).read_bytes() == content
    await talk.speak(1, "life goes on")
    assert [each.text for each in await talk.journal.recent()] == ["life goes on"]
    await talk.journal.aclose()


async def test_a_whole_journal_of_a_killed_session_stays(tmp_path: Path) -> None:
    await written(tmp_path, killed=True)
    talk = await begin(tmp_path)
    assert talk.journal.notice is None
    assert len(await talk.journal.recent(100)) == 30
    await talk.journal.aclose()


async def test_damage_found_while_a_session_runs_is_an_error(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    for turn in range(40):
        await talk.type(turn, "words " * 50)
    connection = sqlite3.connect(tmp_path / "journal.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with (tmp_path / "journal.db").open("rb+") as file:
        file.seek(4096)
        file.write(b"\xa5" * 200_000)
    # The file is not pulled away from under the running session.
    with pytest.raises(JournalError) as caught:
        await Archive.open(tmp_path / "journal.db")
    assert caught.value.code == "journal_damaged"
    assert Place(tmp_path / "journal.db").set_aside() == ()
    await talk.journal.aclose()
    after = await begin(tmp_path)
    assert after.journal.notice is not None
    await after.journal.aclose()


# ---------------------------------------------------------------------------- surroundings


@pytest.mark.parametrize("where", ["file/journal.db", "folder"])
async def test_a_place_that_cannot_be_used(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    with pytest.raises(JournalError) as caught:
        await Archive.open(tmp_path / where)
    assert caught.value.code in ("journal_unreachable", "journal_failed")
    assert str(tmp_path) in caught.value.message


def test_what_sqlite_says_becomes_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    connection = sqlite3.connect(path, isolation_level=None, timeout=0)
    connection.execute("CREATE TABLE t (x)")
    connection.execute("PRAGMA max_page_count=3")
    with pytest.raises(sqlite3.Error) as full:
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    read_only = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with pytest.raises(sqlite3.Error) as refused:
        read_only.execute("DELETE FROM t")
    connection.execute("BEGIN IMMEDIATE")
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    with pytest.raises(sqlite3.Error) as locked:
        other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.Error) as wrong:
        other.execute("SELECT * FROM secrets WHERE word = 'xylophone'")
    for each in (connection, read_only, other):
        each.close()
    errors = [faults.from_sqlite(each.value, path) for each in (full, refused, locked, wrong)]
    assert [error.code for error in errors] == [
        "journal_disk_full", "journal_read_only", "journal_busy", "journal_failed"
    ]  # fmt: skip
    assert [error.retryable for error in errors] == [True, False, True, False]
    assert all(error.hint for error in errors)
    assert "xylophone" not in str(errors[3])


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (28, "journal_disk_full"),
        (30, "journal_read_only"),
        (13, "journal_unreachable"),
        (5, "journal_failed"),
    ],
)
def test_what_the_file_system_says_becomes_a_sentence(number: int, code: str) -> None:
    assert faults.from_os(OSError(number, "no"), Path("/x")).code == code


async def test_one_sound_of_a_session_is_one_file(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    await talk.speak(3, "hello", tone(0.5))
    (file,) = (tmp_path / "recordings").rglob("*.flac")
    assert file.relative_to(tmp_path / "recordings") == Path(talk.journal.session or "", "3.flac")
    await talk.journal.aclose()
