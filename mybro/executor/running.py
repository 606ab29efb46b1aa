"""One job under way, and the choice of the hand that does it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from mybro.errors import ExecutorError
from mybro.events import Event, JobAnswered, Outcome, QuestionWithdrawn
from mybro.executor.hand import Hand, Job, Report
from mybro.executor.handover import HandoverError
from mybro.intent import Action, Intent

T = TypeVar("T")

READ_ONLY = frozenset(
    {Action.GIT_STATUS, Action.DIFF, Action.FIND_USAGES, Action.DOCTOR, Action.EXPLAIN_FINDING}
)
"""Local actions that change nothing: they need no checkpoint and may run beside anything."""


class RoutedHand(Hand, Protocol):
    """A hand that knows what it is for."""

    def handles(self, intent: Intent) -> bool:
        """Whether this hand can try to do it; it may still raise "needs_agent"."""
        ...


class StoppedError(Exception):
    """The job was stopped before it was done."""


@dataclasses.dataclass(slots=True)
class Running:
    """A job between its start and its end."""

    job: Job
    reads: bool
    """Whether it changes nothing."""
    task: asyncio.Task[None] | None = None
    """The whole job. Never cancelled, so that what stands after a job always comes to stand."""
    inner: asyncio.Task[Any] | None = None
    """The part that may be cancelled."""
    hand: Hand | None = None
    stopping: bool = False
    added: dict[int, str] = dataclasses.field(default_factory=dict)
    """What has become part of it, by job number, each with its answer if it was a question."""
    ended: Event | None = None
    """How it ended, once it has."""
    give_up: threading.Event = dataclasses.field(default_factory=threading.Event)
    """Ends a checkpoint that is being taken before the job."""

    def stop(self) -> None:
        """Have it end soon."""
        self.stopping = True
        self.give_up.set()
        if self.inner is not None:
            self.inner.cancel()

    async def stoppable(self, work: Coroutine[Any, Any, T]) -> T:
        """Await work that `stop` cancels. Raises `StoppedError` once the work has ended for that reason."""
        if self.stopping:
            work.close()
            raise StoppedError
        task: asyncio.Task[T] = asyncio.create_task(work)
        self.inner = task
        try:
            return await task
        except asyncio.CancelledError:
            raise StoppedError from None
        finally:
            self.inner = None


_NO_AGENT = frozenset({"claude_missing", "agent_missing"})


class Router:
    """Gives each job to the first hand that can do it; a hand does one writing job at a time."""

    def __init__(self, hands: Sequence[RoutedHand]) -> None:
        self._hands = tuple(hands)
        self._busy = {id(hand): asyncio.Lock() for hand in self._hands}

    async def run(self, running: Running, emit: Report) -> Outcome:
        """Do the job. What a hand knows only an agent can do goes on, as a task, to the hands after it.

        Raises `ExecutorError`.
        """
        job, missing, judge = running.job, None, None
        for hand in self._hands:
            if not hand.handles(job.intent):
                continue
            beside = running.reads and missing is None
            turn = contextlib.nullcontext() if beside else self._busy[id(hand)]
            try:
                async with turn:
                    running.hand = hand
                    outcome = await hand.run(job, _reporter(running, emit))
                    return outcome if judge is None else await judge(outcome)
            except ExecutorError as error:
                if missing is not None and error.code in _NO_AGENT:
                    both = f"{missing.message}, and {error.message}"
                    raise ExecutorError(error.code, both, hint=error.hint) from error
                if error.code != "needs_agent":
                    raise
                missing = error
                task = ""
                if isinstance(error, HandoverError):
                    task, judge = error.task, error.judge
                job = dataclasses.replace(job, intent=_as_task(job.intent, task))
            finally:
                running.hand = None
        raise missing or ExecutorError("no_hand", "there is nothing here that can do that")

    async def sweep(self) -> tuple[str, ...]:
        """End what finished jobs left running; tells what it was."""
        ended = await asyncio.gather(*(hand.stop() for hand in self._hands))
        return tuple(dict.fromkeys(name for names in ended for name in names))

    async def aclose(self) -> None:
        await asyncio.gather(*(hand.aclose() for hand in self._hands), return_exceptions=True)


def _reporter(running: Running, emit: Report) -> Report:
    async def report(event: Event) -> None:
        if isinstance(event, JobAnswered) and event.job in running.added:
            running.added[event.job] = event.text
        if not running.stopping or isinstance(event, QuestionWithdrawn):  # the rest is late
            await emit(event)

    return report


def _as_task(intent: Intent, task: str) -> Intent:
    """A local intent for a coding session: `task`, or the sentence, which says it all."""
    return Intent(
        kind="question" if intent.action in READ_ONLY else "task", target=intent.target, risk=intent.risk,
        confidence=intent.confidence,
        source=intent.source, text=task or intent.text,
    )  # fmt: skip
