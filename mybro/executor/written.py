"""What a job has written so far, as texts: what stood in its files before it and what stands there now."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from mybro.executor.checkpoint import History, Step
from mybro.executor.checkpoint.entry import Entry, Kind

_MOST_FILES = 2_000
_MOST_BYTES = 1 << 20
"""Of one file; a larger one is nothing that somebody wrote."""


@dataclass(frozen=True, slots=True)
class Written:
    """The changed files, by path from the top folder; None where there was none, or it is no text."""

    before: Mapping[str, str | None]
    after: Mapping[str, str | None]


def written(history: History, step: Step, give_up: threading.Event) -> Written:
    """What is different since the job's first checkpoint. Blocks.

    Raises `ExecutorError` as `CheckpointStore.take` does.
    """
    store = history.store
    with store.exclusive():
        now = store.take("looking", give_up)
        changes = store.changes(step.before, now.id).paths
        files = [
            change for change in changes if Kind.FILE in {e.kind for e in (change.before, change.after) if e}
        ]

        def text(entry: Entry | None) -> str | None:
            if entry is None or entry.kind is not Kind.FILE or store.blobs.size(entry.data) > _MOST_BYTES:
                return None
            try:
                return store.blobs.read(entry.data).decode()
            except UnicodeDecodeError:
                return None

        chosen = {os.fsdecode(change.path): change for change in files[:_MOST_FILES]}
        return Written(
            {path: text(change.before) for path, change in chosen.items()},
            {path: text(change.after) for path, change in chosen.items()},
        )
