"""What an agent's work costs where it tells that late, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from mybro.config import ExecutorSettings
from mybro.executor.acp.costs import Costs
from mybro.executor.claude.faults import TurnError
from mybro.executor.claude.store import FirstStep
from tests.claude_api import ScriptedServer, bash, text
from tests.fakes.acp import AcpDesk

pytest_plugins = ["tests.acp_fixtures"]
pytestmark = pytest.mark.unit


def told(used: float, usd: float | None = None, **more: Any) -> dict[str, Any]:
    cost = {} if usd is None else {"cost": {"amount": usd, "currency": "USD"}}
    return {"sessionUpdate": "usage_update", "used": used, "size": 200_000, **cost, **more}


def begun(known: FirstStep | None = None, counter_usd: float = 0.0, *, fresh: bool = True) -> Costs:
    costs = Costs(known)
    costs.open(counter_usd, fresh=fresh)
    costs.begin()
    return costs


def test_steps_are_taken_for_as_dear_as_those_before_them() -> None:
    costs = begun()
    for used in (10_000, 12_000, 18_000):
        assert costs.take(told(used)) is None
    assert (costs.seen_usd, costs.next_usd) == (0.0, 0.0), "nothing is known of the first turn ever"
    first = costs.take(told(18_000, 0.4))
    assert first is not None
    assert first.tokens == 10_000
    assert first.usd == pytest.approx(0.1)
    assert (costs.seen_usd, costs.is_sure) == (0.4, True)
    assert costs.end() == 0.4
    costs.begin()
    costs.take(told(20_000))
    assert costs.seen_usd == pytest.approx(0.2 * 1.25)
    assert not costs.is_sure
    assert costs.next_usd == pytest.approx(0.4 * 1.25)
    assert costs.end() == pytest.approx(0.25), "it was stopped before it told"
    costs.begin()
    costs.take(told(20_000))
    costs.take(told(20_000, 0.8))
    assert costs.end() == pytest.approx(0.8 - 0.4 - 0.25), "and it tells later"


def test_a_new_session_costs_what_another_one_did() -> None:
    assert begun(FirstStep("", 10_000, 0.1)).next_usd == pytest.approx(0.25)
    assert begun(FirstStep("", 0.0, 0.3)).next_usd == 0.3
    assert begun(FirstStep("", 10_000, 0.1), 1.0, fresh=False).next_usd == 0.0


def test_an_agent_that_tells_only_its_costs() -> None:
    costs = begun()
    assert costs.take(told(0, 0.2)) == FirstStep("", 0.0, 0.2)
    costs.take(told(0, 0.5))
    assert costs.end() == 0.5


def test_an_agent_that_tells_no_costs_has_none() -> None:
    costs = begun()
    costs.take(told(50_000))
    costs.take(told(50_000, usd=None, cost={"amount": 3.0, "currency": "EUR"}))
    assert (costs.end(), costs.next_usd) == (0.0, 0.0)


def test_one_that_drives_claude_code_is_known_beforehand() -> None:
    costs = begun()
    costs.take(told(20_000, _meta={"_claude/model": "opus"}))
    assert costs.seen_usd > 0.05


@pytest.mark.parametrize("amount", [float("nan"), -1, None, "1", 1e300])
def test_nonsense_is_no_cost(amount: object) -> None:
    costs = begun()
    costs.take({"used": amount, "cost": {"amount": amount, "currency": "USD"}})
    assert costs.end() == 0.0


def test_a_counter_goes_on_or_begins_at_nothing() -> None:
    costs = begun(counter_usd=1.0, fresh=False)
    costs.take(told(0, 1.25))
    assert costs.end() == 0.25
    costs.take(told(0, 0.5))
    assert costs.end() == 0.5


def limited(desk: AcpDesk, budget_usd: float) -> None:
    command = desk.settings.acp_command
    desk.settings = ExecutorSettings(agent="acp", acp_command=command, budget_usd=budget_usd)
    desk.hand = desk.new_hand()


@pytest.mark.integration
async def test_an_agent_that_tells_its_costs_late_keeps_its_budget(
    acp_desk: AcpDesk, claude_api: ScriptedServer
) -> None:
    """Also in its first turn ever; and a new session is not begun where it does not hold a first step."""
    claude_api.weighs = True
    claude_api.when("go on and on", [*[bash("echo on")] * 40, text("Never said.")])
    limited(acp_desk, 0.4)
    with pytest.raises(TurnError, match="has spent at most") as raised:
        await acp_desk.do("go on and on")
    assert raised.value.code == "budget_spent"
    assert 0.05 < claude_api.charged_usd <= 0.4
    await acp_desk.hand.aclose()
    acp_desk.store.save(acp_desk.repo, None)
    requests = len(claude_api.requests)
    limited(acp_desk, 0.05)
    with pytest.raises(TurnError, match="budget of 5 cents, so I did not begin its first step"):
        await acp_desk.do("go on and on")
    assert len(claude_api.requests) == requests
