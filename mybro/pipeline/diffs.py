"""What each of a session's jobs changed, by its own two checkpoints: no later edit is in it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from mybro import events as ev
from mybro.config import ExecutorSettings, data_dir
from mybro.errors import ServerError
from mybro.executor.checkpoint import CheckpointStore, Limits
from mybro.executor.checkpoint.diff import Difference, difference
from mybro.executor.worktrees import Worktrees
from mybro.naming import ORDINALS, agent_label
from mybro.pipeline.pipeline import Pipeline
from mybro.server.port import Json

KEPT = 500
_FIRST = agent_label(ORDINALS[0])


@dataclass
class _Span:
    before: str | None
    agent: str
    after: str | None = None
    ended: bool = False


class SessionDiffs:
    """Watches the pipeline for the checkpoints of its jobs."""

    def __init__(self, pipeline: Pipeline, repo: Path, settings: ExecutorSettings) -> None:
        self._repo, self._settings = repo, settings
        self._spans: OrderedDict[int, _Span] = OrderedDict()
        pipeline.watch(self._watch)

    async def of(self, job: int) -> Json:
        """A job's diff; of one that runs, what is different so far.

        Raises `ServerError` no_such_job, no_diff; `ExecutorError`.
        """
        span = self._spans.get(job)
        if span is None:
            raise ServerError("no_such_job", f"this session has no job {job}, or it is long over")
        if span.before is None:
            raise ServerError("no_diff", "that job only reads: nothing can have changed")
        if span.ended and span.after is None:
            raise ServerError("no_diff", "there is no checkpoint from after that job")
        found = await asyncio.to_thread(self._compare, span)
        return {
            "job": job, "diff": found.text, "files": list(found.files), "whole": found.whole,
            "ended": span.ended,
        }  # fmt: skip

    def _compare(self, span: _Span) -> Difference:
        place = self._repo
        if span.agent not in ("", _FIRST):
            place = Worktrees(self._repo).get(span.agent.removesuffix(" agent")).path
        store = CheckpointStore(data_dir() / "checkpoints", place, Limits.of(self._settings))
        try:
            after = int(span.after) if span.after is not None else store.take("looking").id
            return difference(store, int(span.before or 0), after)
        finally:
            store.close()

    def _watch(self, envelope: ev.Envelope) -> None:
        match envelope.event:
            case ev.JobStarted(job=job, checkpoint=before, agent=agent):
                self._spans[job] = _Span(before, agent)
                if len(self._spans) > KEPT:
                    self._spans.popitem(last=False)
            case (
                ev.JobFinished(job=job, outcome=outcome)
                | ev.JobFailed(job=job, outcome=outcome)
                | ev.JobStopped(job=job, outcome=outcome)
            ) if job in self._spans:
                self._spans[job].ended = True
                self._spans[job].after = outcome.checkpoint if outcome is not None else None
