"""What does a job: the one Protocol behind which local actions and coding sessions stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from mybro.errors import ExecutorError
from mybro.events import Answered, Event, Outcome
from mybro.executor.outside import Made
from mybro.executor.written import Written
from mybro.intent import Intent

Report = Callable[[Event], Awaitable[None]]
"""Where a hand sends `JobProgressed`, `JobAsked` and `QuestionWithdrawn`."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work in one repository."""

    number: int
    turn: int
    intent: Intent
    repo: Path
    """The working tree's top folder."""
    next_question: Callable[[], int]
    """Gives the next question's number, never used twice in a session."""
    left: list[Made] = field(default_factory=list, compare=False)
    """What the job made outside the working tree, which no checkpoint holds."""
    known: list[Outcome] = field(default_factory=list, compare=False)
    """Of a job that was stopped: what it cost all the same, and which files it wrote."""
    written: Callable[[], Awaitable[Written]] | None = None
    """Tells what the job has written so far; None for one that has no checkpoint. Raises `ExecutorError`."""


class JobError(ExecutorError):
    """A job that failed after it had done or cost something."""

    outcome: Outcome | None = None
    """What is known of it all the same: its cost, the files that it wrote."""


@runtime_checkable
class TakesMore(Protocol):
    """A hand to whose running job something can be added."""

    async def add(self, more: Job) -> bool:
        """Make `more` part of the running job, which reports `JobAnswered` for a question.

        False where that cannot be.
        """
        ...


class Hand(Protocol):
    """Does one job at a time."""

    async def run(self, job: Job, report: Report) -> Outcome:
        """Do the job to its end.

        Raises `ExecutorError` where it cannot be done. When the task that runs it is cancelled, every
        process of the job is dead and nothing writes any more by the time `CancelledError` leaves.
        """
        ...

    async def stop(self) -> tuple[str, ...]:
        """End the running job, if any, and what earlier ones left running, which is named.

        Returns when all is dead. The hand stays usable.
        """
        ...

    async def answer(self, answer: Answered) -> None:
        """Pass on the answer to a question that the running job asked."""
        ...

    async def aclose(self) -> None:
        """End for good: no process of this hand lives on."""
        ...
