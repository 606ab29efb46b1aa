"""Budgets are kept: the real CLI, against a model whose answers are counted by what it gave."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import JobProgressed
from mybro.executor.claude.faults import TurnError
from tests.claude_api import ScriptedServer, bash, text, tool, tools
from tests.fakes.claude import Desk

pytest_plugins = ["tests.claude_fixtures"]
pytestmark = pytest.mark.integration


@pytest.fixture
def counting(claude_api: ScriptedServer) -> ScriptedServer:
    claude_api.weighs = True
    return claude_api


def afresh(desk: Desk, budget_usd: float | None, day_usd: float | None = None) -> None:
    """What a person has who sets a budget and begins anew."""
    path = desk.settings.claude_path
    desk.settings = ExecutorSettings(claude_path=path, budget_usd=budget_usd, budget_day_usd=day_usd)
    desk.hand = desk.new_hand()


async def spent_by(desk: Desk, words: str) -> TurnError:
    with pytest.raises(TurnError) as raised:
        await desk.do(words)
    assert raised.value.code == "budget_spent"
    assert not raised.value.retryable
    return raised.value


async def raised_and_done(desk: Desk, words: str) -> None:
    """With a higher budget, the same session goes on."""
    before = desk.store.load(desk.repo)
    await desk.hand.aclose()
    afresh(desk, 50.0)
    outcome = await desk.do(words)
    assert before is not None
    assert (outcome.summary, outcome.session) == ("All done.", before.session)


async def test_many_steps_end_before_the_budget(desk: Desk, counting: ScriptedServer) -> None:
    counting.when("go on and on", [*[bash("echo on")] * 40, text("Never said.")])
    counting.when("all the rest", [text("All done.")])
    afresh(desk, 0.3)
    problem = await spent_by(desk, "go on and on")
    assert 0.2 < counting.charged_usd <= 0.3
    assert "of its budget of 0.30 dollars, so I stopped it before its next step" in problem.message
    assert problem.outcome is not None
    assert problem.outcome.cost_usd == pytest.approx(counting.charged_usd, rel=0.02)
    steps = [e.so_far.cost_usd for e in desk.events if isinstance(e, JobProgressed) and e.so_far]
    assert steps == sorted(steps)
    assert steps[-1] == pytest.approx(counting.charged_usd, rel=0.02), "it is told while it goes on"
    told = f"has spent {counting.charged_usd:.2f} dollars"
    assert told in problem.message
    requests = len(counting.requests)
    again = await spent_by(desk, "go on and on")  # and nothing is sent
    assert told in again.message
    assert len(counting.requests) == requests
    await raised_and_done(desk, "all the rest")


async def test_a_first_step_that_would_be_too_dear_is_not_sent(desk: Desk, counting: ScriptedServer) -> None:
    """At first by what such a step is taken for, then by what it was: the prompt alone makes it dear."""
    counting.when("hello", [text("All done.")])
    long = f"hello {'and so on ' * 20_000}"
    afresh(desk, 0.05)
    problem = await spent_by(desk, "hello")
    assert problem.message.startswith(
        "The coding session has a budget of 5 cents, so I did not begin its first"
    )
    assert problem.outcome is None
    afresh(desk, 0.3)
    problem = await spent_by(desk, long)
    assert "which may cost 0." in problem.message
    assert counting.requests == []
    assert (await desk.do("hello")).summary == "All done."
    seen = desk.store.first_step("default")
    assert seen is not None
    given = len(str(counting.requests[0].body)) / 4
    assert seen.model == "claude-opus-5-5"
    assert seen.tokens == pytest.approx(given, rel=0.2)
    desk.store.save(desk.repo, None)
    afresh(desk, 0.1)
    assert (await desk.do("hello")).summary == "All done."


async def test_a_conversation_is_summed_up_only_where_the_budget_holds_it(
    desk: Desk, counting: ScriptedServer
) -> None:
    """What the CLI does by itself, unseen, when the context has grown to a million tokens."""
    tokens = [20_000, 30_000, 40_000, 970_000]
    steps = [bash("echo on " * 500, usage={"input_tokens": count, "output_tokens": 50}) for count in tokens]
    summary = "<summary>It was long.</summary>"
    counting.when("go on and on", [*steps, text("Never said.")])
    counting.when("create a detailed summary", [text(summary, usage={"input_tokens": 971_000})])
    counting.when("all the rest", [text("All done.")])
    afresh(desk, 10.0)
    problem = await spent_by(desk, "go on and on")
    assert "so I stopped it before it summed up its long conversation, which may cost" in problem.message
    assert counting.charged_usd == pytest.approx(sum(tokens) * 4e-6, rel=0.01)
    await desk.hand.aclose()
    afresh(desk, 30.0)
    assert (await desk.do("all the rest")).summary == "All done."
    assert [request.phrase for request in counting.requests[-2:]] == [
        "create a detailed summary",
        "all the rest",
    ]


async def test_a_dear_step_is_not_taken(desk: Desk, counting: ScriptedServer) -> None:
    """What a tool gave would make the next step dear: 200,000 characters."""
    for number in range(10):
        (desk.repo / f"big{number}.txt").write_text("a line of some text\n" * 1000)
    files = [("Read", {"file_path": str(desk.repo / f"big{number}.txt")}) for number in range(10)]
    counting.when("read all", [bash("echo one"), tools(*files), text("All read.")])
    afresh(desk, 0.3)
    problem = await spent_by(desk, "read all of it")
    assert counting.charged_usd <= 0.3
    assert len(counting.requests) == 2
    assert "before its next step, which may cost 0." in problem.message


async def test_a_long_answer_is_cut_short(desk: Desk, counting: ScriptedServer) -> None:
    counting.when("talks on", [bash("echo one"), text("word " * 12_000, word_delay_s=0.05, quick_words=2800)])
    counting.when("all the rest", [text("All done.")])
    afresh(desk, 0.16)
    problem = await spent_by(desk, "somebody who talks on")
    assert 0.08 < counting.charged_usd <= 0.16
    assert "so I stopped it in the middle of a step" in problem.message
    await raised_and_done(desk, "all the rest")


async def test_helpers_of_the_model_count(desk: Desk, counting: ScriptedServer) -> None:
    task = {"description": "look", "prompt": "small errand", "subagent_type": "general-purpose"}
    counting.when("big task", [tool("Agent", task), text("Never said.")])
    counting.when("small errand", [*[bash("echo on")] * 40, text("Never said.")])
    afresh(desk, 0.3)
    await spent_by(desk, "a big task")
    assert 0.2 < counting.charged_usd <= 0.3
    assert len(counting.requests) > 3


async def test_a_days_budget_holds_for_a_session_that_is_taken_up_again(
    desk: Desk, counting: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    counting.when("go on and on", [*[bash("echo on")] * 40, text("Never said.")])
    afresh(desk, None, 0.3)
    problem = await spent_by(desk, "go on and on")
    assert problem.message.startswith("With only ")
    assert " cents left of today's coding budget of 0.30 dollars, I stopped it before" in problem.message
    await desk.hand.aclose()
    requests = len(counting.requests)
    afresh(desk, None, 0.3)
    with pytest.raises(ExecutorError, match="before its next step"):
        await desk.do("go on and on")
    assert len(counting.requests) == requests
    assert 0.15 < counting.charged_usd <= 0.3


async def test_what_a_killed_process_has_cost_is_known(desk: Desk, counting: ScriptedServer) -> None:
    counting.when("talks on", [text("word " * 400, word_delay_s=0.05)])
    counting.when("remember", [text("I do.")])
    first = await desk.do("remember blue")
    running = desk.start("somebody who talks on")
    await desk.until(lambda e: isinstance(e, JobProgressed) and e.text == "word ")
    for process in psutil.Process().children(recursive=True):
        if "stream-json" in process.cmdline():
            os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(TurnError) as raised:
        await running
    assert raised.value.outcome is not None
    assert raised.value.outcome.cost_usd >= first.cost_usd
