"""The jobs that changed something, in order: what "undo that", "undo the last three" and "redo" go by."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from mybro.errors import ExecutorError
from mybro.executor.checkpoint import database
from mybro.executor.checkpoint.entry import Changes, Checkpoint, Undone
from mybro.executor.checkpoint.lock import FileLock
from mybro.executor.checkpoint.store import CheckpointStore

KEEP_STEPS = 50
KEEP_DAYS = 14.0
KEEP_BYTES = 2 << 30

_PRUNE_EVERY = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One job between its two checkpoints."""

    number: int
    label: str
    before: int
    after: int | None
    """None while the job runs."""
    interrupted: bool = False
    """Whether mybro ended before the job did."""
    excluded: tuple[str, ...] = field(default=(), compare=False)
    """Where it has just begun: what cannot be brought back, each with the reason."""


class History:
    """The steps of one working tree, on disk. Everything blocks: call it from a thread."""

    def __init__(self, store: CheckpointStore) -> None:
        self.store = store
        self._writer = FileLock(store.folder / "writer")

    def claim(self, patience_s: float = 0.0) -> None:
        """Become the only mybro that changes this working tree, until `release`.

        Raises `ExecutorError` repository_busy where another is, for longer than `patience_s`.
        """
        if not self._writer.held and not self._writer.acquire(patience_s):
            owner = self._writer.owner()
            raise ExecutorError(
                "repository_busy", f"another mybro, process {owner}, is at work in this repository",
                hint="Wait until it is done, or stop it there.", retryable=True,
            )  # fmt: skip

    def release(self) -> None:
        self._writer.release()

    def close(self) -> None:
        """Let go of the tree and of the database."""
        self.release()
        self.store.close()

    def begin(self, label: str, give_up: threading.Event | None = None) -> Step:
        """Take the checkpoint that stands before a job. The tree must be claimed.

        Raises `ExecutorError` given_up soon after `give_up` is set.
        """
        before = self.store.take(label, give_up)
        with self.store.exclusive(), database.transaction(self.store.db):
            row = self.store.db.execute(
                "INSERT INTO step (label, before, state) VALUES (?, ?, 'open')", (label, before.id)
            )
        return Step(int(row.lastrowid or 0), label, before.id, None, excluded=before.excluded)

    def finish(self, step: Step) -> tuple[Checkpoint, Changes]:
        """Take the checkpoint that stands after a job. A job that changed nothing is no step to undo."""
        after = self.store.take(step.label)
        changes = self.store.changes(step.before, after.id)
        with self.store.exclusive(), database.transaction(self.store.db):
            if changes:
                self.store.db.execute("DELETE FROM step WHERE state = 'undone'")
                self.store.db.execute(
                    "UPDATE step SET state = 'done', after = ?, interrupted = ? WHERE number = ?",
                    (after.id, step.interrupted, step.number),
                )
            else:
                self.store.db.execute("DELETE FROM step WHERE number = ?", (step.number,))
        if step.number % _PRUNE_EVERY == 0:
            self.prune()
        return after, changes

    def steps(self, state: str = "done") -> list[Step]:
        """The steps in this state ("open", "done" or "undone"), oldest first."""
        with self.store.exclusive():
            rows = self.store.db.execute(
                "SELECT number, label, before, after, interrupted FROM step WHERE state = ? ORDER BY number",
                (state,),
            ).fetchall()
        return [Step(number, label, before, after, bool(late)) for number, label, before, after, late in rows]

    def undo(self, count: int = 1) -> list[tuple[Step, Undone]]:
        """Take back the newest steps, newest first; fewer where there are fewer."""
        newest = reversed(self.steps("done")[-count:])
        return [(s, self.store.undo(s.before, s.after, step=s.number)) for s in newest if s.after is not None]

    def undo_from(self, before: int) -> list[tuple[Step, Undone]]:
        """Take back the newest step if it began with the checkpoint `before`; else nothing."""
        newest = self.steps("done")[-1:]
        return self.undo(1) if newest and newest[0].before == before else []

    def redo(self, count: int = 1) -> list[tuple[Step, Undone]]:
        """Do the newest undone steps again, oldest first."""
        oldest = self.steps("undone")[:count]
        return [(s, self.store.redo(s.before, s.after, step=s.number)) for s in oldest if s.after is not None]

    def last_begin(self) -> int | None:
        """The checkpoint from before the newest job that changed something, or that is at work."""
        newest = [*self.steps("done"), *self.steps("open")][-1:]
        return newest[0].before if newest else None

    def nearest(self, moment: float) -> int | None:
        """The checkpoint taken nearest to a moment, in seconds since 1970; None where there is none."""
        with self.store.exclusive():
            row = self.store.db.execute(
                "SELECT id FROM checkpoint WHERE label != 'looking' ORDER BY abs(at - ?), id LIMIT 1",
                (moment,),
            ).fetchone()
        return int(row[0]) if row else None

    def recover(self) -> list[Step]:
        """Put right what a crash left; returns the jobs that it cut off, which can be undone now.

        Does nothing while another mybro is at work here.
        """
        try:
            self.claim()
        except ExecutorError:
            return []
        try:
            self.store.resume()
            cut_off = [Step(s.number, s.label, s.before, None, interrupted=True) for s in self.steps("open")]
            return [step for step in cut_off if self.finish(step)[1]]
        finally:
            self.release()

    def prune(
        self, keep: int = KEEP_STEPS, max_age_s: float = KEEP_DAYS * 86_400, max_bytes: int = KEEP_BYTES
    ) -> None:
        """Forget steps beyond the newest `keep`, older than `max_age_s`, or over `max_bytes` altogether."""
        store = self.store
        with store.exclusive():
            while surplus := self._surplus(keep, time.time() - max_age_s, max_bytes):
                with database.transaction(store.db):
                    store.db.executemany("DELETE FROM step WHERE number = ?", ((s.number,) for s in surplus))
                self._forget()
            self._forget()

    def _surplus(self, keep: int, oldest: float, max_bytes: int) -> list[Step]:
        """The steps to forget next, the oldest ones; empty where all may stay."""
        steps = self.steps("done") + self.steps("undone")
        old = [step for step in steps if self._at(step.before) < oldest]
        if len(steps) > keep or old:
            return steps[: max(len(steps) - keep, len(old))]
        return steps[: max(1, len(steps) // 4)] if steps and self.store.bytes_kept() > max_bytes else []

    def _forget(self) -> None:
        every = [step for state in ("open", "done", "undone") for step in self.steps(state)]
        self.store.forget_unused({s.before for s in every} | {s.after for s in every if s.after is not None})

    def _at(self, checkpoint: int) -> float:
        row = self.store.db.execute("SELECT at FROM checkpoint WHERE id = ?", (checkpoint,)).fetchone()
        return float(row[0]) if row else 0.0
