"""What a turn costs while it runs, and what its next model step is going to cost.

The CLI tells costs only with a turn's result, and checks its own limit only after a step. So the tokens that
it tells of each step are counted here as they come, at the prices that it names when it starts; its results
then say what it really was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mybro.executor.claude.context import Context
from mybro.executor.claude.messages import (
    Json,
    Message,
    Said,
    StepBegan,
    StepEnded,
    Thinking,
    ToolUsed,
    Words,
)

CHARS_PER_TOKEN = 2.5
"""Fewer than there are, so that what is still being written is rather taken for too much."""

_PRICE = re.compile(r"\$([\d.]+)\s*/\s*\$([\d.]+)")
_DEAREST = (15e-6, 75e-6)
"""Of a model of which nothing is known: dollars for a token in, and out."""
_CACHE_READ, _CACHE_WRITE, _LONG_CACHE_WRITE = 0.1, 1.25, 2.0
"""Of the price of a token in."""
_OUT_OVER_IN = 5.0
_CACHED_S = 240.0
"""So long after a step its context is surely still cached; the API keeps it for five minutes."""
FIRST_TOKENS = 20_000.0 * _CACHE_WRITE
"""What a new session's first step takes in beside instructions and prompt, as so many uncached tokens: more
than the system prompt and the tools of Claude Code 2.1.329 with its default model, in which they have 31,000
characters. Users' own servers and skills come on top, and older models are told more: see `FirstStep`."""
_COUNTED = 1.3 * _CACHE_WRITE
"""As so many uncached tokens, one that the CLI has counted, which it does by guessing."""
_FIRST_OUT = 1000.0
"""Tokens that a first step may give; one that goes on is cut short where the budget ends."""
_LONG_OUT = 7000.0
"""Tokens of an answer that may soon be longer than a model's answers can be, which is 8,192 at the least."""
_SUMMARY_OUT = 8000.0
"""Tokens that a summary of the conversation may have."""
_FAR_CHARS_PER_TOKEN = 5.0
"""More than there are, so that what is not the prompt's is rather taken for too much."""
_OWN_USD = {"WebFetch": 0.05, "WebSearch": 0.1}
"""What a tool may cost by itself: a model of its own reads the page, a search has its price."""


class Prices:
    """Of a token in and a token out, in dollars, by model."""

    def __init__(self) -> None:
        self._listed: dict[str, tuple[float, float]] = {}
        self._learnt: dict[str, tuple[float, float]] = {}

    def list_models(self, models: Any) -> None:
        """Take in the CLI's list, where a model's description names its price for a million tokens."""
        for model in models if isinstance(models, list) else ():
            found = _PRICE.findall(str(model.get("description"))) if isinstance(model, dict) else []
            if found:
                dearest = max((float(cheap), float(dear)) for cheap, dear in found)
                for name in ("value", "resolvedModel"):
                    self._listed[str(model.get(name))] = (dearest[0] / 1e6, dearest[1] / 1e6)

    def learn(self, usage: Mapping[str, Json]) -> None:
        """Take in what the CLI has charged, by model: it knows of discounts, fast modes and searches."""
        for model, used in usage.items():
            weight = (
                _number(used, "inputTokens")
                + _OUT_OVER_IN * _number(used, "outputTokens")
                + _CACHE_READ * _number(used, "cacheReadInputTokens")
                + _CACHE_WRITE * _number(used, "cacheCreationInputTokens")
            )
            if weight > 0 and (cost := _number(used, "costUSD")) > 0:
                self._learnt[model] = (cost / weight, _OUT_OVER_IN * cost / weight)

    def of(self, model: str) -> tuple[float, float]:
        known = [prices[model] for prices in (self._listed, self._learnt) if model in prices]
        return max(known, default=max(self._listed.values(), default=_DEAREST))


@dataclass(slots=True)
class _Step:
    """One request to a model."""

    at: float
    price: tuple[float, float]
    given: float
    """Tokens of its whole context."""
    given_usd: float
    writing: float
    """What a new token costs that is to be cached, in prices of a token in."""
    ended: float | None = None
    """The tokens that it gave, once they are told."""
    chars: int = 0
    thought_chars: int = 0
    thought: int = 0

    @property
    def gave(self) -> float:
        thought = max(self.thought, self.thought_chars / CHARS_PER_TOKEN)
        return self.ended if self.ended is not None else self.chars / CHARS_PER_TOKEN + thought

    @property
    def usd(self) -> float:
        return self.given_usd + self.gave * self.price[1]


@dataclass(slots=True)
class Meter:
    """Of one session and its model's helpers: each `agent` has a context of its own, None is the session."""

    now: Callable[[], float]
    prices: Prices = field(default_factory=Prices)
    known_usd: float = 0.0
    """What the next step of a session that is taken up again was going to cost without a cache."""
    model: str = "default"
    """Which is going to answer, as far as that is known."""
    known_fixed: float = 0.0
    """Of what the last step of the session began with, all but the conversation; 0.0 where nobody counted."""
    first_tokens: float = FIRST_TOKENS
    """What a new session's first step takes in beside instructions and prompt, as so many uncached tokens."""
    _steps: dict[str, _Step] = field(default_factory=dict)
    """Since the last result, by the ids of their messages."""
    _last: dict[str | None, _Step] = field(default_factory=dict)
    _promised: dict[str | None, float] = field(default_factory=dict)
    """Steps that were let go ahead and of which nothing is known yet."""
    untold_usd: float = 0.0
    """What was let go ahead and is told by no message but the result."""
    _smallest: float = float("inf")
    _largest_out: float = 0.0

    @property
    def spent_usd(self) -> float:
        """Since the last result, with what was let go ahead."""
        return self.seen_usd + sum(self._promised.values()) + self.untold_usd

    @property
    def seen_tokens(self) -> tuple[int, int]:
        """Taken in and given since the last result."""
        steps = self._steps.values()
        return int(sum(step.given for step in steps)), int(sum(step.gave for step in steps))

    @property
    def seen_usd(self) -> float:
        return sum(step.usd for step in self._steps.values())

    def take(self, message: Message) -> None:
        own = self._last.get(None)
        match message:
            case StepBegan():
                self._begin(message)
            case StepEnded() if own is not None:
                own.ended = message.tokens
                self._largest_out = max(self._largest_out, own.gave)
            case Words() if own is not None:
                own.chars += len(message.text)
            case Thinking() if own is not None:
                own.chars += message.chars
                own.thought_chars += message.thought_chars
                own.thought += message.thought
            case Said(agent=str() as agent) if agent in self._last:
                self._last[agent].chars += len(message.text)
            case ToolUsed(agent=str() as agent) if agent in self._last:
                self._last[agent].chars += len(json.dumps(message.arguments))
            case _:
                pass

    def next_usd(
        self, agent: str | None, chars: int, *, helper: bool = False, context: Context | None = None
    ) -> float:
        """What an agent's next step costs when `chars` are added to its context.

        `helper`: it is the first step of a new one, whose context is no larger than the smallest so far;
        `context`: what the CLI counts beforehand, of a step of the session itself.
        """
        own = self._last.get(agent)
        if own is None and self._last:
            own = self._last.get(None) or next(iter(self._last.values()))
            helper = True
        if own is None:
            return self._first_usd(chars, context)
        grown = self._grown(context)
        added = chars / CHARS_PER_TOKEN + grown
        before, added = (self._smallest, added) if helper else (own.given, added + own.gave)
        cached = own.writing > 1 and not helper and not grown and self.now() - own.at < _CACHED_S
        tokens = before * (_CACHE_READ if cached else own.writing) + added * own.writing
        # What a helper writes is not told while it does so: there is no cutting it short.
        gives = self._largest_out if agent is None and not helper else 2 * self._largest_out
        return tokens * own.price[0] + gives * own.price[1]

    @property
    def going_on_usd(self) -> float:
        """What the step costs in which an answer that is getting too long goes on: nobody is asked then."""
        own = self._last.get(None)
        long = own is not None and own.ended is None and own.gave >= _LONG_OUT
        return self.next_usd(None, 0) if long else 0.0

    def _first_usd(self, chars: int, context: Context | None) -> float:
        """The first step in a process: `chars` of the prompt and, in a new session whose context is not
        counted, of the instructions.
        """
        price = self.prices.of(context.model if context is not None else self.model)
        added = _CACHE_WRITE * (chars / CHARS_PER_TOKEN + self._grown(context)) * price[0]
        if self.known_usd:
            return self.known_usd + added
        tokens = self.first_tokens if context is None else context.fixed * _COUNTED
        return tokens * price[0] + added + _FIRST_OUT * price[1]

    def _grown(self, context: Context | None) -> float:
        """By how many tokens there is more beside the conversation than at the last step: a server was late,
        or is new. What was cached comes after it, and is not found any more.
        """
        if context is None or not self.known_fixed or context.fixed <= self.known_fixed:
            return 0.0
        return (context.fixed - self.known_fixed) * _COUNTED / _CACHE_WRITE

    def summary_usd(self, agent: str | None) -> float:
        """What it costs that the CLI has the model sum up a context that has grown too large.

        Nothing is told of it while it goes on, and a summary that is not as it should be is made once more.
        """
        own = self._last.get(agent)
        if own is None:
            return 2 * (self.known_usd + _SUMMARY_OUT * self.prices.of(self.model)[1])
        again = _CACHE_READ if own.writing > 1 else 1.0
        once = again if self.now() - own.at < _CACHED_S else own.writing
        tokens = (own.given + own.gave) * (once + again)
        return tokens * own.price[0] + 2 * _SUMMARY_OUT * own.price[1]

    @staticmethod
    def tool_usd(tool: str) -> float:
        """What a tool's use costs beside the steps that are told."""
        return _OWN_USD.get(tool, 0.0)

    def first_taken(self, chars: int) -> float | None:
        """What the only step so far has taken in beside `chars`, as so many uncached tokens; None unless it
        is a session's own.
        """
        own = self._last.get(None)
        if own is None or len(self._steps) != 1:
            return None
        return max(0.0, own.given - chars / _FAR_CHARS_PER_TOKEN) * own.writing

    def uncached_usd(self) -> float:
        """What the next step is going to cost in some hours."""
        own = self._last.get(None)
        if own is None:
            return self.known_usd
        return (own.given + own.gave) * own.writing * own.price[0] + self._largest_out * own.price[1]

    def promise(self, agent: str | None, usd: float) -> None:
        """A step goes ahead."""
        self._promised[agent] = usd

    def reserve(self, usd: float) -> None:
        """Something goes ahead that only the result tells of."""
        self.untold_usd += usd

    def settle(self, usage: Mapping[str, Json] | None) -> None:
        """A result has told what all the steps before it have cost."""
        self.prices.learn(usage or {})
        self._steps.clear()
        self._promised.clear()
        self.untold_usd = 0.0
        self._last = {agent: step for agent, step in self._last.items() if agent is None}

    def _begin(self, began: StepBegan) -> None:
        if began.id in self._steps:
            return  # told again, with each block of its answer
        usage, price = began.usage, self.prices.of(began.model)
        fresh = _number(usage, "input_tokens")
        read = _number(usage, "cache_read_input_tokens")
        written = _number(usage, "cache_creation_input_tokens")
        kinds = usage.get("cache_creation")
        long = isinstance(kinds, dict) and _number(kinds, "ephemeral_1h_input_tokens") > 0
        writing = (_LONG_CACHE_WRITE if long else _CACHE_WRITE) if read + written > 0 else 1.0
        cost = (fresh + _CACHE_READ * read + writing * written) * price[0]
        step = _Step(self.now(), price, fresh + read + written, cost, writing)
        step.chars = int(_number(usage, "output_tokens") * CHARS_PER_TOKEN)
        self._steps[began.id] = self._last[began.agent] = step
        self._promised.pop(began.agent, None)
        self._smallest = min(self._smallest, step.given)


def _number(source: Mapping[str, Any], name: str) -> float:
    value = source.get(name)
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0
