"""What jobs did to one working tree: taken back, done again, told."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import TypeVar

from mybro.clock import Clock
from mybro.errors import ExecutorError
from mybro.events import JobProgressed, Outcome
from mybro.executor.checkpoint import Changes, History, Step
from mybro.executor.hand import Report
from mybro.executor.words import changed_words, redo_words, undo_words
from mybro.executor.worktrees import PREFIX
from mybro.ops.kept import uninterrupted

T = TypeVar("T")

_BUSY_POLL_S = 0.5
_UNDO_S = 2.0
"""More than another's undo takes; who waits for another's job is told so instead."""


class Past:
    """The checkpoints of one working tree, used by one at a time."""

    def __init__(self, history: History, clock: Clock, emit: Report) -> None:
        self.history = history
        self.writing = asyncio.Lock()
        """Held by whoever changes the working tree."""
        self._clock = clock
        self._emit = emit
        self._recovered: asyncio.Task[list[Step]] | None = None

    async def recover(self) -> list[str]:
        """Finish what a crash cut off, once; names the jobs that it interrupted."""
        if self._recovered is None:
            self._recovered = asyncio.create_task(asyncio.to_thread(self.history.recover))
        try:
            return [step.label for step in await asyncio.shield(self._recovered)]
        except ExecutorError:
            self._recovered = None
            raise

    async def claim(self, job: int) -> None:
        """Wait until no other mybro works here."""
        told = False
        while True:
            try:
                self.history.claim()
                return
            except ExecutorError as error:
                if error.code != "repository_busy":
                    raise
                if not told:
                    await self._emit(JobProgressed(job, f"waiting: {error.message}"))
                told = True
            await self._clock.sleep(_BUSY_POLL_S)

    async def undo(self, count: int) -> Outcome:
        """Take back the last jobs that changed something, newest first. Raises `ExecutorError`."""
        return undo_words(await self._exclusively(lambda: self.history.undo(count)), count)

    async def undo_from(self, before: int) -> Outcome:
        """Take back the newest job, if it began with this checkpoint."""
        return undo_words(await self._exclusively(lambda: self.history.undo_from(before)), 1)

    async def redo(self, count: int) -> Outcome:
        """Do the last undone jobs again."""
        return redo_words(await self._exclusively(lambda: self.history.redo(count)), count)

    async def changes(self, moment: float | None) -> Outcome:
        """What is different from a moment, in seconds since 1970; from before the last job that changed
        something, where it is None. Raises `ExecutorError`.
        """

        def compare() -> Changes:
            began = self.history.last_begin() if moment is None else self.history.nearest(moment)
            if began is None:
                return Changes()
            found = self.history.store.changes(began, self.history.store.take("looking").id)
            return dataclasses.replace(found, git=tuple(word for word in found.git if PREFIX not in word))

        return changed_words(await asyncio.to_thread(compare))

    async def aclose(self) -> None:
        if self._recovered is not None:
            await asyncio.gather(self._recovered, return_exceptions=True)
        async with self.writing:  # an undo under way comes to its end
            await asyncio.to_thread(self.history.close)

    async def _exclusively(self, work: Callable[[], T]) -> T:
        async with self.writing:
            await self.recover()

            def claimed() -> T:
                self.history.claim(_UNDO_S)
                try:
                    return work()
                finally:
                    self.history.release()

            return await uninterrupted(asyncio.to_thread(claimed))
