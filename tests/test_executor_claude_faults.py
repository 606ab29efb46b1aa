"""Every fault ends in a sentence that is true, and the session goes on."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import JobProgressed
from mybro.executor.claude.faults import TurnError
from mybro.executor.claude.turn import MODEL_SILENCE_S
from tests.claude_api import ScriptedServer, bash, broken, error, first, text
from tests.claude_api.replies import Break
from tests.claude_fixtures import environment
from tests.fakes.audio import ManualClock
from tests.fakes.claude import Desk

pytest_plugins = ["tests.claude_fixtures"]
pytestmark = pytest.mark.integration


TEN_CENTS = text("Hello.", usage={"input_tokens": 20_000, "output_tokens": 1000})
"""A first step as large as real ones, at Opus 5.5's prices."""


async def fail(desk: Desk, words: str) -> TurnError:
    with pytest.raises(TurnError) as raised:
        await desk.do(words)
    return raised.value


FAULTS = [
    (error(400), "request_refused", "refused the request with status 400", False),
    (error(400, "Your credit balance is too low"), "no_credit", "no credit left", False),
    (error(400, "prompt is too long: 9 tokens > 8 maximum"), "too_long", "too long", False),
    (error(413), "too_long", "too long", False),
    (error(404), "no_such_model", "does not know the model", False),
    (error(429), "rate_limited", "rate limit", True),
    (error(500), "server_error", "server has a fault", True),
    (error(529), "overloaded", "overloaded", True),
    (broken("cut"), "network_down", "connection to Claude broke", True),
    (broken("reset"), "network_down", "connection to Claude broke", True),
    (broken("bad_json"), "bad_answer", "could not be read", True),
    (broken("html"), "bad_answer", "could not be read", True),
    (broken("sse_error"), "bad_answer", "could not be read", True),
    (error(401), "claude_signed_out", "not signed in", False),
    (error(403), "claude_signed_out", "not signed in", False),
]


async def test_each_fault_is_told_and_the_session_goes_on(desk: Desk, claude_api: ScriptedServer) -> None:
    desk.env["CLAUDE_CODE_MAX_RETRIES"] = "1"
    desk.hand = desk.new_hand()
    claude_api.when("go on", [text("Here I am.")])
    for script, code, words, retryable in FAULTS:
        claude_api.when("go wrong", [script])
        problem = await fail(desk, "go wrong")
        assert (problem.code, problem.retryable) == (code, retryable)
        assert words in problem.message, code
        assert (await desk.do("go on")).summary == "Here I am."


async def test_a_passing_fault_is_shown_and_got_over(desk: Desk, claude_api: ScriptedServer) -> None:
    claude_api.when("busy", first(1, error(529), text("Done after all.")))
    assert (await desk.do("a busy hour")).summary == "Done after all."
    assert desk.progress() == ["Claude is overloaded; trying again"]


async def test_an_answer_that_is_as_long_as_it_may_be_goes_on(desk: Desk, claude_api: ScriptedServer) -> None:
    half = replace(text("The first half"), stop_reason="max_tokens")
    claude_api.when("tell all", [half, text("and the rest.")])
    assert (await desk.do("tell all")).summary == "and the rest."


async def test_a_failed_turn_tells_what_it_cost(desk: Desk, claude_api: ScriptedServer) -> None:
    claude_api.when("half way", [bash("echo one"), error(400)])
    problem = await fail(desk, "only half way")
    assert problem.outcome is not None
    assert problem.outcome.cost_usd > 0
    assert problem.outcome.session


@pytest.mark.parametrize("how", ["pings", "silence"])
async def test_a_model_that_hangs(how: Break, desk: Desk, claude_api: ScriptedServer) -> None:
    clock = desk.clock = ManualClock()
    desk.hand = desk.new_hand()
    claude_api.when("hang", [broken(how)])
    claude_api.when("go on", [text("Here I am.")])
    running = desk.start("hang")
    await asyncio.to_thread(_asked, claude_api)
    await clock.advance(MODEL_SILENCE_S - 1)
    assert not running.done()
    await clock.advance(2)
    with pytest.raises(TurnError, match="no sign of life for 5 minutes") as raised:
        await running
    assert raised.value.code == "claude_silent"
    assert (await desk.do("go on")).summary == "Here I am."


def _asked(api: ScriptedServer) -> None:
    while not api.requests:
        time.sleep(0.01)


async def test_a_tool_may_be_silent_for_longer(desk: Desk, claude_api: ScriptedServer) -> None:
    clock = desk.clock = ManualClock()
    desk.hand = desk.new_hand()
    claude_api.when("slow tool", [bash("python3 -c 'import time; time.sleep(60)'"), text("Done.")])
    running = desk.start("slow tool")
    await desk.until(lambda event: isinstance(event, JobProgressed) and event.kind == "step")
    await clock.advance(MODEL_SILENCE_S + 1)
    assert not running.done()
    await clock.advance(desk.settings.turn_timeout_s)
    with pytest.raises(TurnError, match="30 minutes"):
        await running


async def test_no_network_at_all(desk: Desk, claude_api: ScriptedServer) -> None:
    desk.env["CLAUDE_CODE_MAX_RETRIES"] = "1"
    desk.hand = desk.new_hand()
    claude_api.when("hello", [text("Hello.")])
    await desk.do("hello there")
    claude_api.stop()
    assert (await fail(desk, "hello again")).code == "network_down"


async def test_a_budget_is_kept(desk: Desk, claude_api: ScriptedServer) -> None:
    desk.settings = ExecutorSettings(claude_path=desk.settings.claude_path, budget_usd=0.24)
    desk.hand = desk.new_hand()
    claude_api.when("hello", [TEN_CENTS])
    for _ in range(2):
        assert (await desk.do("hello there")).ok
    spent = await fail(desk, "hello there")
    assert (spent.code, spent.retryable) == ("budget_spent", False)
    assert "has spent 0.20 dollars of its budget of 0.24 dollars" in spent.message
    requests = len(claude_api.requests)
    desk.hand = desk.new_hand()
    assert (await fail(desk, "hello once more")).code == "budget_spent"
    assert len(claude_api.requests) == requests


async def test_a_days_budget_is_kept_over_sessions_and_restarts(
    desk: Desk, claude_api: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    desk.settings = ExecutorSettings(claude_path=desk.settings.claude_path, budget_day_usd=0.24)
    desk.hand = desk.new_hand()
    claude_api.when("hello", [TEN_CENTS])
    for _ in range(2):
        assert (await desk.do("hello there")).ok
    await desk.hand.aclose()
    desk.hand = desk.new_hand()
    spent = await fail(desk, "hello there")
    assert spent.code == "budget_spent"
    assert "4 cents left of today's coding budget of 0.24 dollars" in spent.message
    requests = len(claude_api.requests)
    assert (await fail(desk, "hello once more")).code == "budget_spent"
    assert len(claude_api.requests) == requests


async def test_signed_out(desk: Desk, claude_api: ScriptedServer, tmp_path: Path) -> None:
    claude_api.when("hello", [text("Hello.")])
    del desk.env["ANTHROPIC_API_KEY"]
    desk.hand = desk.new_hand()
    problem = await fail(desk, "hello there")
    assert problem.code == "claude_signed_out"
    assert "Run `claude` once" in str(problem)
    desk.env.update(environment(tmp_path / "home", claude_api.url))
    desk.hand = desk.new_hand()
    assert (await desk.do("hello there")).summary == "Hello."


async def test_a_program_that_is_not_claude(desk: Desk) -> None:
    desk.settings = ExecutorSettings(claude_path="/bin/true")
    desk.hand = desk.new_hand()
    with pytest.raises(ExecutorError, match="ended unexpectedly"):
        await desk.do("hello there")
