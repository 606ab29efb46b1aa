"""A morning in a repository, for the tests of the history and of its replay."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from mybro.errors import Problem
from mybro.events import (
    Answered,
    JobAsked,
    JobFailed,
    JobFinished,
    JobProgressed,
    JobStarted,
    Outcome,
    SayStarted,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Typed,
    Understood,
)
from mybro.intent import Action, Arguments, Intent
from tests.journal_tools import Wall, begin, run_tests, task, tone, utterance


async def a_morning(folder: Path, repo: Path) -> None:
    """Five utterances: a failing test run, a rename, a coding task that failed, silence, and one open."""
    talk = await begin(folder, repo=repo, wall=(wall := Wall(time.time() - 3 * 86_400)))
    await talk.send(SpeechStarted(1, 1700), SpeechEnded(1, utterance(tone(1.0))))
    await talk.send(Transcript(1, "run the tests", True, 900, "en", "faster-whisper/tiny.en", 212.0))
    await talk.send(Understood(1, run_tests(), 0.4), JobStarted(1, 1, "running the tests"))
    await talk.send(JobProgressed(1, "pytest -q"))
    await talk.send(JobFinished(1, Outcome("2 of 14 tests fail", ok=False, detail="FAILED test_tax\n")))
    await talk.send(SayStarted(1, "Two tests fail"), cause=talk.seq)
    wall.now = time.time() - 60
    given = Arguments(old_name="load", new_name="read")
    rename = Intent(kind="local", action=Action.RENAME, arguments=given, text="rename load to read")
    await talk.send(Typed(2, "rename load to read \x1b[31m"), Understood(2, rename))
    await talk.work(2, 2, "Renamed in 3 files", changed=("a.py",))
    await talk.type(3, "accept dates with slashes")
    await talk.send(JobStarted(3, 3, "changing the parser"))
    await talk.send(JobAsked(3, 1, "permission", "Run npm install?"), Answered(1, True, by="key"))
    failed = Outcome("", cost_usd=0.0423, input_tokens=1200, output_tokens=90)
    await talk.send(JobFailed(3, Problem("cli_died", "the coding session ended"), failed))
    await talk.speak(4, "")
    await talk.send(Typed(5, "push it"), Understood(5, task("push it")))
    await talk.journal.mark(5, "accepted")
    await talk.journal.aclose()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder after a morning in the repository `shop`."""
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    (tmp_path / "shop" / "src").mkdir()
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(tmp_path / "none.toml"))
    asyncio.run(a_morning(tmp_path / "data", tmp_path / "shop"))
    return tmp_path / "data"
