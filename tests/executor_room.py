"""An executor with a hand that does what a test says, in a real repository."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from mybro.clock import Clock, MonotonicClock
from mybro.config import ExecutorSettings
from mybro.events import (
    Answered,
    Event,
    JobFailed,
    JobFinished,
    JobProgressed,
    JobStarted,
    JobStopped,
    Outcome,
    QuestionWithdrawn,
)
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.hand import Job, Report
from mybro.executor.jobs import Executor
from mybro.intent import Action, Intent
from tests.executor_tools import new_repository, write

Deed = Callable[[Job, Report], Awaitable[Outcome]]


class Scripted:
    """A hand that does what the test says, by the sentence of the job."""

    def __init__(self, *, only_local: bool = False) -> None:
        self.deeds: dict[str, Deed] = {}
        self.jobs: list[Job] = []
        self.answers: list[Answered] = []
        self.closed = 0
        self.at_work = 0
        self.left_running: tuple[str, ...] = ()
        self._only_local = only_local

    def handles(self, intent: Intent) -> bool:
        return intent.kind == "local" or not self._only_local

    async def run(self, job: Job, report: Report) -> Outcome:
        self.jobs.append(job)
        self.at_work += 1
        try:
            return await self.deeds[job.intent.text](job, report)
        finally:
            self.at_work -= 1

    async def stop(self) -> tuple[str, ...]:
        assert not self.at_work, "an executor stops its jobs itself"
        left, self.left_running = self.left_running, ()
        return left

    async def answer(self, answer: Answered) -> None:
        self.answers.append(answer)

    async def aclose(self) -> None:
        self.closed += 1


class Room:
    """An executor with its hands, and everything that it emits."""

    def __init__(self, repo: Path, root: Path) -> None:
        self.repo, self.root = repo, root
        self.hand = Scripted()
        self.events: list[Event] = []
        self.clock: Clock = MonotonicClock()
        self.executor = self.new()
        self._number = 0
        self._happened = asyncio.Event()

    def new(
        self, store: CheckpointStore | None = None, *hands: Scripted, checkpoints: bool = True
    ) -> Executor:
        store = store or (CheckpointStore(self.root, self.repo) if checkpoints else None)
        self.executor = Executor(
            ExecutorSettings(), self.repo, self.emit, hands or (self.hand,), store, self.clock
        )
        return self.executor

    async def emit(self, event: Event) -> None:
        self.events.append(event)
        self._happened.set()

    async def start(self, text: str, deed: Deed | None = None, action: Action | None = None) -> int:
        if deed is not None:
            self.hand.deeds[text] = deed
        self._number += 1
        intent = Intent(kind="local" if action else "task", action=action, text=text)
        await self.executor.start(self._number, 10 + self._number, intent)
        return self._number

    async def do(self, text: str, deed: Deed | None = None, action: Action | None = None) -> Event:
        return await self.end(await self.start(text, deed, action))

    async def end(self, job: int) -> Event:
        def over(event: Event) -> bool:
            return isinstance(event, JobFinished | JobFailed | JobStopped) and event.job == job

        return await self.until(over)

    async def until(self, wanted: Callable[[Event], bool]) -> Event:
        async with asyncio.timeout(120):
            while True:
                found = [event for event in self.events if wanted(event)]
                if found:
                    return found[0]
                self._happened.clear()
                await self._happened.wait()

    async def began(self, job: int) -> None:
        await self.until(lambda event: isinstance(event, JobStarted) and event.job == job)


def writes(**files: str) -> Deed:
    async def deed(job: Job, _: Report) -> Outcome:
        write(job.repo, {name.replace("_py", ".py"): text for name, text in files.items()})
        return Outcome("Written.")

    return deed


def never_ends(**files: str) -> Deed:
    async def deed(job: Job, report: Report) -> Outcome:
        await writes(**files)(job, report)
        await report(JobProgressed(job.number, "written"))
        try:
            await asyncio.Event().wait()
        finally:
            await report(JobProgressed(job.number, "too late"))
            await report(QuestionWithdrawn(1))
        return Outcome("never")

    return deed


def fails(error: Exception, **files: str) -> Deed:
    async def deed(job: Job, report: Report) -> Outcome:
        await writes(**files)(job, report)
        raise error

    return deed


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    room = Room(new_repository(tmp_path / "shop", {"a.py": "a = 1\n"}), tmp_path / "checkpoints")
    yield room
    await room.executor.aclose()
