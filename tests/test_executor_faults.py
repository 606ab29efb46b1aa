"""Each fault of the API and of the CLI, in a whole session: what is said, what is left, what goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from mybro import events as ev
from mybro.config import load_settings
from mybro.pipeline.session import Session, session
from tests.claude_api import ScriptedServer, bash, broken, error, text, write
from tests.claude_api.replies import Reply
from tests.claude_fixtures import claude_api, claude_bin, claude_env
from tests.projects import contents, shop

__all__ = ["claude_api", "claude_bin", "claude_env", "shop"]
pytestmark = pytest.mark.end_to_end

SILENCE_S = 10
"""What a model that hangs is given: also a busy machine starts the CLI within it."""

FAULTS: tuple[tuple[str, Reply, str, str], ...] = (
    ("429", error(429), "rate_limited", "Claude's rate limit is reached."),
    ("500", error(500), "server_error", "Claude's server has a fault."),
    ("529", error(529), "overloaded", "Claude is overloaded."),
    ("401", error(401), "claude_signed_out", "Claude Code is not signed in."),
    ("cut", broken("cut"), "network_down", "The connection to Claude broke."),
    ("hang", broken("silence"), "claude_silent", f"gave no sign of life for {SILENCE_S} seconds"),
    ("bad json", broken("bad_json"), "bad_answer", "What came back from Claude could not be read."),
)


class Told:
    """Everything that a session told."""

    def __init__(self) -> None:
        self.events: list[ev.Event] = []

    def __call__(self, envelope: ev.Envelope) -> None:
        self.events.append(envelope.event)

    def said(self) -> str:
        return " ".join(event.text for event in self.events if isinstance(event, ev.SayStarted))

    def end(self) -> ev.Event:
        """How the only job ended."""
        (end,) = (e for e in self.events if isinstance(e, ev.JobFinished | ev.JobFailed | ev.JobStopped))
        return end


@pytest.fixture
async def told() -> Told:
    return Told()


@pytest.fixture
async def running(
    claude_bin: str, claude_env: dict[str, str], shop: Path, tmp_path: Path, told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Session]:  # fmt: skip
    for name in list(os.environ):
        if name.startswith(("ANTHROPIC_", "CLAUDE", "MYBRO_", "GIT_", "OPENAI_")):
            monkeypatch.delenv(name)
    own = {"MYBRO_DATA_DIR": str(tmp_path / "data"), "MYBRO_CONFIG_FILE": str(tmp_path / "none.toml")}
    for name, value in {**claude_env, **own, "CLAUDE_CODE_MAX_RETRIES": "1"}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(
        {
            "brain": {"provider": "none"}, "speak": {"backend": "none", "notify": False},
            "executor": {"claude_path": claude_bin, "turn_timeout_s": SILENCE_S},
        }
    )  # fmt: skip
    async with session(settings, shop, (told,), ears=False) as running:
        yield running


async def type_in(running: Session, words: str) -> None:
    await running.pipeline.post(ev.Typed(running.pipeline.next_turn(), words))


async def do(running: Session, told: Told, words: str) -> ev.Event:
    """Type a sentence, wait for all that it sets in motion, and return how its job ended."""
    told.events.clear()
    await type_in(running, words)
    await running.pipeline.settled()
    assert running.pipeline.state.jobs == {}
    return told.end()


async def test_each_fault_is_said_and_undone_and_the_session_goes_on(
    running: Session, told: Told, claude_api: ScriptedServer, shop: Path
) -> None:
    before = contents(shop)
    claude_api.when("make it tidy", [text("Here I am.")])
    for name, fault, code, words in FAULTS:
        claude_api.when("go wrong", [write(shop / "half.py", f"name = {name!r}\n"), fault])
        failed = await do(running, told, "please make it go wrong half way")
        assert isinstance(failed, ev.JobFailed), name
        assert failed.problem.code == code, name
        assert words in told.said(), name
        assert failed.outcome is not None
        assert failed.outcome.changed == ("half.py",), name
        assert isinstance(await do(running, told, "undo that"), ev.JobFinished), name
        assert contents(shop) == before, name
        went_on = await do(running, told, "please make it tidy")
        assert isinstance(went_on, ev.JobFinished), name
        assert went_on.outcome.ok
        assert "Here I am." in told.said(), name


async def test_a_cli_that_is_killed(
    running: Session, told: Told, claude_api: ScriptedServer, shop: Path
) -> None:
    half = write(shop / "half.py", "half = 1\n")
    wait = bash("python3 -m unittest slow")
    (shop / "slow.py").write_text(
        "import time, unittest\nclass Slow(unittest.TestCase):\n    def test(self):\n        time.sleep(60)\n"
    )
    before = contents(shop)
    claude_api.when("work slowly", [half, wait, text("Done.")])
    claude_api.when("make it tidy", [text("Here I am.")])
    await type_in(running, "please work slowly")
    clis = await asyncio.to_thread(until, lambda: _below("unittest") and _below("stream-json"))
    os.kill(clis[0].pid, signal.SIGKILL)
    await running.pipeline.settled()
    failed = told.end()
    assert isinstance(failed, ev.JobFailed)
    assert failed.problem.code == "claude_died"
    assert "The coding session ended unexpectedly." in told.said()
    assert _below("unittest") == []
    assert running.pipeline.state.jobs == {}
    await do(running, told, "undo that")
    assert contents(shop) == before
    assert isinstance(await do(running, told, "please make it tidy"), ev.JobFinished)
    assert "Here I am." in told.said()


def _below(word: str) -> list[psutil.Process]:
    """The processes below this one with such an argument, keepers excepted."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if word in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def until(found: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    deadline = time.monotonic() + 120
    while not (processes := found()):
        assert time.monotonic() < deadline
        time.sleep(0.2)  # every look goes over all processes
    return processes
