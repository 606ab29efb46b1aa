"""What a session costs while it runs, and what its next step is going to cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro.executor.claude.faults import TurnError
from mybro.executor.claude.ledger import Ledger
from mybro.executor.claude.messages import (
    HookAsked,
    Said,
    Started,
    StepBegan,
    StepEnded,
    Thinking,
    TurnEnded,
    Words,
)
from mybro.executor.claude.meter import FIRST_TOKENS, Meter, Prices
from mybro.executor.claude.purse import DayBudget, Purse
from mybro.executor.claude.store import FileSessionStore
from tests.fakes.audio import ManualClock

pytestmark = pytest.mark.unit

OPUS = {"resolvedModel": "opus", "description": "Opus · $4/$20 per Mtok"}
HAIKU = {"resolvedModel": "haiku", "description": "$0.10/$0.50 per Mtok ($0.50/$2.50 for prompts over 100k)"}


def step(
    number: int, tokens: int = 0, agent: str | None = None, read: int = 0, written: int = 0
) -> StepBegan:
    usage = {"input_tokens": tokens, "cache_read_input_tokens": read, "cache_creation_input_tokens": written}
    return StepBegan(f"m{number}", "opus", {**usage, "output_tokens": 1}, agent)


def begun(ledger: Ledger, prompt: str = "go") -> float | None:
    left = ledger.open()
    ledger.begin(prompt, "")
    return left


def stepped(ledger: Ledger, whole: StepBegan, *, gave: int = 100) -> None:
    ledger.take(whole)
    ledger.take(StepEnded(gave))


def why(problem: TurnError | None) -> str:
    assert problem is not None
    return problem.message


def result(usd: float) -> TurnEnded:
    usage = {"opus": {"costUSD": usd, "inputTokens": usd / 4e-6}}
    return TurnEnded(False, "success", "", "s", (), usd, usage, None, "completed")


class Room:
    """Ledgers of sessions, each of a program of its own, with one day's budget."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()

    def ledger(self, name: str = "repo", budget: float | None = None, day: float | None = None) -> Ledger:
        days = DayBudget(day, self.folder / "spent") if day is not None else None
        store = FileSessionStore(self.folder / "sessions")
        made = Ledger(self.folder / name, store, Purse(budget, days), self.clock)
        made.list_models([OPUS, HAIKU, "nonsense", {"description": None}])
        return made


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_prices_are_those_that_the_cli_names_or_charges() -> None:
    prices = Prices()
    assert prices.of("whatever")[1] > 20e-6
    prices.list_models([OPUS, HAIKU])
    assert prices.of("opus") == pytest.approx((4e-6, 20e-6))
    assert prices.of("haiku") == pytest.approx((0.5e-6, 2.5e-6))
    assert prices.of("unknown") == prices.of("opus")
    prices.learn({"unknown": {"costUSD": 0.01, "inputTokens": 500, "outputTokens": 100}})
    assert prices.of("unknown") == pytest.approx((1e-5, 5e-5))
    prices.list_models("nonsense")


def test_a_step_costs_what_its_tokens_cost() -> None:
    meter = Meter(lambda: 0.0)
    meter.prices.list_models([OPUS])
    assert meter.next_usd(None, 0) == pytest.approx(FIRST_TOKENS * 4e-6 + 1000 * 20e-6)
    meter.take(step(1, 1000, read=10_000, written=2000))
    meter.take(step(1, 1000, read=10_000, written=2000))  # told again with each block
    given = (1000 + 1000 + 2500) * 4e-6
    meter.take(Words("x" * 250))
    meter.take(Thinking(chars=250, thought_chars=25, thought=50))
    assert meter.spent_usd == pytest.approx(given + 250 * 20e-6, rel=0.02)
    meter.take(StepEnded(40))
    assert meter.spent_usd == pytest.approx(given + 40 * 20e-6)


def test_the_next_step_is_cheap_while_its_context_is_cached() -> None:
    now = [0.0]
    meter = Meter(lambda: now[0])
    meter.prices.list_models([OPUS])
    meter.take(step(1, 0, read=100_000, written=1000))
    meter.take(StepEnded(100))
    soon = meter.next_usd(None, 250)
    now[0] += 300.0
    late = meter.next_usd(None, 250)
    assert soon == pytest.approx((10_100 + 250) * 4e-6 + 100 * 20e-6)
    assert late == pytest.approx((101_000 + 200) * 1.25 * 4e-6 + 100 * 20e-6)
    assert meter.uncached_usd() == pytest.approx(late, rel=0.01)


def test_helpers_have_contexts_of_their_own(room: Room) -> None:
    ledger = room.ledger(budget=0.2)
    ledger.open()
    stepped(ledger, step(1, 5000))
    assert ledger.ask(HookAsked("h", tool="Agent")) is None
    ledger.take(step(2, 12_000, agent="a"))
    ledger.take(Said("x" * 250, "", "a"))
    assert ledger.ask(HookAsked("h", step=True, agent="a", chars=10)) is None
    ledger.take(step(3, 2000, agent="b"))
    assert "before its next step" in why(ledger.ask(HookAsked("h", step=True, agent="b", chars=100_000)))


def test_what_only_the_result_tells_counts_as_dear_as_it_may_be(room: Room) -> None:
    ledger = room.ledger(budget=0.3)
    begun(ledger)
    stepped(ledger, step(1, 20_000), gave=50)
    assert ledger.ask(HookAsked("h", tool="WebSearch")) is None
    long = HookAsked("h", step=True, chars=50_000)
    assert "has spent at most 0.18 dollars of its budget of 0.30 dollars" in why(ledger.ask(long))
    ledger.settle(result(0.09))
    assert ledger.ask(long) is None


def test_a_new_session_begins_where_the_budget_holds_its_first_step(room: Room) -> None:
    """At first by what such a step is taken for; later by what the last new session began with."""
    with pytest.raises(TurnError, match=r"budget of 0\.10 dollars, so I did not begin its first step"):
        begun(room.ledger("one", budget=0.1))
    with pytest.raises(TurnError, match=r"left of today's coding budget of 0\.10 dollars, I did not begin"):
        begun(room.ledger("one", day=0.1))
    ledger = room.ledger("two", budget=0.3)
    begun(ledger)
    ledger.take(step(1, 10_000))
    ledger.settle(result(0.041))
    assert begun(room.ledger("three", budget=0.1)) == 0.1
    with pytest.raises(TurnError, match="did not begin"):
        begun(room.ledger("four", budget=0.1), "so much " * 6000)


async def test_a_summary_is_made_where_the_budget_holds_it_twice(room: Room) -> None:
    ledger = room.ledger(budget=1.8)
    begun(ledger)
    stepped(ledger, step(1, read=190_000, written=1000))
    summary = HookAsked("h", summary=True)
    assert ledger.ask(summary) is None  # cached, and soon
    await room.clock.advance(600.0)
    told = why(ledger.ask(summary))
    assert "before it summed up its long conversation, which may cost 1.3" in told


def test_an_answer_that_is_too_long_goes_on_only_where_the_budget_holds_it(room: Room) -> None:
    """Nobody asks then."""
    ledger = room.ledger(budget=0.3)
    begun(ledger)
    ledger.take(step(1, 20_000))
    assert ledger.take(StepEnded(100, goes_on=True)) is None
    stepped(ledger, step(2, 20_000))
    ledger.take(step(3, 20_000))
    assert "before its next step" in why(ledger.take(StepEnded(100, goes_on=True)))


def test_a_long_answer_is_cut_short_where_the_budget_does_not_hold_what_it_goes_on_with(room: Room) -> None:
    """Before it is too long: the CLI sends the next request at once."""
    for budget, cut in ((0.3, True), (0.6, False)):
        ledger = room.ledger(f"long {budget}", budget=budget)
        begun(ledger)
        assert ledger.take(step(1, 20_000)) is None
        assert ledger.take(Words("x" * 15_000)) is None
        problem = ledger.take(Words("x" * 5_000))
        assert (problem is not None) == cut
        if cut:
            assert "so I cut its long answer short" in why(problem)
            assert ledger.abandon() < budget


def test_a_turn_that_ends_without_a_result_counts_as_it_was_seen(room: Room) -> None:
    ledger = room.ledger()
    ledger.open()
    ledger.take(Started("s", "opus", "2"))
    ledger.take(step(1, 10_000))
    assert ledger.abandon() == pytest.approx(0.04, rel=0.01)
    assert ledger.abandon() == 0.0
    assert ledger.session == "s"
    assert ledger.spent_usd == pytest.approx(0.04, rel=0.01)


def test_what_was_seen_counts_where_nobody_lives_to_see_the_result(room: Room) -> None:
    killed = room.ledger()
    begun(killed)
    killed.take(Started("s", "opus", "2"))
    killed.take(step(1, 10_000))
    killed.leave()  # as a process that is gone has no lock any more
    after = room.ledger(budget=0.05)
    assert after.session == "s"
    assert after.spent_usd == pytest.approx(0.04, rel=0.01)
    with pytest.raises(TurnError, match="has spent 4 cents of its budget of 5 cents"):
        begun(after)


def test_what_a_step_costs_is_known_after_a_restart(room: Room) -> None:
    ledger = room.ledger(budget=1.0)
    ledger.open()
    stepped(ledger, step(1, 100_000), gave=1000)
    ledger.settle(result(0.42))
    ledger.close()
    ledger.leave()
    again = room.ledger(budget=0.8)
    with pytest.raises(TurnError, match=r"has spent 0\.42 dollars .* which may cost 0\.42 dollars"):
        begun(again)
    again.leave()
    assert begun(room.ledger(budget=1.0)) == pytest.approx(0.58)


def test_two_programs_at_work_keep_one_days_budget(room: Room) -> None:
    """Each is promised all of it, and sees at its next step what the other has spent by then."""
    one, two = room.ledger("one", day=0.2), room.ledger("two", day=0.2)
    spent = [0.0, 0.0]
    going = {0: one, 1: two}
    for ledger in (one, two):
        ledger.open()
    for number in range(40):
        for which, ledger in list(going.items()):
            stepped(ledger, step(number, 5000), gave=50)
            spent[which] += 5000 * 4e-6 + 50 * 20e-6
            problem = ledger.ask(HookAsked("h", step=True, chars=10))
            if problem is not None:
                assert "left of today's coding budget of 0.20 dollars" in problem.message
                del going[which]
    assert not going
    assert 0.15 < sum(spent) <= 0.2
    for ledger, usd in zip((one, two), spent, strict=True):
        ledger.settle(result(usd))
        ledger.close()
    assert DayBudget(0.2, room.folder / "spent").spent_usd == pytest.approx(sum(spent), rel=0.01)


def test_agents_that_tell_only_their_cost_leave_room_for_their_dearest_step(room: Room) -> None:
    ledger = room.ledger(budget=1.0)
    ledger.open()
    assert ledger.running(0.0) is None
    assert ledger.running(0.3) is None
    assert ledger.running(0.3) is None
    assert "has spent 0.75 dollars of its budget of 1.00 dollars" in why(ledger.running(0.75))
