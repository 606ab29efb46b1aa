"""What a checkpoint holds and leaves out, and what comes back of it: one kind of thing at a time."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from mybro.errors import ExecutorError
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.checkpoint.blobs import SMALL
from mybro.executor.checkpoint.store import repository_key
from tests.checkpoint_scene import Opened, opened, repo, undone
from tests.executor_tools import write
from tests.fakes.executor import image

__all__ = ["opened", "repo"]
pytestmark = pytest.mark.integration


# ---------------------------------------------------------------------------- what comes back


def test_empty_folders_links_and_modes(repo: Path, opened: Opened) -> None:
    (repo / "empty").mkdir()
    (repo / "link").symlink_to("a.py")
    (repo / "run.sh").write_text("#!/bin/sh\n")
    (repo / "run.sh").chmod(0o755)
    before = image(repo)
    store = opened(repo)

    def work() -> None:
        (repo / "empty").rmdir()
        (repo / "new/inner").mkdir(parents=True)
        (repo / "link").unlink()
        (repo / "link").symlink_to("elsewhere")
        (repo / "run.sh").chmod(0o600)
        (repo / "a.py").unlink()
        (repo / "a.py").mkdir()
        write(repo, {"made/x.py": "x", "made/__pycache__/x.pyc": "x"})

    changed, result = undone(store, work)
    assert result.kept == ()
    assert image(repo) == before
    assert set(changed) >= {"a.py", "link", "run.sh"}


def test_large_contents_are_files_of_their_own(repo: Path, opened: Opened) -> None:
    large = os.urandom(SMALL + 1)
    (repo / "large").write_bytes(large)
    (repo / "same").write_bytes(large)
    store = opened(repo)

    def work() -> None:
        (repo / "large").unlink()
        (repo / "same").unlink()

    changed, _ = undone(store, work)
    assert changed == ("large", "same")
    assert (repo / "large").read_bytes() == (repo / "same").read_bytes() == large
    assert len(list((store.folder / "blobs").glob("??/*"))) == 1
    assert store.blobs.add(large) == store.blobs.add(large)
    assert store.blobs.size(b"nothing") == 0
    with pytest.raises(KeyError):
        store.blobs.read(b"nothing")


def test_a_folder_that_somebody_else_uses_stays(repo: Path, opened: Opened) -> None:
    store = opened(repo)
    before = store.take("before")
    write(repo, {"made/x.py": "x"})
    after = store.take("after")
    write(repo, {"made/mine.py": "mine"})
    result = store.undo(before.id, after.id)
    assert [(kept.path, kept.reason) for kept in result.kept] == [("made", "there is something else in it")]
    assert [file.name for file in (repo / "made").iterdir()] == ["mine.py"]
    again = store.redo(before.id, after.id)
    assert again.restored == ("made/x.py",)


def test_what_became_of_a_path_meanwhile(repo: Path, opened: Opened) -> None:
    write(repo, {"d/x": "1", "e/x": "1", "f": "1", "g/x": "1"})
    store = opened(repo)
    before = store.take("before")
    write(repo, {"d/x": "2", "e/x": "2", "f": "2"})
    (repo / "g/x").unlink()
    (repo / "g").rmdir()
    after = store.take("after")
    (repo / "d/x").unlink()
    (repo / "d").rmdir()
    (repo / "e/x").unlink()
    (repo / "e").rmdir()
    (repo / "e").write_text("a file now")
    (repo / "f").unlink()
    (repo / "g").write_text("a file now")
    reasons = {kept.path: kept.reason for kept in store.undo(before.id, after.id).kept}
    assert reasons["d/x"] == reasons["e/x"] == reasons["f"] == "you deleted it meanwhile"
    assert reasons["g"] == "you changed it meanwhile"
    assert (repo / "g").read_text() == "a file now"


def test_only_time_stamps_changed(repo: Path, opened: Opened) -> None:
    store = opened(repo)
    before = store.take("before")
    os.utime(repo / "a.py", (1, 1))
    after = store.take("after")
    assert not store.changes(before.id, after.id)
    os.utime(repo / "a.py", (1, 1))
    write(repo, {"a.py": "a = 2\n"})  # the same length
    os.utime(repo / "a.py", (1, 1))
    assert store.changes(after.id, store.take("later").id).files == ("a.py",)


def test_a_file_that_changes_all_the_time(repo: Path, opened: Opened) -> None:
    store = opened(repo)
    over = threading.Event()

    def write_on() -> None:
        while not over.is_set():
            with (repo / "busy").open("ab") as file:
                file.write(b"x" * 100)

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        time.sleep(0.05)
        checkpoint = store.take("busy")
    finally:
        over.set()
        writer.join()
    assert checkpoint.id == 1, "it is not waited for"


# ---------------------------------------------------------------------------- the store itself


def test_where_checkpoints_are() -> None:
    assert repository_key(Path("/a/my shop")).startswith("my_shop-")
    assert repository_key(Path("/a/shop")) != repository_key(Path("/b/shop"))
    assert repository_key(Path("/")).startswith("root-")


def test_two_stores_of_one_repository_see_each_other(repo: Path, opened: Opened) -> None:
    one, two = opened(repo), opened(repo)
    first = one.take("one")
    write(repo, {"b.py": "b"})
    second = two.take("two")
    assert (first.id, second.id) == (1, 2)
    assert one.changes(1, 2).files == ("b.py",)
    assert one.take("three").id == 3


def test_a_store_that_another_holds(repo: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mybro.executor.checkpoint.store._LOCK_TIMEOUT_S", 0.1)
    one, two = opened(repo), opened(repo)
    with one.exclusive(), pytest.raises(ExecutorError) as raised:
        two.take("two")
    assert raised.value.code == "checkpoints_locked"
    assert str(os.getpid()) in raised.value.message
    assert two.take("two").id == 1


def test_what_is_no_longer_kept(repo: Path, opened: Opened) -> None:
    store = opened(repo)
    store.take("one")
    for call in (lambda: store.changes(1, 7), lambda: store.undo(7, 8)):
        with pytest.raises(ExecutorError) as raised:
            call()
        assert raised.value.code == "no_such_checkpoint"


def test_a_store_of_another_version(repo: Path, opened: Opened) -> None:
    folder = opened(repo).folder
    with sqlite3.connect(folder / "checkpoints.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ExecutorError) as raised:
        opened(repo)
    assert raised.value.code == "checkpoints_newer"


def test_a_store_that_cannot_be_made(repo: Path, opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("a file")
    with pytest.raises(ExecutorError) as raised:
        opened(repo)
    assert raised.value.code == "checkpoint_failed"
    store_of_closed = tmp_path / "elsewhere"
    store = CheckpointStore(store_of_closed, repo)
    store.close()
    with pytest.raises(ExecutorError) as raised:
        store.take("closed")
    assert raised.value.code == "checkpoint_failed"


def test_a_disk_without_room(repo: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(repo)
    before = store.take("before")
    write(repo, {"a.py": "a = 2\n"})
    after = store.take("after")
    usage = shutil.disk_usage(repo)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=1))
    with pytest.raises(ExecutorError) as raised:
        store.undo(before.id, after.id)
    assert raised.value.code == "disk_full"
    assert (repo / "a.py").read_text() == "a = 2\n"
    monkeypatch.undo()
    assert store.undo(before.id, after.id).restored == ("a.py",)


def test_a_full_database(repo: Path, opened: Opened) -> None:
    store = opened(repo)
    store.take("before")
    pages = store.db.execute("PRAGMA page_count").fetchone()[0]
    store.db.execute(f"PRAGMA max_page_count = {pages}")
    (repo / "more").write_bytes(os.urandom(200_000))
    with pytest.raises(ExecutorError) as raised:
        store.take("after")
    assert raised.value.code == "disk_full"
    store.db.execute("PRAGMA max_page_count = 1073741823")
    assert store.take("after").id == 2
