"""What an agent's work costs, as far as it tells of that.

An agent may tell its costs only when a turn ends, and how large its context is in between. Then each step is
taken for as dear, by the size of its context, as the steps were whose costs were told.
"""

from __future__ import annotations

from mybro.executor.acp.opening import part
from mybro.executor.claude.messages import Json
from mybro.executor.claude.store import FirstStep

_CLAUDE_USD = 3e-6
"""For a token of a context, of an agent that drives Claude Code and has never told its costs; of each step it
tells the context twice, without a cache the API takes some 4 dollars for a million tokens."""
_TOLD = 2.0
"""How often a context may be told in one step."""
_MORE = 1.25
"""So much dearer may a step be than those before it."""


class Costs:
    """Of one agent: `known` is how its last new session began."""

    def __init__(self, known: FirstStep | None) -> None:
        self.read_usd = 0.0
        """Told in this turn."""
        self.counter_usd = 0.0
        self._first = known or FirstStep("", 0.0)
        self._rate = self._first.usd / self._first.tokens if self._first.tokens else 0.0
        self._fresh = False
        """Whether a new session's first step is still to come."""
        self._untold = self._unread = self._context = 0.0
        """Tokens of contexts: since the counter was read, of this turn and of all; and of the latest."""
        self._ahead_usd = 0.0
        """What turns were taken to have cost that ended before it was read."""

    def open(self, counter_usd: float, *, fresh: bool) -> None:
        """A process has its session: a new one, or one that stands at so much."""
        self.counter_usd, self._fresh = counter_usd, fresh
        self._untold = self._unread = self._context = self._ahead_usd = 0.0

    @property
    def seen_usd(self) -> float:
        """What the turn has cost so far, at most."""
        return self.read_usd + self._untold * self._rate * _MORE

    @property
    def is_sure(self) -> bool:
        return self._untold == 0

    @property
    def next_usd(self) -> float:
        """What the next step may cost; nothing where nothing is known."""
        step = self._context * self._rate * _TOLD * _MORE
        return max(step, self._first_usd) if self._fresh else step

    @property
    def _first_usd(self) -> float:
        first = self._first
        return first.tokens * self._rate * _TOLD * _MORE if first.tokens else first.usd

    def begin(self) -> None:
        """A turn begins."""
        self.read_usd = self._untold = 0.0

    def end(self) -> float:
        """What the turn has cost, also where the agent is not there any more to tell it."""
        usd = self.seen_usd
        self._ahead_usd += usd - self.read_usd
        self.begin()
        return usd

    def take(self, update: Json) -> FirstStep | None:
        """Take in a usage update; how a new session begins, where that is known better now."""
        used = _number(update.get("used"))
        cost = part(update, "cost")
        amount = _number(cost.get("amount"), least=0.0) if cost.get("currency") == "USD" else None
        if amount is not None:
            return self._read(amount)
        if used is not None:
            self._untold += used
            self._unread += used
            self._context = used
            if not self._rate and "_claude/model" in part(update, "_meta"):
                self._rate = _CLAUDE_USD
            if self._fresh:
                return self._begins(used, used * self._rate)
        return None

    def _begins(self, tokens: float, usd: float) -> FirstStep | None:
        self._fresh, self._first = False, FirstStep("", tokens, usd)
        return self._first if usd else None

    def _read(self, amount: float) -> FirstStep | None:
        """Take in the counter. It should add up over the session's life, yet may begin at nothing with a new
        process: then it is smaller than what is known already, and all of it is new.
        """
        added = amount - self.counter_usd if amount >= self.counter_usd else amount
        self.counter_usd = amount
        self.read_usd += max(0.0, added - self._ahead_usd)
        unread, self._untold, self._unread, self._ahead_usd = self._unread, 0.0, 0.0, 0.0
        if added <= 0:
            return None
        if not unread:
            return self._begins(0.0, added) if self._fresh else None
        self._rate = max(added / unread, self._rate / 2)
        return self._begins(self._first.tokens, self._first.tokens * self._rate)


def _number(value: object, least: float = 1.0) -> float | None:
    """None also of what is no number at all (NaN)."""
    return float(value) if isinstance(value, int | float) and least <= value < 1e12 else None
