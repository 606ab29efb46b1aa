"""Runs jobs: a checkpoint before and after each, one writer at a time, stop, undo and redo."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path

import psutil

from mybro.clock import Clock
from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError, MybroError, Problem
from mybro.events import (
    Answered,
    Event,
    JobFailed,
    JobFinished,
    JobProgressed,
    JobStarted,
    JobStopped,
    Outcome,
)
from mybro.executor import adding
from mybro.executor.checkpoint import CheckpointStore, History, Step
from mybro.executor.hand import Job, JobError, Report
from mybro.executor.held_clock import HeldClock
from mybro.executor.outside import Outside
from mybro.executor.past import Past
from mybro.executor.running import READ_ONLY, RoutedHand, Router, Running, StoppedError
from mybro.executor.words import excluded_words, joined, printable, title
from mybro.executor.written import Written, written
from mybro.intent import Intent
from mybro.ops.kept import freeze_all
from mybro.ops.processes import thaw

_FREEZES = 2
"""A second look finds what was being born during the first."""

_log = logging.getLogger(__name__)


class Executor:
    """The jobs of one repository."""

    def __init__(
        self,
        settings: ExecutorSettings,
        repo: Path,
        emit: Report,
        hands: Sequence[RoutedHand],
        checkpoints: CheckpointStore | None,
        clock: Clock,
        questions: Iterator[int] | None = None,
    ) -> None:
        """`hands` are tried in order. Without `checkpoints` nothing can be undone. A `HeldClock` stands still
        in a pause; the hands have the same.
        """
        self._settings = settings
        self._repo = repo
        self._emit = emit
        self._router = Router(hands)
        self._clock = clock
        self._past = Past(History(checkpoints), clock, emit) if checkpoints is not None else None
        self._jobs: dict[int, Running] = {}
        # Odd numbers: the even ones are the state machine's own.
        self._questions = questions or itertools.count(1, 2)
        self._freezing = asyncio.Lock()
        self._frozen: frozenset[psutil.Process] = frozenset()
        self._told: set[str] = set()
        self._closed = False
        self._outside = Outside(checkpoints.folder / "outside.json") if checkpoints is not None else None
        self._before: dict[int, int] = {}  # the newest job that may write, and its checkpoint

    @property
    def running(self) -> tuple[int, ...]:
        """The numbers of the jobs that are queued or running, oldest first."""
        return tuple(self._jobs)

    async def recover(self) -> list[str]:
        """Finish what a crash cut off; names the jobs that it interrupted, which "undo" takes back.

        Every job waits for this; calling it early only makes the first job begin sooner.
        """
        return [] if self._past is None else await self._past.recover()

    async def start(self, job_number: int, turn: int, intent: Intent) -> None:
        """Queue a job and return at once. Its end is one of JobFinished, JobFailed and JobStopped."""
        if self._closed:
            raise ExecutorError("closed", "mybro is shutting down")
        job = self._job(job_number, turn, intent)
        running = Running(job, reads=intent.action in READ_ONLY)
        self._jobs[job_number] = running
        running.task = asyncio.create_task(self._run(running))

    async def add(self, job_number: int, turn: int, intent: Intent) -> bool:
        """Make something part of the job at work; False where that takes nothing now."""
        job = self._job(job_number, turn, intent)
        for running in adding.hosts(intent, list(self._jobs.values())):
            if await adding.add(job, running, self._emit):
                return True
        return False

    async def stop(self, job: int | None = None) -> None:
        """Stop one job, or all; returns once they are quiescent and their ends are reported."""
        await self.freeze(on=False)
        chosen = [r for number, r in self._jobs.items() if job is None or number == job]
        for running in chosen:
            running.stop()
        await asyncio.gather(*(r.task for r in chosen if r.task is not None), return_exceptions=True)

    async def sweep(self) -> tuple[str, ...]:
        """Once all is stopped: end also what finished jobs left running; tells what it was."""
        return await self._router.sweep()

    async def freeze(self, *, on: bool) -> None:
        """Hold the processes of all jobs where they are, or let them go on."""
        async with self._freezing:  # one after the other, as asked: nothing stays held by a late freeze
            if isinstance(self._clock, HeldClock):
                self._clock.hold(on=on)
            if on and self._jobs:
                for _ in range(_FREEZES):
                    self._frozen |= await asyncio.to_thread(freeze_all)
            elif not on and self._frozen:
                frozen, self._frozen = self._frozen, frozenset()
                await asyncio.to_thread(thaw, frozen)

    async def answer(self, answer: Answered) -> None:
        """Pass an answer to whichever job asked the question."""
        for running in list(self._jobs.values()):
            if running.hand is not None:
                await running.hand.answer(answer)

    async def undo(self, count: int = 1) -> Outcome:
        """Take back the last jobs that changed something, newest first. A running job is stopped first.

        Raises `ExecutorError` where the disk is full or the checkpoints cannot be read.
        """
        if self._past is None:
            return Outcome("There are no checkpoints, so nothing can be undone.", ok=False)
        await self._stop_writers()
        if outside := await self._take_back_outside(None):
            return outside if count == 1 else joined(outside, await self._past.undo(count - 1))
        return await self._past.undo(count)

    async def withdraw(self, job: int) -> Outcome:
        """Stop one job, and undo what that one has changed. Raises `ExecutorError` as `undo` does."""
        await self.stop(job)
        if outside := await self._take_back_outside(job):
            return outside
        before = self._before.get(job)
        return Outcome("") if self._past is None or before is None else await self._past.undo_from(before)

    async def redo(self, count: int = 1) -> Outcome:
        """Do the last undone jobs again."""
        if self._past is None:
            return Outcome("There are no checkpoints, so nothing can be done again.", ok=False)
        await self._stop_writers()
        return await self._past.redo(count)

    async def changed_since(self, moment: float | None = None) -> Outcome:
        """What is different from a moment, see `Past.changes`. Raises `ExecutorError`."""
        if self._past is None:
            return Outcome("There are no checkpoints to compare with.", ok=False)
        return await self._past.changes(moment)

    async def aclose(self) -> None:
        """Stop everything; no process and no lock of this executor is left."""
        if self._closed:
            return
        self._closed = True
        await self.stop()
        await self._router.aclose()
        if self._past is not None:
            await self._past.aclose()

    # ------------------------------------------------------------------------ one job

    async def _run(self, running: Running) -> None:
        number = running.job.number
        try:
            await adding.end(running, await self._to_its_end(running), self._emit)
        except MybroError as error:
            stopped = running.stopping and error.code == "given_up"
            failed = JobFailed(number, error.problem, _known(error))
            await adding.end(running, JobStopped(number) if stopped else failed, self._emit)
        except StoppedError:
            await adding.end(running, JobStopped(number, _stopped(running.job)), self._emit)
        except Exception as error:
            _log.exception("job %d ended with an error of mybro's own", number)
            problem = Problem("internal", f"that went wrong inside mybro: {type(error).__name__}")
            await adding.end(running, JobFailed(number, problem), self._emit)
        finally:
            self._jobs.pop(number, None)

    async def _to_its_end(self, running: Running) -> Event:
        past = self._past
        if past is not None and not running.reads:
            return await self._write(running, past)
        job = running.job
        await self._emit(JobStarted(job.number, job.turn, title(job.intent)))
        outcome = await running.stoppable(self._router.run(running, self._emit))
        return JobFinished(job.number, printable(outcome))

    async def _write(self, running: Running, past: Past) -> Event:
        job, name, history = running.job, title(running.job.intent), past.history
        await running.stoppable(past.writing.acquire())
        try:
            await past.recover()
            try:
                await running.stoppable(past.claim(job.number))
                step = await asyncio.to_thread(history.begin, name, running.give_up)
                self._before = {job.number: step.before}
                await self._emit(JobStarted(job.number, job.turn, name, str(step.before)))
                await self._list_excluded(job.number, step)

                def so_far() -> Awaitable[Written]:
                    return asyncio.to_thread(written, history, step, running.give_up)

                running.job = dataclasses.replace(job, written=so_far)
                return await self._between(running, history, step)
            finally:
                history.release()
        finally:
            past.writing.release()

    async def _list_excluded(self, job: int, step: Step) -> None:
        """Tell beforehand what cannot be brought back afterwards; each once."""
        fresh = [line for line in step.excluded if line not in self._told]
        if fresh:
            self._told.update(fresh)
            await self._emit(JobProgressed(job, excluded_words(fresh)))

    async def _between(self, running: Running, history: History, step: Step) -> Event:
        """Run the hand between its checkpoints; returns how the job ended."""
        number = running.job.number
        outcome: Outcome | None = None
        failure: Problem | None = None
        stopped = False
        try:
            outcome = await running.stoppable(self._router.run(running, self._emit))
        except StoppedError:
            stopped, outcome = True, _stopped(running.job)
        except MybroError as error:
            failure = error.problem
            outcome = _known(error)
        except Exception as error:
            _log.exception("job %d ended with an error of mybro's own", number)
            failure = Problem("internal", f"that went wrong inside mybro: {type(error).__name__}")
        outcome = await self._after(history, step, printable(outcome or Outcome("")))
        if outcome.changed or running.job.left:
            await self._remember(running.job)
        if stopped or running.stopping:
            return JobStopped(number, outcome)
        if failure is not None:
            return JobFailed(number, failure, outcome)
        return JobFinished(number, outcome)

    async def _remember(self, job: Job) -> None:
        if self._outside is not None:
            await asyncio.to_thread(self._outside.remember, job.number, job.left)

    async def _take_back_outside(self, job: int | None) -> Outcome | None:
        return await asyncio.to_thread(self._outside.take_back, job) if self._outside is not None else None

    async def _after(self, history: History, step: Step, outcome: Outcome) -> Outcome:
        try:
            after, changes = await asyncio.to_thread(history.finish, step)
        except ExecutorError as error:
            words = f"{outcome.summary} It cannot be undone, because {error.message}.".strip()
            return dataclasses.replace(outcome, summary=words)
        return dataclasses.replace(outcome, changed=changes.files, checkpoint=str(after.id))

    def _job(self, number: int, turn: int, intent: Intent) -> Job:
        return Job(number, turn, intent, self._repo, lambda: next(self._questions))

    async def _stop_writers(self) -> None:
        for number in [number for number, running in self._jobs.items() if not running.reads]:
            await self.stop(number)


def _stopped(job: Job) -> Outcome | None:
    return job.known[-1] if job.known else None


def _known(error: MybroError) -> Outcome | None:
    return error.outcome if isinstance(error, JobError) else None
