"""A stop with nothing at work: what a finished job left running ends too, and is told."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from mybro import events as ev
from mybro.config import load_settings
from mybro.pipeline.session import Session, session
from tests.claude_api import ScriptedServer
from tests.claude_api.replies import bash, text
from tests.claude_fixtures import claude_api, claude_bin, claude_env
from tests.fakes import ops
from tests.fakes.ops import silent, writers
from tests.program import processes_with
from tests.projects import shop

__all__ = ["claude_api", "claude_bin", "claude_env", "shop"]
pytestmark = pytest.mark.end_to_end

LIMIT_S = 60
_LEAVES = """import os, subprocess, unittest

class Leave(unittest.TestCase):
    def test(self):
        subprocess.Popen({argv!r}, start_new_session=True, env={env}, stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""


class Room:
    """A session, and what it said."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[ev.Event] = asyncio.Queue()
        self.running: Session

    def watch(self, envelope: ev.Envelope) -> None:
        self.events.put_nowait(envelope.event)

    async def say(self, sentence: str) -> None:
        await self.running.pipeline.post(ev.Typed(self.running.pipeline.next_turn(), sentence))

    async def first(self, kind: type[ev.Event]) -> ev.Event:
        async with asyncio.timeout(LIMIT_S):
            while not isinstance(event := await self.events.get(), kind):
                pass
        return event


def leave(repo: Path, kind: str, env: str) -> tuple[str, Path]:
    """A test of the repository that leaves a process of this kind; the command, and the file it writes."""
    file = repo / f"left_{kind}.txt"
    argv = [sys.executable, str(Path(ops.__file__).resolve()), kind, str(file), "left"]
    (repo / f"test_leave_{kind}.py").write_text(_LEAVES.format(argv=argv, env=env))
    return f"python3 -m unittest test_leave_{kind}", file


def lives(process: psutil.Process) -> bool:
    """Whether it runs; a zombie that nobody has buried yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(("kind", "env"), [("term_ignoring", "{}"), ("double_fork", "dict(os.environ)")])
async def test_what_a_finished_job_left_running_ends_and_is_told(
    kind: str, env: str, claude_bin: str, claude_env: dict[str, str], claude_api: ScriptedServer, shop: Path,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name, value in claude_env.items():
        if name != "PATH":
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    settings = load_settings(
        {
            "brain": {"provider": "none"}, "speak": {"backend": "none", "notify": False},
            "executor": {"claude_path": claude_bin},
        }
    )  # fmt: skip
    command, file = leave(shop, kind, env)
    claude_api.when("start the server", [bash(command), text("It runs.")])
    room = Room()
    async with session(settings, shop, (room.watch,), ears=False) as room.running:
        await room.say("start the server please")
        assert isinstance(await room.first(ev.JobFinished), ev.JobFinished)
        left = writers(file)
        assert left
        await room.say("stop")
        swept = await room.first(ev.Swept)
        assert isinstance(swept, ev.Swept)
        assert swept.stopped == 0
        assert [name for name in swept.ended if name.startswith("python") and "ops.py" in name], swept
        assert not [process for process in left if lives(process)]
        assert silent(file)
        said = await room.first(ev.SayStarted)
        assert isinstance(said, ev.SayStarted)
        assert said.text.startswith("Ended what an earlier job had left running: python")
        await room.say("stop")
        said = await room.first(ev.SayStarted)
        assert isinstance(said, ev.SayStarted)
        assert said.text == "Nothing is running."
        # The session itself goes on, warm.
        await room.say("start the server please")
        assert isinstance(await room.first(ev.JobFinished), ev.JobFinished)
    assert silent(file)
    assert processes_with(Path(claude_env["HOME"])) == []
