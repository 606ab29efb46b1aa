"""What a step begins with, as the CLI counts it, and what that makes of a step's costs."""

from __future__ import annotations

from typing import Any

import pytest

from mybro.executor.claude import protocol
from mybro.executor.claude.context import Context, can_count, read
from mybro.executor.claude.messages import HookAsked, StepBegan, StepEnded
from mybro.executor.claude.meter import Meter

pytestmark = pytest.mark.unit

OPUS = {"resolvedModel": "opus", "description": "Opus · $4/$20 per Mtok"}
SMALL = Context("opus", 10_000.0, {"mcp__a__b": 500.0})


def category(name: str, tokens: int, kind: str = "used") -> dict[str, Any]:
    return {"id": name, "name": name, "tokens": tokens, "kind": kind}


def metered(known_usd: float = 0.0, known_fixed: float = 0.0) -> Meter:
    meter = Meter(lambda: 0.0, known_usd=known_usd, known_fixed=known_fixed, first_tokens=500_000.0)
    meter.prices.list_models([OPUS])
    return meter


def test_what_is_used_counts_beside_the_conversation() -> None:
    told = {
        "model": "opus",
        "categories": [
            category("system_prompt", 2000), category("messages", 900), category("mcp_tools", 700),
            category("mcp_tools_deferred", 5000, "deferred"), category("free_space", 10**6, "free"),
        ],
        "mcpTools": [
            {"name": "mcp__a__b", "tokens": 700, "isLoaded": True},
            {"name": "mcp__a__later", "tokens": 5000, "isLoaded": False},
        ],
    }  # fmt: skip
    counted = read(told)
    assert counted is not None
    assert counted.model == "opus"
    assert 2700 < counted.fixed < 2720, "the name of a tool that is told later is told at once"
    assert counted.of(["mcp__a__later"]) == 5000
    assert counted.of(["mcp__a__b", "unknown"]) > 700
    assert counted.of([]) == 0


@pytest.mark.parametrize("told", [{}, {"categories": 1}, {"categories": [{}], "mcpTools": [], "model": ""}])
def test_an_answer_of_another_kind_counts_nothing(told: dict[str, Any]) -> None:
    assert read(told) is None


def test_a_cli_that_would_count_for_money_is_not_asked() -> None:
    assert can_count("2.1.329")
    assert can_count("2.2.0-beta")
    assert not any(can_count(version) for version in ("2.1.328", "2.1.9", "1.9.999", "", None, "nonsense"))


def test_tools_that_were_looked_for_are_named_to_the_meter() -> None:
    found = [{"type": "tool_reference", "tool_name": "mcp__a__b"}, {"type": "text", "text": "and"}]
    calls = [
        {"tool_name": "ToolSearch", "tool_response": found},
        {"tool_name": "Bash", "tool_response": "on"},
    ]
    asked = {"subtype": "hook_callback", "callback_id": "step", "input": {"tool_calls": calls}}
    line = protocol.line({"type": "control_request", "request_id": "r", "request": asked})
    (hook,) = protocol.parse(line)
    assert isinstance(hook, HookAsked)
    assert hook.found == ("mcp__a__b",)


def test_a_new_sessions_first_step_is_what_was_counted() -> None:
    meter = metered()
    assert meter.next_usd(None, 2500, context=SMALL) == pytest.approx(
        (13_000 + 1000) * 1.25 * 4e-6 + 1000 * 20e-6
    )


@pytest.mark.parametrize("known", [0.0, 10_000.0, 12_000.0])
def test_a_session_that_is_taken_up_again_costs_more_by_what_is_new(known: float) -> None:
    meter = metered(known_usd=0.2, known_fixed=known)
    assert meter.next_usd(None, 0, context=SMALL) == pytest.approx(0.2)
    larger = Context("opus", 20_000.0, {})
    more = (20_000 - known) * 1.3 * 1.25 * 4e-6 if known else 0.0
    assert meter.next_usd(None, 0, context=larger) == pytest.approx(0.2 + more)


def test_what_is_cached_is_lost_when_a_server_comes_late() -> None:
    meter = metered(known_fixed=10_000.0)
    usage = {"cache_read_input_tokens": 30_000, "cache_creation_input_tokens": 1000}
    meter.take(StepBegan("m1", "opus", usage, None))
    meter.take(StepEnded(100))
    assert meter.next_usd(None, 0, context=SMALL) < 0.02
    late = meter.next_usd(None, 0, context=Context("opus", 20_000.0, {}))
    assert late == pytest.approx((31_100 + 13_000) * 1.25 * 4e-6 + 100 * 20e-6)
