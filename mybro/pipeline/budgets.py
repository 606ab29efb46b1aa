"""What may be spent: as the server's port has it, and as one is told."""

from __future__ import annotations

import asyncio
from typing import Protocol

from mybro.config import ExecutorSettings, data_dir
from mybro.executor.claude.purse import DayBudget
from mybro.ops import settings_file
from mybro.speak import amounts
from mybro.speak.phrases import sentence

_ASKING = frozenset({"budget", "budgets", "allowance", "limit", "left", "remaining", "can", "may", "could"})
_OF_DAY = frozenset({"today", "todays", "day", "days", "daily"})
_OF_SESSION = frozenset({"session", "sessions", "conversation"})


class Limits(Protocol):
    """What may be spent as things are now, in dollars; None for any amount."""

    budget_usd: float | None
    """By one session."""
    budget_day_usd: float | None
    """By all of them in a day."""


def is_meant(words: set[str]) -> bool:
    """Whether a question about costs is one about what may be spent."""
    return bool(words & _ASKING)


def told(words: set[str], limits: Limits, day_usd: float, session_usd: float, whose: str) -> tuple[str, bool]:
    """What is left, of what was spent today and in the session; whether anything is said of the session.

    `words` may name one of the two; `whose` is the session, as in "this session".
    """
    day, session = ("today", limits.budget_day_usd, day_usd), (whose, limits.budget_usd, session_usd)
    known = [one for one in (day, session) if one[1] is not None]
    if not known:
        return "No budget is set, so coding may cost any amount.", False
    of_day, of_session = bool(words & _OF_DAY), bool(words & _OF_SESSION)
    chosen = known if of_day == of_session else [day if of_day else session]
    return " ".join(_left(*one) for one in chosen), session in chosen


def _left(whose: str, limit: float | None, spent: float) -> str:
    if limit is None:
        return sentence(f"{whose} has no budget")
    if spent >= limit:
        return sentence(f"{whose}'s budget of {amounts.money(limit)} is used up")
    return sentence(f"{whose}'s budget is {amounts.money(limit)}, with {amounts.money(limit - spent)} left")


async def spent_today(limits: Limits) -> float:
    """As the budget for a day counts it: what is at work now, too."""
    limit = limits.budget_day_usd
    if limit is None:
        return 0.0
    day = DayBudget(limit, data_dir() / "spent")
    return await asyncio.to_thread(lambda: day.spent_usd)


class SessionBudget:
    """The server's `Budget`."""

    def __init__(self, settings: ExecutorSettings) -> None:
        self._settings = settings

    def limits(self) -> tuple[float | None, float | None]:
        return self._settings.budget_usd, self._settings.budget_day_usd

    async def limit(self, session_usd: float | None, day_usd: float | None) -> None:
        # The coding agent reads them whenever it begins a session of its own.
        self._settings.budget_usd, self._settings.budget_day_usd = session_usd, day_usd
        await asyncio.to_thread(_keep, session_usd, day_usd)


def _keep(session_usd: float | None, day_usd: float | None) -> None:
    for name, value in (("executor.budget_usd", session_usd), ("executor.budget_day_usd", day_usd)):
        if value is None:
            settings_file.discard(name)
        else:
            settings_file.store(name, str(value))
