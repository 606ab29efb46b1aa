"""Each fault of the API and of the CLI, in a whole session: what is said, what is left, what goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from mybro import events as ev
from mybro.pipeline.session import Session
from tests.claude_api import ScriptedServer, bash, broken, error, first, text, write
from tests.claude_api.replies import Reply
from tests.projects import contents
from tests.whole_session import (
    SILENCE_S,
    SLOW,
    Told,
    claude_api,
    claude_bin,
    claude_env,
    do,
    retries,
    running,
    shop,
    told,
    type_in,
    until,
)

__all__ = ["claude_api", "claude_bin", "claude_env", "retries", "running", "shop", "told"]
pytestmark = pytest.mark.end_to_end

FAULTS: tuple[tuple[str, Reply, str, str], ...] = (
    ("429", error(429), "rate_limited", "Claude's rate limit is reached."),
    ("500", error(500), "server_error", "Claude's server has a fault."),
    ("529", error(529), "overloaded", "Claude is overloaded."),
    ("401", error(401), "claude_signed_out", "Claude Code is not signed in."),
    ("400", error(400), "request_refused", "Claude refused the request with status 400."),
    ("413", error(413), "too_long", "The conversation has grown too long for the model."),
    ("cut", broken("cut"), "network_down", "The connection to Claude broke."),
    ("bad json", broken("bad_json"), "bad_answer", "What came back from Claude could not be read."),
    ("an error in the stream", broken("sse_error"), "bad_answer", "What came back from Claude could not be"),
)


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


async def test_models_that_hang(running: Session, told: Told, claude_api: ScriptedServer, shop: Path) -> None:
    """Two agents at the same time: one hears nothing at all, the other one only that it shall wait."""
    claude_api.when("make it tidy", [text("Here I am.")])
    claude_api.when("hang in silence", [broken("silence")])
    claude_api.when("hang with pings", [broken("pings")])
    await type_in(running, "please make it hang in silence")
    await type_in(running, "new agent: make it hang with pings")
    await running.pipeline.settled()
    failed = [event for event in told.events if isinstance(event, ev.JobFailed)]
    assert [event.problem.code for event in failed] == ["claude_silent"] * 2
    assert told.said().count(f"gave no sign of life for {SILENCE_S} seconds") == 2
    assert running.pipeline.state.jobs == {}
    for who in ("please", "second agent:"):
        assert isinstance(await do(running, told, f"{who} make it tidy"), ev.JobFinished)
        assert "Here I am." in told.said()


@pytest.mark.parametrize("retries", ["1", "6"])
async def test_a_server_that_is_killed_while_a_tool_runs(
    running: Session, told: Told, claude_api: ScriptedServer, shop: Path, retries: str
) -> None:
    """Back after three seconds it is found again; where that is too late, by the next job."""
    (shop / "slow.py").write_text(SLOW.format(1))
    whole = [write(shop / "half.py", "half = 1\n"), bash("python3 -m unittest slow"), text("Done after all.")]
    claude_api.when("work slowly", whole)
    await type_in(running, "please work slowly")
    await until(lambda: "unittest" in told.steps())
    claude_api.stop()
    if retries == "1":
        await running.pipeline.settled()
        failed = told.end()
        assert isinstance(failed, ev.JobFailed)
        assert failed.problem.code == "network_down"
        assert "The connection to Claude broke." in told.said()
        assert failed.outcome is not None
        assert failed.outcome.changed == ("half.py",)
    else:
        await until(lambda: "Ran 1 test" in told.steps())
        await asyncio.sleep(3)
    with ScriptedServer(claude_api.port) as back:
        back.when("work slowly", whole)
        back.when("make it tidy", [text("Here I am.")])
        if retries == "6":
            await running.pipeline.settled()
            done = told.end()
            assert isinstance(done, ev.JobFinished)
            assert "Done after all." in told.said()
            assert "The connection to Claude broke; trying again" in told.steps()
        assert running.pipeline.state.jobs == {}
        assert isinstance(await do(running, told, "please make it tidy"), ev.JobFinished)
        assert "Here I am." in told.said()


async def test_an_answer_that_is_empty_or_as_long_as_it_may_be_is_gone_on_with(
    running: Session, told: Told, claude_api: ScriptedServer
) -> None:
    half = replace(text("The first half"), stop_reason="max_tokens")
    claude_api.when("tell all", [half, text("and the rest.")])
    claude_api.when("say nothing", first(1, text(""), text("Here I am.")))
    for words, said in (("please make it tell all", "And the rest."), ("please make it say nothing", "")):
        assert isinstance(await do(running, told, words), ev.JobFinished)
        assert said in told.said()
        assert running.pipeline.state.jobs == {}


async def test_a_cli_that_is_killed(
    running: Session, told: Told, claude_api: ScriptedServer, shop: Path
) -> None:
    half = write(shop / "half.py", "half = 1\n")
    wait = bash("python3 -m unittest slow")
    (shop / "slow.py").write_text(SLOW.format(60))
    before = contents(shop)
    claude_api.when("work slowly", [half, wait, text("Done.")])
    claude_api.when("make it tidy", [text("Here I am.")])
    await type_in(running, "please work slowly")
    clis = await asyncio.to_thread(_found, lambda: _below("unittest") and _below("stream-json"))
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


def _found(found: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    deadline = time.monotonic() + 120
    while not (processes := found()):
        assert time.monotonic() < deadline
        time.sleep(0.2)  # every look goes over all processes
    return processes
