"""What is said to an agent at work, with the real CLI: seen in the same job, told, undone with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from mybro import events as ev
from mybro.config import load_settings
from mybro.pipeline.session import Session, session
from tests.claude_api import ScriptedServer, bash, text, write
from tests.claude_fixtures import claude_api, claude_bin, claude_env
from tests.fakes.ops import silent
from tests.program import processes_with
from tests.projects import shop
from tests.test_pipeline_control import until

__all__ = ["claude_api", "claude_bin", "claude_env", "shop"]
pytestmark = pytest.mark.end_to_end

E = TypeVar("E")
LIMIT_S = 120
WAIT = "python3 -m unittest test_wait"
_WAIT = """import pathlib, time, unittest

class Wait(unittest.TestCase):
    def test(self):
        pathlib.Path("waiting").touch()
        while not pathlib.Path("go").exists():
            time.sleep(0.01)
"""


class Room:
    """A session whose agent waits in a test until it is told to go on."""

    def __init__(self, shop: Path) -> None:
        self.shop = shop
        self.events: list[ev.Event] = []
        self.happened = asyncio.Event()
        self.running: Session
        (shop / "test_wait.py").write_text(_WAIT)

    def watch(self, envelope: ev.Envelope) -> None:
        self.events.append(envelope.event)
        self.happened.set()

    async def say(self, sentence: str) -> None:
        await self.running.pipeline.post(ev.Typed(self.running.pipeline.next_turn(), sentence))

    async def until(self, kind: type[E], count: int = 1) -> E:
        async with asyncio.timeout(LIMIT_S):
            while len(found := [event for event in self.events if isinstance(event, kind)]) < count:
                self.happened.clear()
                await self.happened.wait()
        return found[count - 1]

    async def begin(self) -> None:
        await self.say("write a parser please")
        async with asyncio.timeout(LIMIT_S):
            await until((self.shop / "waiting").exists)

    def go(self) -> None:
        (self.shop / "go").touch()

    @property
    def said(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, ev.SayStarted)]


@pytest.fixture
async def room(
    claude_bin: str, claude_env: dict[str, str], shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Room]:
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
    made = Room(shop)
    async with session(settings, shop, (made.watch,), ears=False) as made.running:
        yield made
    assert processes_with(Path(claude_env["HOME"])) == []


async def test_what_is_added_is_seen_in_the_same_job_and_undone_with_it(
    room: Room, claude_api: ScriptedServer
) -> None:
    parser, tests = room.shop / "parser.py", room.shop / "test_parser.py"
    claude_api.when(
        "write a parser",
        [
            bash(WAIT),
            write(parser, "x = 1\n"),
            write(tests, "y = 1\n"),
            text("The parser and its test stand."),
        ],
    )
    await room.begin()
    await room.say("and also write a test for it")
    added = await room.until(ev.JobAdded)
    assert room.said[-1] == "Added to the work."
    room.go()
    done = await room.until(ev.JobFinished, 2)
    assert done.job == added.job
    (host,) = [
        event for event in room.events if isinstance(event, ev.JobFinished) and event.job == added.into
    ]
    assert host.outcome.summary == "The parser and its test stand."
    assert set(host.outcome.changed) >= {"parser.py", "test_parser.py"}
    assert done.outcome.cost_usd == 0.0
    seen = json.dumps(claude_api.requests[1].body["messages"])
    assert "and also write a test for it" in seen
    assert len(claude_api.requests) == 4, "one turn of four steps"
    await room.say("undo that")
    await room.until(ev.JobFinished, 3)
    assert not parser.exists()
    assert not tests.exists()


async def test_what_comes_too_late_for_the_turn_is_done_by_the_next_of_the_same_job(
    room: Room, claude_api: ScriptedServer
) -> None:
    slow = text("one two three four five six", word_delay_s=0.5)
    claude_api.when("write a parser", [bash("python3 -m unittest test_wait"), slow])
    claude_api.when(
        "also write a test", [write(room.shop / "late.py", "z = 1\n"), text("The test stands too.")]
    )
    await room.begin()
    room.go()
    async with asyncio.timeout(LIMIT_S):
        await until(lambda: len(claude_api.requests) == 2)
    await room.say("and also write a test")
    added = await room.until(ev.JobAdded)
    done = await room.until(ev.JobFinished)
    assert done.job == added.into
    assert done.outcome.summary == "one two three four five six. The test stands too."
    assert "late.py" in done.outcome.changed


async def test_a_question_is_answered_while_the_work_goes_on(room: Room, claude_api: ScriptedServer) -> None:
    claude_api.when(
        "write a parser",
        [bash(WAIT), bash("git status", say="Because the old one is slow."), text("The parser stands.")],
    )
    await room.begin()
    await room.say("why do you write a new one?")
    added = await room.until(ev.JobAdded)
    room.go()
    answer = await room.until(ev.JobAnswered)
    assert answer == ev.JobAnswered(added.job, "Because the old one is slow.")
    last = await room.until(ev.JobFinished, 2)
    assert (last.job, last.outcome.summary) == (added.job, "Because the old one is slow.")
    assert room.said[1:] == [
        "Passed on.",
        "Because the old one is slow.",
        "The parser stands. That cost 2 cents.",
    ]


async def test_a_stop_ends_also_what_was_added_and_not_begun(room: Room, claude_api: ScriptedServer) -> None:
    claude_api.when("write a parser", [bash(WAIT), text("Done.")])
    claude_api.when(
        "also write a test", [write(room.shop / "late.py", "z = 1\n"), text("The test stands too.")]
    )
    await room.begin()
    await room.say("and also write a test")
    added = await room.until(ev.JobAdded)
    waiting = [p for p in psutil.process_iter() if "test_wait" in " ".join(_line(p))]
    assert waiting
    await room.say("stop")
    await room.until(ev.Swept)
    ends = [event.job for event in room.events if isinstance(event, ev.JobStopped)]
    assert ends == [added.into, added.job]
    room.go()
    assert not [p for p in waiting if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert silent(room.shop / "test_wait.py", 1.0)
    assert not (room.shop / "late.py").exists()
    claude_api.when("go on with", [text("I am here.")])
    await room.say("go on with the parser")
    done = await room.until(ev.JobFinished)
    assert done.outcome.summary == "I am here."


def _line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
