"""What a session has cost, over its whole life, and whether it may cost more."""

from __future__ import annotations

from pathlib import Path

from mybro.clock import Clock
from mybro.executor.claude import prompts
from mybro.executor.claude.context import Context
from mybro.executor.claude.faults import TurnError
from mybro.executor.claude.messages import HookAsked, Message, Started, StepBegan, StepEnded, TurnEnded
from mybro.executor.claude.meter import CHARS_PER_TOKEN, Meter
from mybro.executor.claude.purse import Purse
from mybro.executor.claude.store import FirstStep, Remembered, SessionStore
from mybro.executor.claude.turn import Turn

_HELPERS = frozenset({"Agent", "Task"})
_NOT_BEGUN = "I did not begin its first step"


class Ledger:
    """Kept for one session; a turn is between `open` and `close`."""

    def __init__(
        self, repo: Path, store: SessionStore, purse: Purse, clock: Clock, model: str | None = None
    ) -> None:
        """`model` is the setting: with it, what a new session begins with is known from earlier ones."""
        self._repo = repo
        self._store = store
        self._purse = purse
        self._remembered = store.load(repo)
        self._total_usd = self.spent_usd
        last = self._remembered or Remembered("")
        self.told = last.told
        """See `Remembered.told`."""
        self.counter_usd = last.counter_usd or last.spent_usd
        """See `Remembered.counter_usd`."""
        self._named: str | None = None
        """As its process calls the session, also before a first result."""
        self._model = model or "default"
        self._meter = Meter(clock.now, known_usd=last.next_usd, known_fixed=last.fixed, model=self._model)
        if (first := store.first_step(self._model)) is not None:
            self._meter.model, self._meter.first_tokens = first.model, first.tokens
        self._context = Context("", 0.0, {})
        """As it was counted last."""
        self._opening: int | None = None
        """Of a new session that waits for its first step, how long its instructions and the prompt are."""
        self._left: float | None = None
        """What the turn may still cost."""
        self._booked = 0.0
        """Of the turn's cost, what stands in the day's account already, where other programs see it."""
        self._told_usd = self._dearest_usd = 0.0

    @property
    def session(self) -> str | None:
        """What the agent itself calls the session; None before its first turn."""
        return self._remembered.session if self._remembered else None

    @property
    def named(self) -> str | None:
        """The same, as soon as the first turn has begun."""
        return self.session or self._named

    @property
    def seen(self) -> Turn:
        """What has been seen since the last result."""
        return Turn("", "", self._meter.seen_usd, *self._meter.seen_tokens)

    @property
    def spent_usd(self) -> float:
        return self._remembered.spent_usd if self._remembered else 0.0

    @property
    def ceiling(self) -> float | None:
        """What may still be spent at most, if no other agent does; None for any amount."""
        return self._purse.ceiling(self.spent_usd)

    def news(self, instructions: str) -> str:
        """What is to be said before a prompt: nothing where the session knows these instructions."""
        known, self.told = self.told, prompts.digest(instructions)
        if known == self.told:
            return ""
        return prompts.renewed(instructions) if known else instructions

    def list_models(self, models: object) -> None:
        self._meter.prices.list_models(models)

    def open(self) -> float | None:
        """Begin a turn; what it may cost, None for any amount. Raises `TurnError` for nothing at all."""
        self._told_usd = self._booked = 0.0
        self._left = self._purse.open(self.spent_usd)
        return self._left

    def begin(self, prompt: str, instructions: str, context: Context | None = None) -> str:
        """The prompt as it is to be sent, with instructions that are news to the session.

        Prices are known by now: raises `TurnError`, before anything is sent, where what is left is too little
        for the first step. `context` is what that begins with, as far as it is known before the prompt.
        """
        known, new = self.told, self.session is None
        news = self.news(instructions)
        told = f"{news}\n\n{prompt}" if news else prompt
        chars = len(told) + (len(instructions) if new else 0)
        self._opening = chars if new else None
        usd = self._meter.next_usd(None, chars if context is None else len(told), context=context)
        if problem := self._short(usd, _NOT_BEGUN if new else ""):
            self.told = known
            raise problem
        return told

    def begin_again(self, next_usd: float = 0.0) -> None:
        """The same for an agent that tells only costs: what its next step may cost is known or not."""
        next_usd = max(next_usd, self._meter.known_usd, self._dearest_usd)
        if problem := self._short(next_usd, "" if self.session else _NOT_BEGUN):
            raise problem

    def close(self) -> None:
        self._left = None
        self._purse.close()

    # ------------------------------------------------------------------------ while a turn runs

    def take(self, message: Message) -> TurnError | None:
        """Count what a message tells; an error where the budget would be passed if the turn went on."""
        before = self._meter.spent_usd
        self._meter.take(message)
        if isinstance(message, Started):
            self._named = message.session
        elif isinstance(message, StepBegan) and self._opening is not None:
            self._note_first(message.model, self._opening)
        elif isinstance(message, StepEnded) and message.goes_on:
            return self.ask(HookAsked("", step=True))
        seen = self._meter.spent_usd
        if isinstance(message, StepBegan) and seen != before:
            self._note_open(seen)
        if self._left is None or seen <= before:
            return None
        if seen > self._left:
            return self._near(None)
        coming = self._meter.going_on_usd
        return self._short(coming, "I cut its long answer short") if coming else None

    def ask(self, asked: HookAsked) -> TurnError | None:
        """May the model step go ahead, or the tool after which there would be one? An error if not."""
        if self._left is None:
            return None
        self._book(self._meter.spent_usd)
        if asked.summary:
            return self._sum_up(asked.agent)
        helper = not asked.step and asked.tool in _HELPERS
        next_usd = self._meter.next_usd(asked.agent, self._added(asked), helper=helper, context=asked.context)
        own_usd = self._meter.tool_usd(asked.tool)
        problem = self._short(next_usd + own_usd, _NOT_BEGUN if self._opening is not None else "")
        if problem is None and asked.step:
            self._meter.promise(asked.agent, next_usd)
            if asked.context is not None:
                self._meter.known_fixed = asked.context.fixed
            self._book(self._meter.spent_usd)
        elif problem is None:
            self._meter.reserve(own_usd)
        return problem

    def _added(self, asked: HookAsked) -> int:
        """In characters, what a step adds to a context; of a new session's first, also the instructions."""
        self._context = asked.context or self._context
        chars = asked.chars + int(self._context.of(asked.found) * CHARS_PER_TOKEN)
        return chars if asked.context is not None else chars + (self._opening or 0)

    def _sum_up(self, agent: str | None) -> TurnError | None:
        """May the conversation be summed up, since it has grown too long for the model?"""
        usd = self._meter.summary_usd(agent)
        problem = self._short(usd, "I stopped it before it summed up its long conversation")
        if problem is None:
            self._meter.reserve(usd)
            self._book(self._meter.spent_usd)
        return problem

    def _note_first(self, model: str, chars: int) -> None:
        self._opening = None
        tokens = self._meter.first_taken(chars)
        if tokens:
            self._store.first_step(self._model, FirstStep(model, tokens))

    def first_step(self, seen: FirstStep | None = None) -> FirstStep | None:
        """See `SessionStore.first_step`."""
        return self._store.first_step(self._model, seen)

    def running(
        self, cost_usd: float, next_usd: float = 0.0, *, session: str | None = None, at_most: bool = False
    ) -> TurnError | None:
        """For an agent that tells only what its turn has cost so far: an error where another step as dear as
        the dearest, or as the next may be, would be too much; `at_most`: it is not told exactly.
        """
        self._named = session
        step = cost_usd - self._told_usd
        self._told_usd = cost_usd
        self._dearest_usd = max(self._dearest_usd, step)
        self._book(cost_usd)
        if step > 0:
            self._note_open(cost_usd)
        next_usd = max(next_usd, self._dearest_usd)
        if self._left is None or step <= 0 or next_usd <= (rest := self._rest(cost_usd)):
            return None
        return self._purse.near(self.spent_usd + cost_usd, 0.0, rest, next_usd, at_most=at_most)

    def settle(self, result: TurnEnded) -> float:
        """Turn the CLI's counters, which add up over a session, into what this result added."""
        if result.usage is None:
            cost = max(0.0, result.total_cost_usd - self._total_usd)
        else:
            cost = sum(float(model.get("costUSD") or 0.0) for model in result.usage.values())
        self._total_usd = result.total_cost_usd
        self._meter.settle(result.usage)
        self.pay(result.session, cost)
        return cost

    def abandon(self) -> float:
        """No result will tell what has been seen since the last one: it counts as it was seen."""
        cost = self._meter.spent_usd
        self._meter.settle(None)
        if cost > 0 and self.named is not None:
            self.pay(self.named, cost)
        return cost

    def pay(self, session: str, cost_usd: float) -> None:
        """Book what the session has cost now."""
        self._book(cost_usd, finally_=True)
        self._booked = 0.0
        if self._left is not None:
            self._left -= cost_usd
        self.remember(self._with(session, cost_usd))

    def _with(self, session: str, cost_usd: float) -> Remembered:
        next_usd = max(self._meter.uncached_usd(), self._dearest_usd)
        spent, fixed = self.spent_usd + cost_usd, self._meter.known_fixed
        return Remembered(session, spent, next_usd, self.told, fixed, self.counter_usd)

    def _note_open(self, cost_usd: float) -> None:
        """What stands in the file counts if nobody lives to see the turn's result."""
        if self.named is not None:
            self._store.save(self._repo, self._with(self.named, cost_usd))

    def remember(self, session: Remembered | None) -> None:
        """None where it is gone, and a new one begins."""
        self._remembered = session
        if session is None:
            self._meter.known_usd = self._meter.known_fixed = 0.0
        self._store.save(self._repo, session)

    def leave(self) -> None:
        """The session is not used any more, here."""
        self._store.release(self._repo)

    def empty(self) -> TurnError:
        """What to say where nothing is left."""
        return self._purse.empty(self.spent_usd)

    def _short(self, next_usd: float, why: str = "") -> TurnError | None:
        if self._left is None or next_usd <= self._rest(self._meter.spent_usd):
            return None
        return self._near(next_usd, why)

    def _near(self, next_usd: float | None, why: str = "") -> TurnError:
        seen = self._meter.spent_usd
        unbooked = seen - self._booked
        spent, unseen = self.spent_usd + seen, self._meter.untold_usd > 0
        return self._purse.near(spent, unbooked, self._rest(seen), next_usd, why, at_most=unseen)

    def _rest(self, seen_usd: float) -> float:
        """Of the turn's share or, since other programs may spend, of the day's budget."""
        return min((self._left or 0.0) - seen_usd, self._purse.day_left - (seen_usd - self._booked))

    def _book(self, usd: float, *, finally_: bool = False) -> None:
        """Note in the day's account what the turn has cost since its last result, and is about to cost."""
        if usd > self._booked or finally_:
            self._purse.spend(usd - self._booked)
            self._booked = usd
