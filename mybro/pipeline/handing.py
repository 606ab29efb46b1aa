"""Hands work to the executor in the order of speech, and carries stops to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Protocol

from mybro import events as ev
from mybro.errors import MybroError
from mybro.pipeline import effects as do
from mybro.pipeline.ports import Stages
from mybro.pipeline.problems import problem_of
from mybro.pipeline.state import JobPhase, State

Handed = do.StartJob | do.TakeBack | do.StopJobs | do.Sweep | do.StopAgent
_Tasks = tuple[asyncio.Task[None], ...]


class Loop(Protocol):
    """What is needed of the loop."""

    state: State

    async def post(self, event: ev.Event, cause: int | None = None) -> None: ...

    def spawn(self, work: Coroutine[Any, Any, None], *, counts: bool = True) -> asyncio.Task[None]: ...


class Handing:
    """Works for one `Performer`."""

    def __init__(self, loop: Loop, stages: Stages) -> None:
        self._loop = loop
        self._stages = stages
        self._order = asyncio.Lock()
        """Jobs are handed over in the order of speech, however long the disk takes."""
        self._coming = 0
        """Jobs that the executor does not know yet."""
        self._sweeps: set[asyncio.Task[None]] = set()
        """Stops under way. What is said after one begins after it, or would be ended by it."""

    def perform(self, effect: Handed) -> None:
        spawn = self._loop.spawn
        match effect:
            case do.StartJob():
                self._coming += 1
                spawn(self._start(effect, tuple(self._sweeps)))
            case do.TakeBack():
                self._coming += 1
                spawn(self._take_back(effect, tuple(self._sweeps)))
            case do.StopJobs(jobs):
                spawn(self._stop(jobs))
            case do.Sweep(stopping):
                self._under_way(self._sweep(stopping))
            case do.StopAgent(agent):
                self._under_way(self._stop_agent(agent, late=self._coming > 0))

    def _under_way(self, stop: Coroutine[Any, Any, None]) -> None:
        task = self._loop.spawn(stop)
        self._sweeps.add(task)
        task.add_done_callback(self._sweeps.discard)

    async def mark(self, turn: int, state: str) -> None:
        """Have the journal note what became of a turn."""
        if self._stages.journal is not None:
            await self._stages.journal.mark(turn, state)  # type: ignore[arg-type]

    async def _start(self, asked: do.StartJob, stops: _Tasks) -> None:
        """The acceptance is on disk before the work begins; a stop may have come in between."""
        job, turn, intent = asked.job, asked.turn, asked.intent
        executor = self._stages.executor
        try:
            async with self._in_order(stops):
                await self.mark(turn, "accepted")
            if executor is None or self._is_stopped(job):
                await self._loop.post(ev.JobStopped(job))
            elif asked.adds:
                await executor.add(job, turn, intent)
            else:
                await executor.start(job, turn, intent)
        except Exception as error:
            await self._loop.post(ev.JobFailed(job, problem_of(error)))

    async def _take_back(self, asked: do.TakeBack, stops: _Tasks) -> None:
        executor, job = self._stages.executor, asked.job
        try:
            async with self._in_order(stops):
                if self._is_stopped(job):
                    await self._loop.post(ev.JobStopped(job))
                    return
                await self._loop.post(ev.JobStarted(job, asked.turn, f"{asked.which}ing"))
            if executor is None:
                outcome = ev.Outcome("There is nothing to undo")
            else:
                take_back = executor.undo if asked.which == "undo" else executor.redo
                outcome = await take_back(asked.count, asked.agent, job)
            await self._loop.post(ev.JobFinished(job, outcome))
        except Exception as error:
            if not (isinstance(error, MybroError) and error.code == "given_up"):  # which is told
                await self._loop.post(ev.JobFailed(job, problem_of(error)))

    @contextlib.asynccontextmanager
    async def _in_order(self, stops: _Tasks) -> AsyncIterator[None]:
        """After what was said before; who goes to the executor at once afterwards comes there in order."""
        try:
            async with self._order:
                if stops:
                    await asyncio.wait(stops)
                yield
        finally:
            self._coming -= 1

    def _is_stopped(self, job: int) -> bool:
        known = self._loop.state.jobs.get(job)
        return known is None or known.phase is JobPhase.STOPPING

    async def _stop(self, jobs: tuple[int, ...]) -> None:
        executor = self._stages.executor
        if executor is not None:
            await asyncio.gather(*(executor.stop(job) for job in jobs))

    async def _sweep(self, stopping: tuple[int, ...]) -> None:
        executor = self._stages.executor
        ended: tuple[str, ...] = ()
        try:
            if executor is not None:
                await self._stop(stopping)
                ended = await executor.sweep()
        finally:
            await self._loop.post(ev.Swept(len(stopping), ended))

    async def _stop_agent(self, agent: str, *, late: bool) -> None:
        """What is at work at once, then what was said before and comes only now."""
        done: list[ev.Swept | MybroError] = []
        at_once = self._loop.spawn(self._stop_now(agent, done))
        if late:
            async with self._order:
                pass
        await asyncio.wait({at_once})
        if late:
            await self._stop_now(agent, done)
        swept = [one for one in done if isinstance(one, ev.Swept)]
        unknown = next((one for one in done if isinstance(one, MybroError)), None)
        if unknown is not None and not swept:
            await self._loop.post(ev.StageFailed("executor", unknown.problem))
        stopped = sum(one.stopped for one in swept) if swept else 1
        await self._loop.post(ev.Swept(stopped, tuple(name for one in swept for name in one.ended)))

    async def _stop_now(self, agent: str, done: list[ev.Swept | MybroError]) -> None:
        executor = self._stages.executor
        try:
            done.append(await executor.stop_agent(agent) if executor is not None else ev.Swept(0))
        except MybroError as error:
            done.append(error)
