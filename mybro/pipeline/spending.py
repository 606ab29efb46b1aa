"""What was spent, told from the journal: "what did that cost", "how much have you spent today", and what may
be: "how much budget is left".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from mybro.errors import JournalError
from mybro.events import Announce, StageFailed
from mybro.journal.records import JobCost
from mybro.naming import agent_label
from mybro.pipeline import budgets
from mybro.pipeline.budgets import Limits
from mybro.pipeline.effects import TellCosts
from mybro.pipeline.ports import Remembers
from mybro.speak import amounts
from mybro.speak.phrases import counted, sentence
from mybro.words import norms

if TYPE_CHECKING:
    from mybro.pipeline.performer import Loop

_ALL = frozenset({"total", "all", "altogether", "together"})
_SPENT = frozenset({"spent", "spend", "spending", "used", "burned", "expenses", "bill"})
_FIRST = agent_label("1")
_LATER = "What is at work counts when it ends."


async def tell(asked: TellCosts, journal: Remembers | None, loop: Loop) -> None:
    """Have the answer said, whatever else is said or done meanwhile."""
    try:
        costs = await journal.job_costs() if journal is not None else []
    except JournalError as error:
        await loop.post(StageFailed("journal", error.problem))
        return
    here = [cost for cost in costs if journal is not None and cost.repo == journal.repo]
    limits = loop.state.limits
    if limits is not None and budgets.is_meant(set(norms(asked.asked))):
        told, later = left(asked, here, limits, await budgets.spent_today(limits))
    else:
        told, later = spent(asked, costs, here, datetime.now().astimezone().date()), True
    await loop.post(Announce(f"{told} {_LATER}" if asked.working and later else told))


def spent(asked: TellCosts, everywhere: Sequence[JobCost], here: Sequence[JobCost], today: date) -> str:
    """The answer, in a sentence or two.

    A day's costs are those of all repositories, as its budget is; a session's, a job's and an agent's those
    of `here`.
    """
    agent, own = _own(asked, here)
    words = set(norms(asked.asked))
    if words & {"session", "conversation"}:
        return _sum("this session", _latest(own), agent)
    if words & _ALL:
        return _sum("in total", own if agent else everywhere, agent)
    period = _period(words, today)
    if period is None and not words & _SPENT:
        return _job(own[-1]) if own else "Nothing here has cost anything yet."
    if period is None and agent:
        return _sum("in total", own, agent)
    name, first, last = period or ("today", today, today)
    of = own if agent else everywhere
    return _sum(name, [cost for cost in of if first.isoformat() <= cost.day <= last.isoformat()], agent)


def left(asked: TellCosts, here: Sequence[JobCost], limits: Limits, day_usd: float) -> tuple[str, bool]:
    """What may still be spent, in a sentence or two; whether they tell of the session `here`."""
    agent, own = _own(asked, here)
    session_usd = sum(cost.usd for cost in _latest(own))
    whose = f"the {agent}" if agent else "this session"
    return budgets.told(set(norms(asked.asked)), limits, day_usd, session_usd, whose)


def _own(asked: TellCosts, here: Sequence[JobCost]) -> tuple[str | None, list[JobCost]]:
    """The agent that is named, and the costs that are meant: without a name, those of all agents."""
    agent = None if asked.agent is None else agent_label(asked.agent)
    return agent, [cost for cost in here if agent in (None, cost.agent or _FIRST)]


def _latest(costs: Sequence[JobCost]) -> list[JobCost]:
    """Those of the session that was at work last."""
    return [cost for cost in costs if cost.session == costs[-1].session]


def _period(words: set[str], today: date) -> tuple[str, date, date] | None:
    """What it is called, its first and its last day."""
    yesterday = today - timedelta(days=1)
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    if words & {"yesterday", "yesterdays"}:
        return "yesterday", yesterday, yesterday
    if words & {"week", "weeks"}:
        return ("last week", monday - timedelta(days=7), monday - timedelta(days=1)) if "last" in words else (
            "this week", monday, today)  # fmt: skip
    if words & {"month", "months"}:
        before = first - timedelta(days=1)
        return ("last month", before.replace(day=1), before) if "last" in words else (
            "this month", first, today)  # fmt: skip
    if words & {"today", "todays", "day", "far", "now"}:
        return "today", today, today
    return None


def _job(cost: JobCost) -> str:
    return sentence(f"{cost.title or 'the last work'} cost {_amounts([cost])}")


def _sum(period: str, costs: Sequence[JobCost], agent: str | None) -> str:
    who = f"{period}, the {agent}" if agent else period
    if not costs:
        return sentence(f"{who}{' has cost nothing' if agent else ', nothing was spent'}")
    jobs = counted(len(costs), "job")
    return sentence(f"{who}{', ' if not agent else ': '}{jobs} cost {_amounts(costs)}")


def _amounts(costs: Sequence[JobCost]) -> str:
    tokens = sum(cost.input_tokens + cost.output_tokens for cost in costs)
    time = amounts.duration(sum(cost.seconds for cost in costs))
    return f"{amounts.money(sum(cost.usd for cost in costs))}, with {amounts.tokens(tokens)} in {time}"
