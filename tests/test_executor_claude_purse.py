"""Budgets of sessions and of days."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro.executor.claude.faults import TurnError
from mybro.executor.claude.purse import DayBudget, Purse, day_budget

pytestmark = pytest.mark.unit
DAY = 86_400.0


class Wall:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def test_without_a_budget_there_is_no_limit() -> None:
    purse = Purse(None, None)
    assert purse.ceiling(5.0) is None
    assert purse.open(5.0) is None


def test_a_session_may_spend_the_least_of_both(tmp_path: Path) -> None:
    day = DayBudget(10.0, tmp_path / "spent")
    purse = Purse(3.0, day)
    assert purse.open(1.0) == 2.0
    purse.spend(9.5)
    purse.close()
    assert purse.ceiling(1.0) == 0.5
    with pytest.raises(TurnError, match="used up its budget of 3 dollars"):
        purse.open(3.0)
    purse.spend(0.5)
    with pytest.raises(TurnError, match="Today's coding budget of 10 dollars is used up"):
        purse.open(1.0)


def test_turns_at_the_same_time_do_not_exceed_it_together(tmp_path: Path) -> None:
    day = DayBudget(9.0, tmp_path)
    one, two, three = (Purse(None, day) for _ in range(3))
    promised = [purse.open(0.0) for purse in (one, two, three)]
    assert sum(usd or 0.0 for usd in promised) <= 9.0
    assert promised[0] == 3.0
    one.spend(3.0)
    assert "share of today's coding budget" in one.empty(3.0).message
    one.close()
    with pytest.raises(TurnError, match="share"):
        one.open(3.0)
    for purse in (two, three):
        purse.close()
    assert one.open(3.0) == 2.0


def test_a_new_day_begins_anew_and_another_process_counts(tmp_path: Path) -> None:
    wall = Wall()
    day, other = (DayBudget(1.0, tmp_path, wall) for _ in range(2))
    day.spend(0.25)
    other.spend(0.25)
    other.spend(0.0)
    with next(tmp_path.iterdir()).open("a") as file:
        file.write("nonsense\n-5\n")
    assert day.spent_usd == 0.5
    wall.now += DAY
    assert day.spent_usd == 0.0
    for _ in range(60):
        wall.now += DAY
        day.spend(0.1)
    assert len(list(tmp_path.iterdir())) == 40


def test_all_sessions_of_a_process_share_one(tmp_path: Path) -> None:
    assert day_budget(5.0, tmp_path) is day_budget(5.0, tmp_path)
    assert day_budget(None, tmp_path) is None
    blocked = tmp_path / "file"
    blocked.touch()
    DayBudget(1.0, blocked / "spent").spend(1.0)
