"""Real kills at random moments: what was acknowledged is there, and the next session can go on."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from mybro.journal import Filter, Journal, Unfinished
from mybro.journal.sound import load
from tests.journal_tools import rows, tone
from tests.trials import share

pytestmark = pytest.mark.integration

SEED = 20
KILLS = 200


class Nursery:
    """Starts recording processes, one at a time."""

    def __init__(self) -> None:
        self._mother = subprocess.Popen(
            [sys.executable, "-m", "tests.journal_child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
            cwd=Path(__file__).parent.parent, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        )  # fmt: skip

    @property
    def stdout(self) -> IO[str]:
        assert self._mother.stdout is not None
        return self._mother.stdout

    def start(self, folder: Path, count: int | None = None) -> int:
        assert self._mother.stdin is not None
        self._mother.stdin.write(f"{folder}\t{count or ''}\n")
        self._mother.stdin.flush()
        word, pid = self.stdout.readline().split()
        assert word == "pid"
        return int(pid)

    def acknowledged(self) -> Iterator[tuple[str, int]]:
        """What the process was told is on disk, until it has ended."""
        while (line := self.stdout.readline().strip()) != "ended":
            assert line, "the mother died"
            session, turn = line.split()
            yield session, int(turn)

    def close(self) -> None:
        assert self._mother.stdin is not None
        self._mother.stdin.close()
        self._mother.wait(10)
        self.stdout.close()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@pytest.mark.trial
def test_killed_at_any_moment_it_loses_nothing(nursery: Nursery, tmp_path: Path) -> None:
    promised: set[tuple[str, int]] = set()
    offered: set[tuple[str, int]] = set()
    interrupted: set[tuple[str, int]] = set()
    for chance in share([random.Random(number) for number in range(KILLS)], SEED):
        pid = nursery.start(tmp_path)
        acknowledged = nursery.acknowledged()
        promised.update(itertools.islice(acknowledged, chance.randrange(9)))
        time.sleep(chance.uniform(0.0, 0.02))
        os.kill(pid, signal.SIGKILL)
        promised.update(acknowledged)
        if (tmp_path / "journal.db").exists():
            assert whole(tmp_path)

        for left in asyncio.run(left_behind(tmp_path)):
            key = (left.utterance.session, left.utterance.turn)
            (offered if left.offered else interrupted).add(key)
            if left.utterance.audio is not None:
                assert load(left.utterance.audio, left.utterance.audio_sha256).pcm == tone(0.05).pcm

    kept = {
        (session, turn): (text, state, audio is not None)
        for session, turn, text, state, audio in rows(
            tmp_path,
            "SELECT session, turn, text, state, audio FROM utterance u JOIN transcript ON utterance = u.id",
        )
    }
    assert promised
    for session, turn in promised:
        text, state, has_audio = kept[session, turn]
        assert text == f"sentence {turn} of {session}"
        assert has_audio == bool(turn % 3)
        assert state == "accepted" or (state == "interrupted" and turn % 4 == 0)
    assert promised <= offered | interrupted
    assert offered & interrupted == set()


async def left_behind(folder: Path) -> list[Unfinished]:
    journal = await Journal.open(folder / "journal.db")
    try:
        assert journal.notice is None
        return await journal.unfinished()
    finally:
        await journal.aclose()


def whole(folder: Path) -> bool:
    connection = sqlite3.connect(folder / "journal.db")
    try:
        (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
        return answer == "ok" and connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()


async def test_two_processes_at_once(tmp_path: Path) -> None:
    count, nurseries = 60, (Nursery(), Nursery())
    try:
        for each in nurseries:
            each.start(tmp_path, count)
        journal = await Journal.open(tmp_path / "journal.db")
        # A third one deletes and compacts meanwhile.
        for number in range(1, 6):
            await journal.delete([number])
        acknowledged = [list(each.acknowledged()) for each in nurseries]
    finally:
        for each in nurseries:
            each.close()
    assert [len(each) for each in acknowledged] == [count, count]
    assert whole(tmp_path)
    found = await journal.recent(500, Filter(after=0))
    await journal.aclose()
    assert 2 * count - 5 <= len(found) <= 2 * count
    for session in {each.session for each in found}:
        turns = [each.turn for each in found if each.session == session]
        assert turns == sorted(turns)
    assert rows(tmp_path, "SELECT count(*) FROM session WHERE clean") == [(2,)]
