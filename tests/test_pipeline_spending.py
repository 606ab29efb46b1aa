"""What was spent is told at once from the journal, whatever is at work."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from mybro import events as ev
from mybro.brain.grammar import parse
from mybro.config import ExecutorSettings
from mybro.executor.claude.purse import DayBudget
from mybro.intent import Action, Intent
from mybro.journal import JobCost
from mybro.pipeline import effects as do
from mybro.pipeline.effects import TellCosts
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.ports import Stages
from mybro.pipeline.spending import left, spent
from mybro.speak import amounts
from tests.fakes.pipeline import FakeBrain, FakeJournal
from tests.transition_tools import Run, started

pytestmark = pytest.mark.unit

TODAY = date(2026, 3, 12)  # a Thursday
SHOP, BLOG = "/home/ada/shop", "/home/ada/blog"
FIX = JobCost("2026-03-12", 7, "“fix the parser”", SHOP, "", "s2", 0.04, 11_000, 800, 20.0)
ROWS = (
    JobCost("2026-02-27", 1, "“begin”", SHOP, "", "s0", 5.0, 400_000, 9000, 700.0),
    JobCost("2026-03-06", 2, None, SHOP, "", "s1", 1.0, 90_000, 4000, 240.0),
    JobCost("2026-03-09", 3, "“a page”", BLOG, "", "b1", 0.3, 9000, 900, 60.0),
    JobCost("2026-03-11", 4, "Parser agent: “why”", SHOP, "parser agent", "p1", 0.02, 5000, 100, 8.0),
    replace(FIX, usd=0.5, title="“tidy up”", agent="first agent"),
    FIX,
)


def ask(words: str, agent: str | None = None, rows: tuple[JobCost, ...] = ROWS) -> str:
    here = [row for row in rows if row.repo == SHOP]
    return spent(TellCosts(words, agent, working=False), rows, here, TODAY)


TWO = "two jobs cost 54 cents, with 24 thousand tokens in 40 seconds."
ALL_HERE = "four jobs cost 6 dollars 54 cents, with 527 thousand tokens in 16 minutes."


@pytest.mark.parametrize(
    ("words", "agent", "told"),
    [
        ("what did that cost", None, "“fix the parser” cost 4 cents, with 12 thousand tokens in 20 seconds."),
        ("how many tokens did that use", None, "“fix the parser” cost 4 cents, with 12 thousand tokens in"),
        ("how much have you spent today", None, f"Today, {TWO}"),
        ("how much have you spent", None, f"Today, {TWO}"),
        ("how much did you spend yesterday", None, "Yesterday, one job cost 2 cents, with 5100 tokens in 8"),
        ("how much have we spent this week", None, "This week, four jobs cost 86 cents, with 39 thousand"),
        ("what did last week cost", None, "Last week, one job cost 1 dollar, with 94 thousand tokens in 4 m"),
        ("what has this month cost", None, "This month, five jobs cost 1 dollar 86 cents, with 133 thousand"),
        ("what did last month cost", None, "Last month, one job cost 5 dollars, with 409 thousand tokens in"),
        ("what has this session cost", None, f"This session, {TWO}"),
        ("how much have you spent in total", None, "In total, six jobs cost 6 dollars 86 cents, with 542 th"),
        ("how much have you spent", "parser", "In total, the parser agent: one job cost 2 cents, with 5100"),
        ("how much have you spent today", "parser", "Today, the parser agent has cost nothing."),
        ("what did that cost", "parser", "Parser agent: “why” cost 2 cents, with 5100 tokens in 8 seconds."),
        ("how much have you spent", "1", f"In total, the first agent: {ALL_HERE}"),
        ("what did that cost", "docs", "Nothing here has cost anything yet."),
    ],
)
def test_every_question_has_its_answer(words: str, agent: str | None, told: str) -> None:
    assert ask(words, agent).startswith(told)


def test_where_nothing_has_been_spent_or_the_words_are_gone() -> None:
    assert ask("what did that cost", rows=()) == "Nothing here has cost anything yet."
    assert ask("how much have you spent today", rows=()) == "Today, nothing was spent."
    assert ask("what did that cost", rows=ROWS[1:2]).startswith("The last work cost 1 dollar")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "1 second"),
        (59.6, "60 seconds"),
        (150, "2 minutes"),
        (3900, "1 hour 5 minutes"),
        (7200, "2 hours"),
    ],
)
def test_time_as_it_is_said(seconds: float, said: str) -> None:
    assert amounts.duration(seconds) == said


def test_tokens_as_they_are_said() -> None:
    assert [amounts.tokens(count) for count in (0, 1, 1200, 51_600)] == [
        "no tokens", "1 token", "1200 tokens", "52 thousand tokens",
    ]  # fmt: skip


def test_the_question_leaves_a_job_alone() -> None:
    run = Run()
    job = started(run)
    costs = Intent(kind="control", action=Action.COSTS, text="what did that cost", agent="2")
    run.hear(2, costs.text)
    effects = run.feed(ev.Understood(2, costs))
    assert do.TellCosts("what did that cost", "2", working=False) in effects, "tests cost nothing"
    assert list(run.state.jobs) == [job]


@pytest.mark.parametrize("broken", [False, True])
async def test_the_answer_is_said(broken: bool) -> None:
    journal = FakeJournal()
    journal.costs = [FIX]
    seen: list[ev.Event] = []
    pipeline = Pipeline(watchers=(lambda envelope: seen.append(envelope.event),))
    costs = Intent(kind="control", action=Action.COSTS, text="cost?")
    pipeline.attach(Stages(FakeBrain({"cost?": costs}), journal=journal))
    async with pipeline:
        await pipeline.post(ev.Typed(pipeline.next_turn(), "cost?"))
        await pipeline.settled()
        journal.broken = broken
        await pipeline.post(ev.Typed(pipeline.next_turn(), "cost?"))
        await pipeline.settled()
    said = " ".join(event.text for event in seen if isinstance(event, ev.SayStarted))
    assert "“fix the parser” cost 4 cents" in said
    assert ("The disk is full" in said) is broken


@pytest.mark.parametrize(
    ("words", "limits", "told"),
    [
        ("how much budget is left", (None, None), "No budget is set, so coding may cost any amount."),
        ("how much budget is left", (None, 2.0), "Today's budget is 2 dollars, with 1 dollar 50 cents left."),
        ("what is my budget", (1.0, None), "This session's budget is 1 dollar, with 96 cents left."),
        (
            "how much can I spend", (1.0, 0.4),
            "Today's budget of 40 cents is used up. This session's budget is 1 dollar, with 96 cents left.",
        ),
        ("what is my daily budget", (1.0, None), "Today has no budget."),
        ("what is left of the session budget", (None, 2.0), "This session has no budget."),
        ("what is left of today's budget", (1.0, 0.5), "Today's budget of 50 cents is used up."),
    ],
)  # fmt: skip
def test_what_is_left_of_a_budget(words: str, limits: tuple[float | None, float | None], told: str) -> None:
    here = [row for row in ROWS if row.repo == SHOP]
    settings = ExecutorSettings(budget_usd=limits[0], budget_day_usd=limits[1])
    asked = TellCosts(words, None, working=False)
    answer, of_session = left(asked, [*here[:-2], FIX], settings, 0.5)
    assert answer == told
    assert of_session == ("This session" in told)


def test_each_agent_has_a_session_of_its_own() -> None:
    here = [row for row in ROWS if row.repo == SHOP]
    asked = TellCosts("how much budget is left", "parser", working=False)
    answer, _ = left(asked, here, ExecutorSettings(budget_usd=1.0), 0.0)
    assert answer == "The parser agent's budget is 1 dollar, with 98 cents left."
    assert left(asked, [], ExecutorSettings(budget_usd=1.0), 0.0)[0].endswith("with 1 dollar left.")


async def test_what_is_left_is_asked_for_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands in the day's account, where what other programs spend is, too."""
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path))
    DayBudget(2.0, tmp_path / "spent").spend(0.75)
    words = "How much budget is left?"
    understood = parse(words)
    assert understood is not None
    seen: list[ev.Event] = []
    pipeline = Pipeline(watchers=(lambda envelope: seen.append(envelope.event),))
    pipeline.state = replace(pipeline.state, limits=ExecutorSettings(budget_day_usd=2.0))
    pipeline.attach(Stages(FakeBrain({words: understood}), journal=FakeJournal()))
    async with pipeline:
        await pipeline.post(ev.Typed(pipeline.next_turn(), words))
        await pipeline.settled()
    said = " ".join(event.text for event in seen if isinstance(event, ev.SayStarted))
    assert said == "Today's budget is 2 dollars, with 1 dollar 25 cents left."
