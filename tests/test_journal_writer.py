"""Group commit: order, neighbours, locks and disks that refuse."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from mybro.errors import JournalError
from mybro.events import Typed
from mybro.journal import database
from mybro.journal.writer import MAX_WAITING, Writer
from tests.journal_tools import begin, rows

pytestmark = pytest.mark.integration


def put(number: int) -> Callable[[AsyncConnection], Awaitable[Any]]:
    async def apply(connection: AsyncConnection) -> int:
        await connection.exec_driver_sql("INSERT INTO t VALUES (?)", (number,))
        return number

    return apply


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    connection = sqlite3.connect(tmp_path / "journal.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (x INTEGER UNIQUE)")
    connection.close()
    engine = database.engine(tmp_path / "journal.db")
    made = Writer(await database.writer_connection(engine), tmp_path / "journal.db")
    yield made
    await made.aclose()
    await engine.dispose()


async def test_many_more_than_may_wait_are_all_written_in_order(writer: Writer, tmp_path: Path) -> None:
    count = 3 * MAX_WAITING
    results = await asyncio.gather(*(writer.write(put(n)) for n in range(count)))
    assert results == list(range(count))
    assert rows(tmp_path, "SELECT x FROM t ORDER BY rowid") == [(n,) for n in range(count)]


async def test_one_that_fails_does_not_take_its_neighbours_along(writer: Writer, tmp_path: Path) -> None:
    async def broken(connection: AsyncConnection) -> None:
        await connection.exec_driver_sql("INSERT INTO t VALUES (100)")
        raise ValueError("not this one")

    writes = (put(1), broken, put(2), put(2), put(3))
    results = await asyncio.gather(*(writer.write(w) for w in writes), return_exceptions=True)
    assert [str(result) for result in results[:3]] == ["1", "not this one", "2"]
    assert isinstance(results[3], JournalError)
    assert results[4] == 3
    assert rows(tmp_path, "SELECT x FROM t ORDER BY x") == [(1,), (2,), (3,)]


async def test_another_process_that_writes_is_waited_for(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(talk.send(Typed(1, "hello")))
    # Longer than SQLite itself is told to wait.
    await asyncio.sleep(2 * database.BUSY_SLICE_S)
    assert not writing.done()
    other.execute("COMMIT")
    other.close()
    await writing
    assert (await talk.journal.utterance(1)).text == "hello"
    await talk.journal.aclose()


async def test_the_end_does_not_wait_for_a_lock_that_is_never_released(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(talk.send(Typed(1, "hello")))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(30):
        await talk.journal.aclose()
    with pytest.raises(JournalError):
        await writing
    other.close()
    assert rows(tmp_path, "SELECT clean FROM session") == [(0,)]


FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from mybro.errors import JournalError
from mybro.events import Typed
from tests.journal_tools import begin

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    talk = await begin(Path(sys.argv[1]))
    await talk.type(1, "before")
    log = Path(sys.argv[1], "journal.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (log + 9000, resource.RLIM_INFINITY))
    failed = 0
    for turn in range(2, 9):
        try:
            await talk.send(Typed(turn, "no room " * 900))
        except JournalError as error:
            assert "no room" not in str(error)
            failed += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await talk.type(9, "after")
    print(failed, [each.text for each in await talk.journal.recent(20) if each.turn in (1, 9)])
    await talk.journal.aclose()

asyncio.run(main())
"""


def test_a_disk_that_refuses_is_an_error_and_the_journal_goes_on_when_it_takes_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True, text=True, timeout=60,
        cwd=Path(__file__).parent.parent, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    failed, texts = done.stdout.split(maxsplit=1)
    assert int(failed) > 0
    assert texts.strip() == "['after', 'before']"
