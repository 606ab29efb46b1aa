"""A repository whose git state is kept, work in it, and both ways through the undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mybro.executor.checkpoint import CheckpointStore, Undone
from tests.executor_tools import new_repository, write
from tests.fakes.executor import git, git_image, image


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "shop", {"a.py": "a = 1\n", "b.py": "b = 1\n"})


@pytest.fixture
def store(repo: Path, tmp_path: Path) -> Iterator[CheckpointStore]:
    store = CheckpointStore(tmp_path / "checkpoints", repo)
    yield store
    store.close()


def commit(repo: Path, name: str = "a.py", text: str = "a = 2\n") -> None:
    write(repo, {name: text})
    git(repo, "add", "--", name)
    git(repo, "commit", "-q", "-m", f"Change {name}")


def job(store: CheckpointStore, work: Callable[[], object]) -> tuple[int, int, tuple[str, ...]]:
    """Two checkpoints around some work, and what differs in git between them."""
    before = store.take("before").id
    work()
    after = store.take("after").id
    return before, after, store.changes(before, after).git


def there_and_back(store: CheckpointStore, work: Callable[[], object]) -> tuple[str, ...]:
    """Undo and redo are exact; returns what was said to differ."""
    was = image(store.repo), git_image(store.repo)
    before, after, words = job(store, work)
    became = image(store.repo), git_image(store.repo)
    assert store.undo(before, after).kept == ()
    assert (image(store.repo), git_image(store.repo)) == was
    assert store.redo(before, after).kept == ()
    assert (image(store.repo), git_image(store.repo)) == became
    store.undo(before, after)
    return words


def reasons(undone: Undone) -> dict[str, str]:
    return {kept.path: kept.reason for kept in undone.kept}
