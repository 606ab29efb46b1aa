"""The steps that undo and redo go by: begun, finished, cut off by a crash, forgotten."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mybro.errors import ExecutorError
from mybro.executor.checkpoint import CheckpointStore, History, Step
from mybro.executor.checkpoint.blobs import SMALL, Blobs
from mybro.executor.checkpoint.lock import FileLock
from mybro.executor.checkpoint.restore import disk_full
from tests.executor_tools import new_repository, write

pytestmark = pytest.mark.integration


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "shop", {"a.py": "a = 1\n"})


@pytest.fixture
def history(repo: Path, tmp_path: Path) -> Iterator[History]:
    history = History(CheckpointStore(tmp_path / "checkpoints", repo))
    yield history
    history.close()


def again(history: History) -> History:
    """The same history as the next process finds it."""
    return History(CheckpointStore(history.store.folder.parent, history.store.repo))


def step(history: History, text: str) -> Step:
    begun = history.begin(f"write {text}")
    write(history.store.repo, {"a.py": text})
    history.finish(begun)
    return begun


def labels(history: History, state: str = "done") -> list[str]:
    return [one.label for one in history.steps(state)]


def test_steps_are_undone_and_redone_in_order(history: History, repo: Path) -> None:
    for text in ("one", "two", "three"):
        step(history, text)
    assert labels(history) == ["write one", "write two", "write three"]
    assert [one.label for one, _ in history.undo(2)] == ["write three", "write two"]
    assert (repo / "a.py").read_text() == "one"
    assert labels(history, "undone") == ["write two", "write three"]
    later = again(history)
    assert [one.label for one, _ in later.redo()] == ["write two"]
    assert (repo / "a.py").read_text() == "two"
    step(later, "four")
    assert labels(later, "undone") == [], "what was undone is no future any more"
    assert [one.label for one, _ in later.undo(10)] == ["write four", "write two", "write one"]
    assert (repo / "a.py").read_text() == "a = 1\n"
    later.close()


def test_what_changed_nothing_is_no_step(history: History) -> None:
    begun = history.begin("look")
    assert labels(history, "open") == ["look"]
    _, changes = history.finish(begun)
    assert not changes
    assert labels(history) == labels(history, "open") == []


def test_a_given_up_checkpoint_leaves_nothing(history: History, repo: Path) -> None:
    given_up = threading.Event()
    given_up.set()
    with pytest.raises(ExecutorError) as raised:
        history.begin("x", given_up)
    assert raised.value.code == "given_up"
    assert labels(history, "open") == []
    assert step(history, "one").before == 1


def test_only_one_writes(history: History) -> None:
    other = again(history)
    history.claim()
    history.claim()
    with pytest.raises(ExecutorError) as raised:
        other.claim()
    assert raised.value.code == "repository_busy"
    assert raised.value.retryable
    history.begin("at work")
    assert other.recover() == [], "what is at work was not cut off"
    history.release()
    history.release()
    assert [one.interrupted for one in other.recover()] == []
    other.close()


def test_what_a_crash_cut_off(history: History, repo: Path) -> None:
    history.begin("cut off")
    write(repo, {"a.py": "half"})
    later = again(history)
    assert [(one.label, one.interrupted) for one in later.recover()] == [("cut off", True)]
    assert [(one.label, one.interrupted) for one in later.steps()] == [("cut off", True)]
    later.undo()
    assert (repo / "a.py").read_text() == "a = 1\n"
    later.close()


def test_an_undo_that_a_crash_cut_off_is_finished(history: History, repo: Path) -> None:
    done = step(history, "two")
    write(repo, {"b.py": "b"})
    store = history.store
    (newest,) = history.steps()
    with store.exclusive():
        store.db.execute(
            "INSERT INTO restoring (source, target, step, name, paths) VALUES (?, ?, ?, ?, ?)",
            (newest.after, newest.before, newest.number, ".mybro-undo-x", b"a.py"),
        )
    write(repo, {".mybro-undo-x": "half a file"})
    (store.folder / "blobs/tmp/left").write_text("half a blob")
    later = again(history)
    later.recover()
    assert (repo / "a.py").read_text() == "a = 1\n"
    assert not (repo / ".mybro-undo-x").exists()
    assert (repo / "b.py").exists()
    assert list((store.folder / "blobs/tmp").iterdir()) == []
    assert [one.number for one in later.steps("undone")] == [done.number]
    later.close()


# ---------------------------------------------------------------------------- forgetting


def test_old_steps_are_forgotten(history: History, repo: Path) -> None:
    for number in range(6):
        step(history, f"{number}")
    history.prune(keep=2)
    assert labels(history) == ["write 4", "write 5"]
    assert [one.label for one, _ in history.undo(5)] == ["write 5", "write 4"]
    assert (repo / "a.py").read_text() == "3"
    with pytest.raises(ExecutorError) as raised:
        history.store.changes(1, 2)
    assert raised.value.code == "no_such_checkpoint"
    history.store.db.execute("UPDATE checkpoint SET at = 1")
    history.prune(max_age_s=60)
    assert labels(history) == labels(history, "undone") == []
    assert step(history, "later")
    assert labels(history) == ["write later"]


def test_too_many_bytes_are_forgotten(history: History, repo: Path) -> None:
    folder = history.store.folder / "blobs"
    for _ in range(4):
        begun = history.begin("large")
        (repo / "large").write_bytes(os.urandom(SMALL + 1))
        history.finish(begun)
    assert len(list(folder.glob("??/*"))) == 4
    kept = history.store.bytes_kept()
    assert kept > 4 * SMALL
    history.prune(max_bytes=kept * 3 // 4)
    assert history.store.bytes_kept() <= kept * 3 // 4
    assert 0 < len(labels(history)) < 4
    assert len(list(folder.glob("??/*"))) < 4
    history.undo(10)
    history.prune(max_bytes=0)
    assert labels(history) == labels(history, "undone") == []
    write(repo, {"a.py": "after"})
    assert history.store.take("after").id > 4


def test_pruning_comes_by_itself(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(History.prune, "__defaults__", (3, 1e9, 1 << 40))
    for number in range(10):
        step(history, f"{number}")
    assert labels(history) == ["write 7", "write 8", "write 9"]


# ---------------------------------------------------------------------------- locks and contents


def test_a_lock_goes_with_its_process(tmp_path: Path) -> None:
    held = (
        "import sys; from pathlib import Path; from mybro.executor.checkpoint.lock import FileLock;"
        f"lock = FileLock(Path({str(tmp_path / 'lock')!r})); print(lock.acquire(), flush=True); input()"
    )
    lock = FileLock(tmp_path / "lock")
    assert lock.owner() is None
    with subprocess.Popen(
        [sys.executable, "-c", held],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        assert not lock.acquire()
        assert not lock.acquire(0.05)
        assert lock.owner() == other.pid
        other.kill()
    assert lock.acquire(30)
    assert lock.held
    assert lock.owner() == os.getpid()
    lock.release()
    lock.release()
    (tmp_path / "lock").write_text("nonsense")
    assert lock.owner() is None


def test_contents_that_are_files(history: History, tmp_path: Path) -> None:
    blobs: Blobs = history.store.blobs
    large = os.urandom(SMALL * 3)
    digest = blobs.add(large)
    assert blobs.add(large) == digest
    assert blobs.read(digest) == large
    assert blobs.size(digest) == len(large)
    blobs.drop([digest])
    with pytest.raises(KeyError):
        blobs.read(digest)
    blobs.sweep()
    assert list((history.store.folder / "blobs").glob("??/*")) == []
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        blobs.add_file(os.fsencode(tmp_path / "gone"), 10)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):
        blobs.add_file(os.fsencode(tmp_path / "pipe"), 10)


@pytest.mark.parametrize(
    ("number", "code"), [("ENOSPC", "disk_full"), ("EROFS", "read_only"), ("EIO", "disk_error")]
)
def test_why_nothing_more_can_be_written(number: str, code: str) -> None:
    assert disk_full(OSError(getattr(errno, number), "x")).code == code
