"""New projects beside the repository, by voice: made, asked for, taken back, and left alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mybro.clock import MonotonicClock
from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import Answered, Event, JobAsked, JobFinished
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.jobs import Executor
from mybro.executor.local import LocalHand
from mybro.intent import Action, Arguments, Intent
from tests.executor_tools import Local, new_repository
from tests.fakes.executor import git

pytest_plugins = ["tests.executor_tools"]
pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def no_tool_that_locks(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this machine only what every machine has: no network is asked for versions."""
    monkeypatch.setenv("PATH", f"{bare_machine}:/usr/bin:/bin")


async def test_a_project_is_made_beside_the_repository(local: Local) -> None:
    outcome = await local.do(Action.NEW_PROJECT, template="research paper", name="fast sorting")
    made = local.repo.parent / "fast-sorting"
    assert outcome.summary.startswith(
        "Made fast-sorting from research-paper, beside this repository. First: make paper and make test."
    )
    assert str(made) in outcome.detail.splitlines()
    assert "Start from research-paper" in git(made, "log", "--format=%s")
    assert git(made, "status", "--porcelain") == ""
    assert git(local.repo, "status", "--porcelain") == ""


async def test_an_unclear_template_is_asked_for(local: Local) -> None:
    local.reply = lambda asked: Answered(asked.question, True, choice="photo-analyzer")
    assert "Made holiday from photo-analyzer" in (await local.do(Action.NEW_PROJECT, name="holiday")).summary
    assert [choice.label for choice in local.asked[0].choices] == [
        "checkpoint-compute", "metal-compute", "photo-analyzer", "research-paper", "vercel-serverless",
    ]  # fmt: skip
    local.reply = lambda asked: Answered(asked.question, False)
    with pytest.raises(ExecutorError, match="which kind you mean"):
        await local.do(Action.NEW_PROJECT, name="heat", template="rust")
    assert [choice.label for choice in local.asked[1].choices] == ["checkpoint-compute", "metal-compute"]
    assert not (local.repo.parent / "heat").exists()


async def test_what_cannot_be_made(local: Local) -> None:
    (local.repo.parent / "taken").mkdir()
    (local.repo.parent / "taken" / "file").touch()
    for name, code in (("taken", "folder_taken"), ("../out", "bad_name")):
        with pytest.raises(ExecutorError) as raised:
            await local.do(Action.NEW_PROJECT, name=name, template="paper")
        assert raised.value.code == code
    assert [path.name for path in (local.repo.parent / "taken").iterdir()] == ["file"]


async def test_a_name_that_is_not_said_is_the_templates(local: Local) -> None:
    await local.do(Action.NEW_PROJECT, template="paper")
    assert (local.repo.parent / "research-paper").is_dir()


class Room:
    """An executor whose jobs one waits for."""

    def __init__(self, repo: Path, root: Path) -> None:
        self._ends: asyncio.Queue[Event] = asyncio.Queue()
        hands = (LocalHand(ExecutorSettings()),)
        store = CheckpointStore(root, repo)
        self.executor = Executor(ExecutorSettings(), repo, self._emit, hands, store, MonotonicClock())
        self._number = 0

    async def _emit(self, event: Event) -> None:
        assert not isinstance(event, JobAsked)
        if isinstance(event, JobFinished):
            await self._ends.put(event)

    async def make(self, name: str) -> int:
        self._number += 1
        given = Arguments(name=name, template="paper")
        intent = Intent(kind="local", action=Action.NEW_PROJECT, arguments=given, text="new paper")
        await self.executor.start(self._number, 1, intent)
        async with asyncio.timeout(120):
            await self._ends.get()
        return self._number


async def test_undo_takes_away_what_nobody_has_touched(tmp_path: Path) -> None:
    repo = new_repository(tmp_path / "code" / "shop", {"a.py": "a = 1\n"})
    room = Room(repo, tmp_path / "checkpoints")
    try:
        await room.make("mine")
        (repo.parent / "mine" / "notes.txt").write_text("mine")
        kept = await room.executor.undo()
        assert (kept.ok, kept.summary) == (False, "I left mine, because something was done in it since.")
        assert (repo.parent / "mine" / "notes.txt").exists()
        assert (await room.executor.undo()).summary == "There is nothing to undo."

        await room.make("other")
        again = Room(repo, tmp_path / "checkpoints")  # another mybro, later
        assert (await again.executor.undo()).summary == "Undone: other is gone."
        await again.executor.aclose()
        assert not (repo.parent / "other").exists()

        job = await room.make("third")
        (repo.parent / "third" / "Makefile").write_text("changed")
        assert not (await room.executor.withdraw(job)).ok
        job = await room.make("fourth")
        assert (await room.executor.withdraw(job)).ok
        assert sorted(path.name for path in repo.parent.iterdir()) == ["mine", "shop", "third"]
    finally:
        await room.executor.aclose()
