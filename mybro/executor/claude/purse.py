"""What a session may spend: its own budget, and what all sessions together may spend in a day."""

from __future__ import annotations

import contextlib
import functools
import os
import time
import weakref
from collections.abc import Callable
from datetime import datetime
from math import inf
from pathlib import Path

from mybro.executor.claude import faults

KEPT_DAYS = 40
_DUST_USD = 0.0001
_BACK = "="
"""Before an amount that takes something back."""


class DayBudget:
    """What is spent in a day is added up in a file, so that a restart and other mybros count too.

    Turns that run at the same time each have a part of what is left: together they do not exceed it.
    """

    def __init__(self, limit_usd: float, folder: Path, wall: Callable[[], float] = time.time) -> None:
        self.limit_usd = limit_usd
        self._folder = folder
        self._wall = wall
        self._purses: weakref.WeakSet[Purse] = weakref.WeakSet()
        self._promised: weakref.WeakKeyDictionary[Purse, float] = weakref.WeakKeyDictionary()

    def join(self, purse: Purse) -> None:
        self._purses.add(purse)

    def share(self, purse: Purse) -> float:
        """What a turn may spend: of what is left and promised to no other turn, as much as any other."""
        others = sum(usd for one, usd in self._promised.items() if one is not purse)
        idle = [one for one in self._purses if one not in self._promised or one is purse]
        return max(0.0, self.limit_usd - self.spent_usd - others) / max(1, len(idle))

    def promise(self, purse: Purse) -> float:
        """The same, kept for it until `release`."""
        share = self._promised[purse] = self.share(purse)
        return share

    def draw(self, purse: Purse, usd: float) -> None:
        """Of what is kept for it, so much is spent, or was not."""
        if purse in self._promised:
            self._promised[purse] = max(0.0, self._promised[purse] - usd)

    def release(self, purse: Purse) -> None:
        self._promised.pop(purse, None)

    @property
    def spent_usd(self) -> float:
        """Today, so far."""
        try:
            lines = self._file().read_text().split()
        except (OSError, UnicodeDecodeError):
            return 0.0
        total = 0.0
        for amount in lines:
            with contextlib.suppress(ValueError):
                total += float(amount[1:]) if amount.startswith(_BACK) else max(0.0, float(amount))
        return max(0.0, total)

    def spend(self, usd: float) -> None:
        """Less than nothing is what had been noted too much.

        Without effect where the disk is full or read-only: then a restart does not know of it.
        """
        if usd == 0:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            file = os.open(self._file(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(file, "w") as out:
                out.write(f"{_BACK if usd < 0 else ''}{usd:.6f}\n")
            for old in sorted(self._folder.iterdir())[:-KEPT_DAYS]:
                old.unlink()

    def _file(self) -> Path:
        return self._folder / datetime.fromtimestamp(self._wall()).astimezone().date().isoformat()


@functools.cache
def day_budget(limit_usd: float | None, folder: Path) -> DayBudget | None:
    """The one budget of this process, which all its sessions share; None without a limit."""
    return DayBudget(limit_usd, folder) if limit_usd is not None else None


class Purse:
    """One session's."""

    def __init__(self, budget_usd: float | None, day: DayBudget | None) -> None:
        self._budget_usd = budget_usd
        self._day = day
        if day is not None:
            day.join(self)

    def ceiling(self, spent_usd: float) -> float | None:
        """What may still be spent at most by a session that has spent so much; None for any amount."""
        return self._least(spent_usd, self.day_left if self._day is not None else None)

    def open(self, spent_usd: float) -> float | None:
        """What a turn may spend, kept until `close`; None for any amount. Raises `TurnError` for nothing."""
        left = self._least(spent_usd, self._day.promise(self) if self._day is not None else None)
        if left is not None and left <= 0:
            self.close()
            raise self.empty(spent_usd)
        return left

    def close(self) -> None:
        if self._day is not None:
            self._day.release(self)

    def spend(self, usd: float) -> None:
        if self._day is not None:
            self._day.spend(usd)
            self._day.draw(self, usd)

    def empty(self, spent_usd: float) -> faults.TurnError:
        """What to say where nothing is left: of the session's own budget, or of the day's."""
        own = None if self._budget_usd is None else self._budget_usd - spent_usd
        day = self._day
        if day is None or (own is not None and own <= day.limit_usd - day.spent_usd):
            return faults.over_budget(self._budget_usd or 0.0)
        return faults.over_day_budget(day.limit_usd, shared=day.limit_usd - day.spent_usd > _DUST_USD)

    def near(
        self, spent_usd: float, seen_usd: float, rest_usd: float, next_usd: float | None, why: str = "",
        *, at_most: bool = False,
    ) -> faults.TurnError:  # fmt: skip
        """What to say where the rest is too little to go on with; `seen_usd`: of what is spent, what no other
        program can know of yet; `why`: what was stopped, where it is no ordinary step; `at_most`: part of
        what is spent was not seen.
        """
        own = None if self._budget_usd is None else self._budget_usd - spent_usd
        day = self._day
        if day is None or (own is not None and own <= rest_usd + _DUST_USD):
            return faults.near_budget(self._budget_usd or 0.0, spent_usd, next_usd, why, at_most=at_most)
        shared = self.day_left - seen_usd - rest_usd > _DUST_USD
        return faults.near_day_budget(day.limit_usd, rest_usd, next_usd, why, shared=shared)

    @property
    def day_left(self) -> float:
        """Of the day's budget, whoever it is promised to."""
        return max(0.0, self._day.limit_usd - self._day.spent_usd) if self._day is not None else inf

    def _least(self, spent_usd: float, of_day: float | None) -> float | None:
        own = None if self._budget_usd is None else max(0.0, self._budget_usd - spent_usd)
        return min((usd for usd in (own, of_day) if usd is not None), default=None)
