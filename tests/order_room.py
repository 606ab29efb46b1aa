"""A session that is told many things at once, with hands that write files and threads that dawdle."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mybro import events as ev
from mybro.brain.brain import Brain
from mybro.clock import MonotonicClock
from mybro.config import load_settings
from mybro.errors import ExecutorError
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.crew import Crew
from mybro.executor.hand import Job, Report
from mybro.executor.jobs import Executor
from mybro.intent import Action, Intent
from mybro.journal import Journal
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.ports import Stages
from mybro.pipeline.state import Job as Work
from tests.executor_tools import new_repository

T = TypeVar("T")
FILE = re.compile(r"\bf\d+\b")
LIMIT_S = 120
LOOK_S = 0.5
ENDS = (ev.JobFinished, ev.JobFailed, ev.JobStopped)


class Dawdling(ThreadPoolExecutor):
    """Threads that begin late, each by another while."""

    def __init__(self, dice: random.Random, most_s: float) -> None:
        super().__init__(8)
        self._dice, self._most_s = dice, most_s

    def submit(self, work: Callable[..., T], /, *args: Any, **more: Any) -> Future[T]:
        late = self._dice.random() ** 3 * self._most_s

        def begin() -> T:
            time.sleep(late)
            return work(*args, **more)

        return super().submit(begin)


@dataclass
class Deed:
    """What a hand did of one job."""

    job: int
    turn: int
    place: Path
    text: str
    began: float
    wrote: list[float] = field(default_factory=list)


class Writing:
    """A hand that slowly writes the files which a sentence names; it can be added to, and asks."""

    def __init__(self, dice: random.Random, deeds: list[Deed]) -> None:
        self._dice, self._deeds = dice, deeds
        self._answers: dict[int, asyncio.Future[ev.Answered]] = {}
        self._more: list[Job] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def handles(self, intent: Intent) -> bool:
        return intent.kind != "control"

    async def run(self, job: Job, report: Report) -> ev.Outcome:
        task = asyncio.ensure_future(self._run(job, report))
        self._tasks.add(task)
        try:
            return await task
        finally:
            self._tasks.discard(task)

    async def _run(self, job: Job, report: Report) -> ev.Outcome:
        self._more = [job]
        try:
            while self._more:
                await self._do(self._more.pop(0), report)
            return ev.Outcome("Written.")
        finally:
            self._more = None

    async def _do(self, job: Job, report: Report) -> None:
        deed = Deed(job.number, job.turn, job.repo, job.intent.text, time.monotonic())
        self._deeds.append(deed)
        if "ask" in job.intent.text:
            await self._ask(job, report)
        for name in FILE.findall(job.intent.text) if job.intent.kind == "task" else ():
            for part in ("half", "whole"):
                await asyncio.sleep(self._dice.random() ** 2 * 0.2)
                (job.repo / f"{name}.txt").write_text(f"{part}\n")
                deed.wrote.append(time.monotonic())
        await asyncio.sleep(self._dice.random() ** 2 * 0.1)

    async def _ask(self, job: Job, report: Report) -> None:
        number = job.next_question()
        self._answers[number] = asyncio.get_running_loop().create_future()
        await report(ev.JobAsked(job.number, number, "permission", "May I?", timeout_s=20))
        try:
            answer = await self._answers[number]
        except asyncio.CancelledError:
            await report(ev.QuestionWithdrawn(number))
            raise
        if not answer.yes:
            raise ExecutorError("refused", "it was not allowed")

    async def add(self, more: Job) -> bool:
        begun = self._more
        await asyncio.sleep(self._dice.random() * 0.03)
        if self._more is None or self._more is not begun:
            return False
        self._more.append(more)
        return True

    async def stop(self) -> tuple[str, ...]:
        """As the coding hands do: whatever runs is ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.sleep(self._dice.random() * 0.05)
        await asyncio.gather(*tasks, return_exceptions=True)
        return ()

    async def answer(self, answer: ev.Answered) -> None:
        waiting = self._answers.get(answer.question)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def aclose(self) -> None:
        await self.stop()


@dataclass
class World:
    """One session, what it told and what its hands did."""

    pipeline: Pipeline
    crew: Crew
    repo: Path
    deeds: list[Deed]
    told: list[ev.Envelope] = field(default_factory=list)
    spoken: dict[int, str] = field(default_factory=dict)
    """By turn."""
    jobs: dict[int, Work] = field(default_factory=dict)
    """Every job that there was."""
    swept: dict[int, float] = field(default_factory=dict)
    """When each stop was carried out, by its turn."""
    ended: dict[int, float] = field(default_factory=dict)
    """When the job of each turn came to its end."""
    _understood: list[int] = field(default_factory=list)
    _stopping: list[int] = field(default_factory=list)

    def __call__(self, envelope: ev.Envelope) -> None:
        event, state = envelope.event, self.pipeline.state
        self.told.append(envelope)
        self.jobs.update(state.jobs)
        if isinstance(event, ev.Transcript) and event.text == "stop":
            self._stopping.append(event.turn)
        if isinstance(event, ev.Understood) and event.intent.action is Action.STOP:
            self._understood.append(event.turn)
        self._stopping += [turn for turn in self._understood if turn not in state.turns]
        self._understood = [turn for turn in self._understood if turn in state.turns]
        if isinstance(event, ENDS):
            self.ended.setdefault(self.jobs[event.job].turn, time.monotonic())
        if self._stopping and not state.sweeping:
            self.swept.update(dict.fromkeys(self._stopping, time.monotonic()))
            self._stopping.clear()

    async def say(self, words: str) -> int:
        turn = self.pipeline.next_turn()
        self.spoken[turn] = words
        await self.pipeline.post(ev.Typed(turn, words))
        return turn

    async def settle(self) -> None:
        """Wait until nothing goes on; what is asked by then is refused."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                with contextlib.suppress(TimeoutError):  # a job may wait for one that waits for an answer
                    await asyncio.wait_for(self.pipeline.settled(), LOOK_S)
                    if self.pipeline.state.asked is None or self.pipeline.ended.is_set():
                        return
                if (asked := self.pipeline.state.asked) is not None:
                    await self.pipeline.post(ev.Answered(asked.number, yes=False))

    def of(self, *kinds: Any) -> list[Any]:
        return [envelope.event for envelope in self.told if isinstance(envelope.event, kinds)]


@asynccontextmanager
async def world(folder: Path, seed: int, late_s: float) -> AsyncIterator[World]:
    """A session in a fresh repository whose threads begin up to `late_s` late."""
    dice = random.Random(seed)
    asyncio.get_running_loop().set_default_executor(Dawdling(random.Random(seed + 1), late_s))
    repo = folder / "shop"
    if not repo.exists():
        new_repository(repo, {"a.py": "a = 1\n"})
    settings = load_settings({"brain": {"provider": "none"}})
    deeds: list[Deed] = []
    clock = MonotonicClock()
    pipeline = Pipeline()

    def build(place: Path, emit: Report, questions: Iterator[int]) -> Executor:
        store = CheckpointStore(folder / "data" / "checkpoints", place)
        hands = (Writing(dice, deeds),)
        return Executor(settings.executor, place, emit, hands, store, clock, questions)

    journal = await Journal.open(settings=settings.journal)
    await journal.begin(repo)
    crew = Crew(repo, pipeline.post, build)
    pipeline.attach(Stages(Brain(settings.brain, clock), None, crew, None, journal))
    try:
        async with pipeline:
            told = World(pipeline, crew, repo, deeds)
            pipeline.watch(told)
            yield told
    finally:
        await journal.aclose()
