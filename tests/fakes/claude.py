"""A desk: the hand that drives the real CLI, a repository, and a person who answers as told."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Callable
from pathlib import Path

from mybro.clock import Clock, MonotonicClock
from mybro.config import ExecutorSettings
from mybro.events import Answered, Event, JobAsked, JobProgressed, Outcome, QuestionWithdrawn
from mybro.executor.claude.hand import ClaudeHand
from mybro.executor.claude.store import FileSessionStore
from mybro.executor.coding import CodingHand
from mybro.executor.hand import Job
from mybro.intent import Intent, Kind
from tests.fakes.ops import silent, writers

ROOT = Path(__file__).resolve().parents[2]

PATIENCE_S = 120
"""Agents run at a low priority: on a loaded machine they begin late."""


class Desk:
    """`reply` gives a person's answer to a question, or None to keep silent."""

    def __init__(
        self,
        settings: ExecutorSettings,
        env: dict[str, str],
        repo: Path,
        folder: Path,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self.env = env
        self.repo = repo
        self.clock = clock or MonotonicClock()
        self.store = FileSessionStore(folder / "sessions")
        self.events: list[Event] = []
        self.reply: Callable[[JobAsked], Answered | None] = yes
        self._hands = [self.new_hand()]
        self._numbers = itertools.count(1)
        self._heard = asyncio.Condition()

    @property
    def hand(self) -> CodingHand:
        return self._hands[-1]

    @hand.setter
    def hand(self, hand: CodingHand) -> None:
        self._hands.append(hand)

    async def aclose(self) -> None:
        """Let no hand leave anything behind, also one whose program was given up for another."""
        for hand in self._hands:
            await hand.aclose()

    def new_hand(self) -> CodingHand:
        """What a restarted program has: the same files, a new hand."""
        return ClaudeHand(self.settings, self.clock, env=self.env, store=self.store)

    async def do(self, words: str, kind: Kind = "task") -> Outcome:
        intent = Intent(kind=kind, text=words)
        job = Job(next(self._numbers), 1, intent, self.repo, lambda: next(self._numbers))
        return await self.hand.run(job, self._report)

    def start(self, words: str) -> asyncio.Task[Outcome]:
        return asyncio.create_task(self.do(words))

    def writing(self, kind: str) -> tuple[str, Path]:
        """A command for such a process (see `tests.fakes.ops`), and the file that it writes to."""
        file = self.repo / "written"
        return f"PYTHONPATH={ROOT} {sys.executable} -m tests.fakes.ops {kind} {file}", file

    async def stop(self, words: str, file: Path) -> asyncio.Task[Outcome]:
        """Stop what is to be done as soon as a file is written to; from then on nobody writes."""
        running = self.start(words)
        await asyncio.to_thread(writers, file)
        await self.hand.stop()
        assert silent(file)
        return running

    async def until(self, wanted: Callable[[Event], bool]) -> Event:
        """The first event that is wanted, past or to come."""
        async with self._heard, asyncio.timeout(PATIENCE_S):
            await self._heard.wait_for(lambda: any(wanted(event) for event in self.events))
        return next(event for event in self.events if wanted(event))

    async def _report(self, event: Event) -> None:
        self.events.append(event)
        async with self._heard:
            self._heard.notify_all()
        if isinstance(event, JobAsked):
            answer = self.reply(event)
            if answer is not None:
                await self.hand.answer(answer)

    @property
    def asked(self) -> list[JobAsked]:
        return [event for event in self.events if isinstance(event, JobAsked)]

    @property
    def withdrawn(self) -> list[int]:
        return [event.question for event in self.events if isinstance(event, QuestionWithdrawn)]

    def progress(self, kind: str = "step") -> list[str]:
        return [e.text for e in self.events if isinstance(e, JobProgressed) and e.kind == kind]


def yes(asked: JobAsked) -> Answered | None:
    return Answered(asked.question, yes=True)


def always(asked: JobAsked) -> Answered | None:
    return Answered(asked.question, yes=True, always=True)


def no(asked: JobAsked) -> Answered | None:
    return Answered(asked.question, yes=False)


def nothing(asked: JobAsked) -> Answered | None:
    return None


def choose(label: str) -> Callable[[JobAsked], Answered | None]:
    return lambda asked: Answered(asked.question, yes=True, choice=label)
