"""Deleting: whatever the journal's folder holds afterwards, it is not the words."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from mybro.config import JournalSettings
from mybro.events import (
    Answered,
    JobAsked,
    JobFinished,
    JobProgressed,
    JobStarted,
    Outcome,
    SayStarted,
    SpeechStarted,
    Transcript,
)
from mybro.journal import Archive, Filter
from tests.journal_tools import NOON, Talk, Wall, begin, bytes_on_disk, rows, run_tests, tone

pytestmark = pytest.mark.integration

SECRET = b"xylophone"
DAY = 86_400.0


async def confess(talk: Talk, turn: int) -> None:
    """A turn in which the secret word gets everywhere."""
    await talk.send(SpeechStarted(turn, 40), Transcript(turn, "delete the xylo xylophone", False, 300))
    await talk.speak(turn, "delete the xylophone", tone(0.2 + turn / 10))
    await talk.send(JobStarted(turn, turn, "deleting the xylophone"))
    await talk.send(JobProgressed(turn, "rm xylophone"))
    await talk.send(JobAsked(turn, turn, "permission", "Delete the xylophone?", "rm xylophone", "xylophone"))
    await talk.send(Answered(turn, True, "xylophone"))
    outcome = Outcome("xylophone deleted", detail="xylophone " * 4000, changed=("xylophone",), cost_usd=0.5)
    await talk.send(JobFinished(turn, outcome))
    await talk.send(SayStarted(turn, "The xylophone is deleted"))


async def test_deleted_words_are_in_no_file(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    await talk.type(1, "keep this trombone")
    await confess(talk, 2)
    await talk.type(3, "keep this too")
    assert SECRET in bytes_on_disk(tmp_path)
    done = await talk.journal.delete([2])
    # The session still runs and holds the database open: there is a log.
    assert (tmp_path / "journal.db-wal").exists()
    assert SECRET not in bytes_on_disk(tmp_path)
    assert b"trombone" in bytes_on_disk(tmp_path)
    assert (done.deleted, done.busy, done.missing, done.left_over) == (1, (), (), ())
    assert [each.id for each in await talk.journal.recent()] == [3, 1]
    assert list((tmp_path / "recordings").rglob("*.flac")) == []
    assert (await talk.journal.costs())[0].usd == 0.5
    await talk.type(4, "the next")
    assert (await talk.journal.recent())[0].id == 4
    await talk.journal.aclose()
    assert SECRET not in bytes_on_disk(tmp_path)


async def test_a_number_is_never_used_twice(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    await talk.type(1, "one")
    await talk.journal.mark(1, "done")
    await talk.journal.delete([1])
    await talk.type(2, "two")
    assert [each.id for each in await talk.journal.recent()] == [2]
    await talk.journal.aclose()


async def test_deleting_everything(tmp_path: Path) -> None:
    for _ in range(2):
        talk = await begin(tmp_path)
        await confess(talk, 1)
        await talk.journal.aclose()
    orphan = tmp_path / "recordings" / "gone" / "1.flac"
    orphan.parent.mkdir()
    orphan.write_bytes(b"fLaC xylophone")
    for copy in ("journal-before-v9.db", "journal-damaged-20250101-120000.db"):
        (tmp_path / copy).write_bytes(SECRET)
    archive = await Archive.open(tmp_path / "journal.db")
    done = await archive.delete(everything=True)
    await archive.aclose()
    assert (done.deleted, done.left_over) == (2, ())
    assert SECRET not in bytes_on_disk(tmp_path)
    for table in ("session", "utterance", "transcript", "intent", "job", "permission", "cost", "event"):
        assert rows(tmp_path, f"SELECT count(*) FROM {table}") == [(0,)], table  # noqa: S608
    assert list((tmp_path / "recordings").iterdir()) == []


async def test_by_age_and_by_numbers_that_are_not_there(tmp_path: Path) -> None:
    wall = Wall()
    talk = await begin(tmp_path, wall=wall)
    for turn in range(4):
        wall.now = NOON + turn * DAY
        await talk.speak(turn, f"day {turn}")
        await talk.journal.mark(turn, "done")
    done = await talk.journal.delete(older_than=NOON + 1.5 * DAY)
    assert (done.deleted, [each.text for each in await talk.journal.recent()]) == (2, ["day 3", "day 2"])
    done = await talk.journal.delete([1, 4, 77])
    assert (done.deleted, done.missing) == (1, (1, 77))
    assert len(list((tmp_path / "recordings").rglob("*.flac"))) == 1
    await talk.journal.aclose()


async def test_what_a_running_session_works_on_is_left_alone(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    await talk.type(1, "first")
    await talk.work(1, 1)
    await talk.type(2, "second", accepted=True)
    await talk.send(JobStarted(2, 2, "working"))
    other = await Archive.open(tmp_path / "journal.db")
    done = await other.delete([1, 2])
    assert (done.deleted, done.busy, done.missing) == (1, (2,), ())
    assert (await other.delete(everything=True)).busy == (2,)
    await talk.send(JobFinished(2, Outcome("done")))
    assert (await other.utterance(2)).state == "done"
    await other.aclose()
    await talk.journal.aclose()
    archive = await Archive.open(tmp_path / "journal.db")
    assert (await archive.delete(everything=True)).busy == ()
    assert rows(tmp_path, "SELECT count(*) FROM session") == [(0,)]
    await archive.aclose()


async def test_a_log_that_another_process_keeps_open_is_told_of(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    await confess(talk, 1)
    reader = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM event").fetchall()
    done = await talk.journal.delete([1])
    assert [path.name for path in done.left_over] == ["journal.db-wal"]
    reader.close()
    await talk.journal.aclose()
    assert SECRET not in bytes_on_disk(tmp_path)


async def test_copies_set_aside_are_told_of(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    await confess(talk, 1)
    (tmp_path / "journal-damaged-20250101-120000.db").write_bytes(SECRET)
    (tmp_path / "journal-before-v9.db").write_bytes(SECRET)
    done = await talk.journal.delete([1])
    assert [path.name for path in done.left_over] == ["journal-damaged-20250101-120000.db"]
    assert not (tmp_path / "journal-before-v9.db").exists()
    await talk.journal.aclose()


async def test_retention_is_kept_from_the_next_session_on(tmp_path: Path) -> None:
    wall = Wall()
    talk = await begin(tmp_path, wall=wall)
    await confess(talk, 1)
    await talk.journal.aclose()
    orphan = tmp_path / "recordings" / "gone" / "1.flac"
    orphan.parent.mkdir()
    orphan.write_bytes(SECRET)
    os.utime(orphan, (NOON, NOON))
    wall.now = NOON + 8 * DAY
    talk = await begin(tmp_path, wall=wall, settings=JournalSettings(retention_days=7))
    await talk.type(1, "young")
    for _ in range(500):
        if SECRET not in bytes_on_disk(tmp_path / "recordings") and len(await talk.journal.recent()) == 1:
            break
        await asyncio.sleep(0.02)
    assert [each.text for each in await talk.journal.recent()] == ["young"]
    assert not orphan.exists()
    assert (await talk.journal.costs())[0].usd == 0.5
    await talk.journal.aclose()
    assert SECRET not in bytes_on_disk(tmp_path)


async def test_pruning_by_hand(tmp_path: Path) -> None:
    wall = Wall()
    talk = await begin(tmp_path, wall=wall)
    for turn in range(250):
        wall.now = NOON + turn * 3600
        await talk.journal.mark(turn, "done")
    wall.now = NOON + 20 * DAY
    assert await talk.journal.prune(0) == 0
    assert await talk.journal.prune(15) == 120
    assert len(await talk.journal.recent(500, Filter(wordless=True))) == 130
    await talk.journal.aclose()


async def test_pruning_spares_a_fresh_recording_without_a_row(tmp_path: Path) -> None:
    """Its row may be about to be written by another process."""
    talk = await begin(tmp_path, wall=(wall := Wall()))
    fresh = tmp_path / "recordings" / "other" / "1.flac"
    fresh.parent.mkdir()
    fresh.write_bytes(b"fLaC")
    os.utime(fresh, (wall.now - 60, wall.now - 60))
    await talk.journal.prune(1)
    assert fresh.exists()
    await talk.journal.aclose()


async def test_the_reading_order_of_an_understood_sentence_is_not_disturbed(tmp_path: Path) -> None:
    """What belongs to other utterances of the same session survives a deletion."""
    talk = await begin(tmp_path)
    await talk.speak(1, "run the tests")
    await talk.work(1, 1, "3 passed")
    await talk.type(2, run_tests().text)
    await talk.work(2, 2, "4 passed")
    await talk.journal.delete([1])
    found = await talk.journal.utterance(2)
    assert (found.text, found.jobs[0].summary) == ("run the tests", "4 passed")
    assert len(await talk.journal.events(2)) == 4
    await talk.journal.aclose()
