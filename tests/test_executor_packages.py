"""Packages by voice, through the real uv and npm, with a registry of the test's own."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from mybro.clock import MonotonicClock
from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import Answered, Event, JobFailed, JobFinished
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.jobs import Executor
from mybro.executor.local import LocalHand
from mybro.intent import Action, Arguments, Intent
from tests.executor_tools import Local
from tests.fakes.executor import git
from tests.fakes.ops import silent, written
from tests.test_packages import javascript, project, python, registry, wheel

__all__ = ["javascript", "project", "python", "registry"]
pytest_plugins = ["tests.executor_tools"]
pytestmark = pytest.mark.integration


def manifest(folder: Path) -> str:
    return (folder / "pyproject.toml").read_text()


async def fails(local: Local, action: Action, **said: object) -> ExecutorError:
    with pytest.raises(ExecutorError) as raised:
        await local.do(action, **said)  # type: ignore[arg-type]
    return raised.value


async def test_added_told_upgraded_and_removed(python: Path) -> None:
    local = Local(python)
    assert (await local.do(Action.OUTDATED)).ok
    assert not (python / "uv.lock").exists()
    assert (await local.do(Action.ADD_PACKAGE, name="toy")).summary == "Added toy with uv."
    assert '"toy' in manifest(python)
    assert (await local.do(Action.OUTDATED)).summary == "Every package is up to date."
    (python / "pyproject.toml").write_text(manifest(python).replace("toy>=2.0", "toy<2"))
    assert (await local.do(Action.UPGRADE_PACKAGES)).summary == "Upgraded everything with uv."
    old = await local.do(Action.OUTDATED)
    assert (old.summary, old.detail) == (
        "There is a newer version of toy.",
        "toy 1.1, and 2.0 is there",
    )
    assert (await local.do(Action.UPGRADE_PACKAGES, name="toy")).summary == "Upgraded toy with uv."
    assert (await local.do(Action.REMOVE_PACKAGE, name="toy")).summary == "Removed toy with uv."
    assert "toy" not in manifest(python)
    await local.do(Action.ADD_PACKAGE, "add toy as a dev dependency", name="toy")
    assert "dependency-groups" in manifest(python)


async def test_known_weaknesses(javascript: Path) -> None:
    local = Local(javascript)
    await local.do(Action.ADD_PACKAGE, name="toy")
    (javascript / "package.json").write_text('{"name": "shop", "dependencies": {"toy": "1.0.0"}}')
    await local.do(Action.UPGRADE_PACKAGES)
    weak = await local.do(Action.AUDIT)
    assert (weak.ok, weak.summary) == (False, "1 known weakness, in toy.")
    assert weak.detail.startswith("toy: It leaks (high; fixed in ")


async def test_what_the_rules_forbid_is_told_with_what_to_use(python: Path) -> None:
    wheel(python.parent / "wheels", "flask", "3.0")
    error = await fails(Local(python), Action.ADD_PACKAGE, name="flask")
    assert error.code == "forbidden"
    assert error.message == "your rules forbid Flask"
    assert error.hint == "Use FastAPI instead"
    assert "flask" not in manifest(python)


async def test_with_several_tools_the_right_one_or_the_chosen_one(python: Path) -> None:
    (python / "package.json").write_text("{}")
    local = Local(python)
    local.reply = lambda asked: Answered(asked.question, True, choice="uv")
    wheel(python.parent / "wheels", "httpx", "1.0")
    assert (await local.do(Action.ADD_PACKAGE, name="httpx")).summary == "Added httpx with uv."
    assert local.asked == []
    assert (await local.do(Action.ADD_PACKAGE, name="toy")).summary == "Added toy with uv."
    assert [choice.label for choice in local.asked[0].choices] == ["uv", "npm"]
    local.reply = lambda asked: Answered(asked.question, False)
    assert (await fails(local, Action.REMOVE_PACKAGE, name="toy")).code == "not_chosen"


async def test_what_cannot_be_done(python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = Local(python)
    assert (await fails(local, Action.ADD_PACKAGE, name="nosuch")).code == "packages_failed"
    assert (await fails(local, Action.ADD_PACKAGE, name="--index-url=x")).code == "bad_name"
    assert (await fails(local, Action.ADD_PACKAGE)).code == "no_names"
    (tmp_path / "empty").mkdir()
    nothing = Local(tmp_path / "empty")
    assert (await fails(nothing, Action.ADD_PACKAGE, name="httpx")).code == "needs_agent"
    assert (await fails(nothing, Action.OUTDATED)).code == "no_manifest"
    (python / ".mybro").mkdir()
    (python / ".mybro" / "rules.toml").write_text("[[")
    assert (await fails(local, Action.ADD_PACKAGE, name="toy")).code == "rules_invalid"
    monkeypatch.setenv("PATH", "/nowhere")
    assert (await fails(local, Action.OUTDATED)).code == "no_program"


async def test_stop_ends_the_tool_with_all_its_children(
    python: Path, bare_machine: Path, tmp_path: Path
) -> None:
    beat = tmp_path / "beat"
    beat.touch()
    tool = bare_machine / "uv"
    tool.write_text(f"#!/bin/sh\n(while :; do echo x >>{beat}; sleep 0.02; done) &\nwait\n")
    tool.chmod(0o755)
    local = Local(python)
    running = asyncio.create_task(local.do(Action.ADD_PACKAGE, name="toy"))
    await asyncio.to_thread(written, beat)
    await local.hand.stop()
    assert silent(beat)
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_undo_takes_a_package_out_again(python: Path, tmp_path: Path) -> None:
    shutil.rmtree(python / ".git")
    git(python, "init", "-q", "-b", "main")
    before = manifest(python)
    ends: asyncio.Queue[Event] = asyncio.Queue()

    async def emit(event: Event) -> None:
        if isinstance(event, JobFinished | JobFailed):
            await ends.put(event)

    store = CheckpointStore(tmp_path / "checkpoints", python)
    hands = (LocalHand(ExecutorSettings()),)
    executor = Executor(ExecutorSettings(), python, emit, hands, store, MonotonicClock())
    try:
        given = Arguments(name="toy")
        intent = Intent(kind="local", action=Action.ADD_PACKAGE, arguments=given, text="add toy")
        await executor.start(1, 1, intent)
        async with asyncio.timeout(120):
            end = await ends.get()
        assert isinstance(end, JobFinished), end
        assert {"pyproject.toml", "uv.lock"} <= set(end.outcome.changed)
        await executor.undo()
        assert manifest(python) == before
        assert not (python / "uv.lock").exists()
    finally:
        await executor.aclose()
