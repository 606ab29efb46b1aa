"""Runs jobs: a checkpoint before and after each, one writer at a time, stop, undo and redo."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

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
from mybro.executor.checkpoint import Changes, CheckpointStore, History, Limits, Step
from mybro.executor.hand import Job, JobError, Report
from mybro.executor.running import READ_ONLY, RoutedHand, Router, Running, StoppedError
from mybro.executor.words import changed_words, excluded_words, printable, redo_words, title, undo_words
from mybro.intent import Intent
from mybro.ops.kept import freeze_all, uninterrupted
from mybro.ops.processes import thaw

T = TypeVar("T")

_BUSY_POLL_S = 0.5
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
        """`hands` are tried in order. Without `checkpoints` nothing can be undone."""
        self._settings = settings
        self._repo = repo
        self._emit = emit
        self._router = Router(hands)
        self._history = History(checkpoints) if checkpoints is not None else None
        self._clock = clock
        self._jobs: dict[int, Running] = {}
        # Odd numbers: the even ones are the state machine's own.
        self._questions = questions or itertools.count(1, 2)
        self._writing = asyncio.Lock()
        self._freezing = asyncio.Lock()
        self._frozen: frozenset[psutil.Process] = frozenset()
        self._recovered: asyncio.Task[list[Step]] | None = None
        self._told: set[str] = set()
        self._closed = False
        self._before: dict[int, int] = {}  # the newest job that may write, and its checkpoint

    @property
    def running(self) -> tuple[int, ...]:
        """The numbers of the jobs that are queued or running, oldest first."""
        return tuple(self._jobs)

    async def recover(self) -> list[str]:
        """Finish what a crash cut off; names the jobs that it interrupted, which "undo" takes back.

        Every job waits for this; calling it early only makes the first job begin sooner.
        """
        if self._history is None:
            return []
        if self._recovered is None:
            self._recovered = asyncio.create_task(asyncio.to_thread(self._history.recover))
        try:
            return [step.label for step in await asyncio.shield(self._recovered)]
        except ExecutorError:
            self._recovered = None
            raise

    async def start(self, job_number: int, turn: int, intent: Intent) -> None:
        """Queue a job and return at once. Its end is one of JobFinished, JobFailed and JobStopped."""
        if self._closed:
            raise ExecutorError("closed", "mybro is shutting down")
        job = Job(job_number, turn, intent, self._repo, lambda: next(self._questions))
        running = Running(job, reads=intent.action in READ_ONLY)
        self._jobs[job_number] = running
        running.task = asyncio.create_task(self._run(running))

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
        history = self._history
        if history is None:
            return Outcome("There are no checkpoints, so nothing can be undone.", ok=False)
        await self._stop_writers()
        return undo_words(await self._exclusively(lambda: history.undo(count)), count)

    async def withdraw(self, job: int) -> Outcome:
        """Stop one job, and undo what that one has changed. Raises `ExecutorError` as `undo` does."""
        await self.stop(job)
        history, before = self._history, self._before.get(job)
        if history is None or before is None:
            return Outcome("")
        return undo_words(await self._exclusively(lambda: history.undo_from(before)), 1)

    async def redo(self, count: int = 1) -> Outcome:
        """Do the last undone jobs again."""
        history = self._history
        if history is None:
            return Outcome("There are no checkpoints, so nothing can be done again.", ok=False)
        await self._stop_writers()
        return redo_words(await self._exclusively(lambda: history.redo(count)), count)

    async def changed_since(self, checkpoint: str) -> Outcome:
        """What is different in the repository since a checkpoint. Raises `ExecutorError`."""
        history = self._history
        if history is None:
            return Outcome("There are no checkpoints to compare with.", ok=False)

        def compare() -> Changes:
            now = history.store.take("looking")
            return history.store.changes(int(checkpoint), now.id)

        return changed_words(await asyncio.to_thread(compare))

    async def aclose(self) -> None:
        """Stop everything; no process and no lock of this executor is left."""
        if self._closed:
            return
        self._closed = True
        await self.stop()
        await self._router.aclose()
        if self._recovered is not None:
            await asyncio.gather(self._recovered, return_exceptions=True)
        if self._history is not None:
            async with self._writing:  # an undo under way comes to its end
                await asyncio.to_thread(self._history.close)

    # ------------------------------------------------------------------------ one job

    async def _run(self, running: Running) -> None:
        try:
            if running.reads or self._history is None:
                await self._read(running)
            else:
                await self._write(running, self._history)
        except MybroError as error:
            number, stopped = running.job.number, running.stopping and error.code == "given_up"
            failed = JobFailed(number, error.problem, _known(error))
            await self._emit(JobStopped(number) if stopped else failed)
        except StoppedError:
            await self._emit(JobStopped(running.job.number))
        except Exception as error:
            _log.exception("job %d ended with an error of mybro's own", running.job.number)
            problem = Problem("internal", f"that went wrong inside mybro: {type(error).__name__}")
            await self._emit(JobFailed(running.job.number, problem))
        finally:
            self._jobs.pop(running.job.number, None)

    async def _read(self, running: Running) -> None:
        await self._emit(JobStarted(running.job.number, running.job.turn, title(running.job.intent)))
        outcome = await running.stoppable(self._router.run(running, self._emit))
        await self._emit(JobFinished(running.job.number, printable(outcome)))

    async def _write(self, running: Running, history: History) -> None:
        job, name = running.job, title(running.job.intent)
        await running.stoppable(self._writing.acquire())
        try:
            await self.recover()
            try:
                await running.stoppable(self._claim(running, history))
                step = await asyncio.to_thread(history.begin, name, running.give_up)
                self._before = {job.number: step.before}
                await self._emit(JobStarted(job.number, job.turn, name, str(step.before)))
                await self._list_excluded(job.number, step)
                event = await self._between(running, history, step)
            finally:
                history.release()
        finally:
            self._writing.release()
        await self._emit(event)

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
            stopped = True
        except MybroError as error:
            failure = error.problem
            outcome = _known(error)
        except Exception as error:
            _log.exception("job %d ended with an error of mybro's own", number)
            failure = Problem("internal", f"that went wrong inside mybro: {type(error).__name__}")
        outcome = await self._after(history, step, printable(outcome or Outcome("")))
        if stopped or running.stopping:
            return JobStopped(number, outcome)
        if failure is not None:
            return JobFailed(number, failure, outcome)
        return JobFinished(number, outcome)

    async def _after(self, history: History, step: Step, outcome: Outcome) -> Outcome:
        try:
            after, changes = await asyncio.to_thread(history.finish, step)
        except ExecutorError as error:
            words = f"{outcome.summary} It cannot be undone, because {error.message}.".strip()
            return dataclasses.replace(outcome, summary=words)
        return dataclasses.replace(outcome, changed=changes.files, checkpoint=str(after.id))

    async def _claim(self, running: Running, history: History) -> None:
        """Wait until no other mybro works here."""
        told = False
        while True:
            try:
                history.claim()
                return
            except ExecutorError as error:
                if error.code != "repository_busy":
                    raise
                if not told:
                    await self._emit(JobProgressed(running.job.number, f"waiting: {error.message}"))
                told = True
            await self._clock.sleep(_BUSY_POLL_S)

    # ------------------------------------------------------------------------ undo

    async def _stop_writers(self) -> None:
        for number in [number for number, running in self._jobs.items() if not running.reads]:
            await self.stop(number)

    async def _exclusively(self, work: Callable[[], T]) -> T:
        history = self._history
        assert history is not None  # noqa: S101 - the callers have looked
        async with self._writing:
            await self.recover()

            def claimed() -> T:
                history.claim()
                try:
                    return work()
                finally:
                    history.release()

            return await uninterrupted(asyncio.to_thread(claimed))


def limits(settings: ExecutorSettings) -> Limits:
    """What the settings leave out of checkpoints."""
    return Limits(
        max_file_bytes=settings.checkpoint_max_file_mb << 20,
        folders=settings.checkpoint_exclude,
        ignored=settings.checkpoint_ignored,
    )


def _known(error: MybroError) -> Outcome | None:
    return error.outcome if isinstance(error, JobError) else None
