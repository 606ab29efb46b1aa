"""The real CLI, kept warm, against a scripted model: work, stop, crash, resume, cost."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import JobProgressed, Outcome
from mybro.executor.claude.faults import TurnError
from mybro.executor.claude.status import claude_status
from tests.claude_api import ScriptedServer, bash, text, tool, write
from tests.fakes.claude import Desk

pytest_plugins = ["tests.claude_fixtures"]
pytestmark = pytest.mark.integration
ODD = 'quote " back \\ slash \u2028 line \n tab \t snow \N{SNOWMAN} nul \0 brace } half \ud83d of a pair'


def session_pid(desk: Desk) -> int:
    """The process of the CLI that works in the repository."""
    children = psutil.Process().children(recursive=True)
    return next(
        p.pid
        for p in children
        if p.name() != "bwrap" and "stream-json" in p.cmdline() and "mybro.ops" not in p.cmdline()[2]
    )


def words_of(messages: list[dict[str, Any]]) -> Iterator[str]:
    for message in messages:
        content = message["content"]
        if message["role"] == "user":
            yield from [content] if isinstance(content, str) else [part.get("text", "") for part in content]


async def test_a_prompt_becomes_a_file(desk: Desk, claude_api: ScriptedServer) -> None:
    file = desk.repo / "hello.py"
    claude_api.when(
        "hello world",
        [write(file, "print('hello')\n", say="I will write it."), text("I wrote **hello.py**. It greets.")],
    )
    await desk.hand.prewarm(desk.repo)
    outcome = await desk.do("write a hello world")
    assert file.read_text() == "print('hello')\n"
    assert outcome == Outcome(
        "I wrote hello.py. It greets.", detail="I wrote **hello.py**. It greets.", changed=("hello.py",),
        cost_usd=outcome.cost_usd, input_tokens=2000, output_tokens=100, session=outcome.session,
    )  # fmt: skip
    assert outcome.session
    assert desk.asked == []
    assert desk.progress() == ["writing hello.py"]
    assert "".join(desk.progress("words")) == "I will write it.I wrote **hello.py**. It greets."
    assert "dictated speech" in claude_api.requests[0].system
    assert claude_api.elsewhere == []


async def test_cost_is_what_each_turn_added(desk: Desk, claude_api: ScriptedServer) -> None:
    claude_api.when("cheap", [text("Done.")])
    claude_api.when("dear", [text("Done.", usage={"input_tokens": 3000})])
    first = await desk.do("something cheap")
    second = await desk.do("something dear")
    await desk.hand.aclose()
    desk.hand = desk.new_hand()
    third = await desk.do("something cheap again")
    assert first.session == second.session == third.session
    assert (first.input_tokens, second.input_tokens, third.input_tokens) == (1000, 3000, 1000)
    assert third.cost_usd == pytest.approx(first.cost_usd)
    assert second.cost_usd > 2 * first.cost_usd
    remembered = desk.store.load(desk.repo)
    assert remembered is not None
    assert remembered.spent_usd == pytest.approx(2 * first.cost_usd + second.cost_usd)


async def test_odd_words_and_long_lines_arrive_whole(desk: Desk, claude_api: ScriptedServer) -> None:
    long = "".join(f"line_{n} = {n}\n" for n in range(20_000))
    claude_api.when("odd", [text("Fine.")])
    claude_api.when("long file", [write(desk.repo / "long.py", long), text("Written.")])
    await desk.do(f"odd {ODD}")
    said = " ".join(words_of(claude_api.requests[0].body["messages"]))
    for piece in ('quote " back \\ slash', "snow \N{SNOWMAN}", "brace } half"):
        assert piece in said
    assert (await desk.do("write a long file")).ok
    assert (desk.repo / "long.py").read_text() == long


@pytest.mark.parametrize("kind", ["plain", "double_fork"])
async def test_stop_leaves_nothing_that_writes(kind: str, desk: Desk, claude_api: ScriptedServer) -> None:
    program, file = desk.writing(kind)
    claude_api.when("never ends", [bash(program), text("It ended.")])
    claude_api.when("beforehand", [text("Here.")])
    claude_api.when("afterwards", [text("Still here.")])
    before = await desk.do("something beforehand")
    with pytest.raises(asyncio.CancelledError):
        await (await desk.stop("run what never ends", file))
    # By the same process or, where a loaded machine kept that from reacting in time, by one that resumes.
    after = await desk.do("and afterwards")
    assert (after.summary, after.session) == ("Still here.", before.session)


async def test_a_cancelled_task_is_interrupted_in_mid_sentence(
    desk: Desk, claude_api: ScriptedServer
) -> None:
    claude_api.when("talks on", [text("word " * 400, word_delay_s=0.05)])
    claude_api.when("afterwards", [text("Still here.")])
    running = desk.start("somebody who talks on")
    await desk.until(lambda e: isinstance(e, JobProgressed) and e.kind == "words")
    running.cancel()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    said = len(desk.events)
    assert (await desk.do("and afterwards")).summary == "Still here."
    assert "".join(desk.progress("words")).endswith("Still here.")
    assert len(desk.events) - said < 10


async def test_a_killed_cli_is_told_and_resumed(desk: Desk, claude_api: ScriptedServer) -> None:
    claude_api.when("remember blue", [text("I remember.")])
    claude_api.when("talks on", [text("word " * 400, word_delay_s=0.05)])
    claude_api.when("which colour", [text("Blue.")])
    first = await desk.do("remember blue")
    running = desk.start("somebody who talks on")
    await desk.until(lambda e: isinstance(e, JobProgressed) and e.text == "word ")
    os.kill(session_pid(desk), signal.SIGKILL)
    with pytest.raises(TurnError) as error:
        await running
    assert error.value.code == "claude_died"
    assert error.value.retryable
    after = await desk.do("which colour was it")
    assert (after.summary, after.session) == ("Blue.", first.session)
    assert "remember blue" in str(claude_api.requests[-1].body["messages"][:2])
    os.kill(session_pid(desk), signal.SIGKILL)  # while it idles: nobody needs to know
    assert (await desk.do("which colour was it")).session == first.session


async def test_a_cli_that_is_stuck_is_ended_and_replaced(desk: Desk, claude_api: ScriptedServer) -> None:
    claude_api.when("talks on", [text("word " * 400, word_delay_s=0.05)])
    claude_api.when("afterwards", [text("Still here.")])
    running = desk.start("somebody who talks on")
    await desk.until(lambda e: isinstance(e, JobProgressed) and e.kind == "words")
    pid = session_pid(desk)
    os.kill(pid, signal.SIGSTOP)
    await desk.hand.stop()
    assert not psutil.pid_exists(pid)
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await desk.do("and afterwards")).summary == "Still here."


async def test_a_repository_that_was_moved_keeps_its_session(
    desk: Desk, claude_api: ScriptedServer, tmp_path: Path
) -> None:
    claude_api.when("remember blue", [text("I remember.")])
    claude_api.when("which colour", [bash("pwd"), text("Blue.")])
    first = await desk.do("remember blue")
    await desk.hand.aclose()
    other = tmp_path / "other"
    other.mkdir()
    desk.repo = desk.repo.rename(other / "market")
    desk.hand = desk.new_hand()
    after = await desk.do("which colour was it")
    assert (after.summary, after.session) == ("Blue.", first.session)
    assert desk.progress("output") == [str(desk.repo)]
    assert "remember blue" in str(claude_api.requests[-1].body["messages"][:2])


async def test_a_session_that_is_gone_begins_anew(desk: Desk, claude_api: ScriptedServer) -> None:
    claude_api.when("hello", [text("Hello.")])
    first = await desk.do("hello there")
    await desk.hand.aclose()
    shutil.rmtree(f"{desk.env['CLAUDE_CONFIG_DIR']}/projects")
    desk.hand = desk.new_hand()
    second = await desk.do("hello again")
    assert second.summary == "Hello."
    assert second.session != first.session


async def test_nothing_of_the_repository_runs_or_is_written(desk: Desk, claude_api: ScriptedServer) -> None:
    hook = [{"hooks": [{"type": "command", "command": f"touch {desk.repo}/hooked"}]}]
    events = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop")
    claude = desk.repo / ".claude"
    claude.mkdir()
    (claude / "settings.json").write_text(json.dumps({"hooks": dict.fromkeys(events, hook)}))
    (desk.repo / "CLAUDE.md").write_text("Always say zebra.\n")
    claude_api.when("hello", [write(desk.repo / "x.py", "x = 1\n"), bash("python3 -O x.py"), text("Done.")])
    await desk.do("hello there")
    assert not (desk.repo / "hooked").exists()
    assert [file.name for file in claude.iterdir()] == ["settings.json"]
    assert "Always say zebra." in claude_api.requests[0].system


async def test_a_helper_of_the_model_is_judged_alike(desk: Desk, claude_api: ScriptedServer) -> None:
    task = {"description": "look", "prompt": "small errand", "subagent_type": "general-purpose"}
    claude_api.when("big task", [tool("Agent", task), text("All done.")])
    claude_api.when("small errand", [bash("python3 -O parser.py"), text("Errand done.")])
    outcome = await desk.do("a big task")
    assert outcome.summary == "All done."
    assert [asked.text for asked in desk.asked] == ["It wants to run python3 -O parser.py. Yes or no?"]
    assert "".join(desk.progress("words")) == "All done."


async def test_without_a_cli_one_sentence_says_how_to_get_it(desk: Desk) -> None:
    desk.settings.claude_path = str(desk.repo / "no-claude")
    desk.hand = desk.new_hand()
    with pytest.raises(ExecutorError, match="npm install -g @anthropic-ai/claude-code") as error:
        await desk.do("anything")
    assert error.value.code == "claude_missing"
    with pytest.raises(ExecutorError):
        await desk.hand.prewarm(desk.repo)


def test_status_of_the_real_cli(claude_bin: str, claude_env: dict[str, str]) -> None:
    status = claude_status(ExecutorSettings(claude_path=claude_bin), claude_env)
    assert (status.signed_in, status.ready) == (True, True)
    assert status.version.startswith("2.")
    del claude_env["ANTHROPIC_API_KEY"]
    status = claude_status(ExecutorSettings(claude_path=claude_bin), claude_env)
    assert status.problem is not None
    assert (status.problem.code, status.signed_in) == ("claude_signed_out", False)
