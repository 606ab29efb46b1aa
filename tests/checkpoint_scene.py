"""A repository, stores of its checkpoints, and work between two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mybro.executor.checkpoint import CheckpointStore, Limits, Undone
from tests.executor_tools import new_repository

Opened = Callable[..., CheckpointStore]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens stores, and closes them afterwards."""
    stores: list[CheckpointStore] = []

    def open_store(repo: Path, limits: Limits | None = None) -> CheckpointStore:
        stores.append(CheckpointStore(tmp_path / "checkpoints", repo, limits))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "shop", {"a.py": "a = 1\n", ".gitignore": "*.log\nout/\n"})


def undone(store: CheckpointStore, work: Callable[[], object]) -> tuple[tuple[str, ...], Undone]:
    """Do something between two checkpoints and take it back: what changed, and what came of the undo."""
    before = store.take("before")
    work()
    after = store.take("after")
    return store.changes(before.id, after.id).files, store.undo(before.id, after.id)
