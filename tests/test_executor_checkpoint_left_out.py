"""What checkpoints leave out, and what may not be read."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from mybro.executor.checkpoint import Limits
from tests.checkpoint_scene import Opened, opened, repo, undone
from tests.executor_tools import write
from tests.fakes.executor import git

__all__ = ["opened", "repo"]
pytestmark = pytest.mark.integration

NOT_ROOT = os.geteuid() != 0


def test_what_git_ignores_is_left_out_unless_it_is_wanted(repo: Path, opened: Opened) -> None:
    def work() -> None:
        write(repo, {"x.log": "x", "out/made": "x", "b.py": "b"})

    changed, _ = undone(opened(repo), work)
    assert changed == ("b.py",)
    assert (repo / "x.log").exists()
    (repo / "x.log").unlink()
    (repo / "out/made").unlink()
    changed, _ = undone(opened(repo, Limits(ignored=True)), work)
    assert changed == ("b.py", "out/made", "x.log")
    assert not (repo / "x.log").exists()


def test_heavy_folders_are_left_out_unless_git_tracks_them(repo: Path, opened: Opened) -> None:
    write(repo, {"venv/kept.py": "x"})
    git(repo, "add", "-f", "venv/kept.py")
    store = opened(repo, Limits(ignored=True))

    def work() -> None:
        write(repo, {"node_modules/x/y.js": "x", "sub/.venv/z": "x", "venv/kept.py": "y"})

    changed, _ = undone(store, work)
    assert changed == ("venv/kept.py",)
    assert (repo / "node_modules/x/y.js").exists()
    assert (repo / "venv/kept.py").read_text() == "x"
    excluded = store.take("again").excluded
    assert "node_modules: excluded by setting" in excluded
    assert "sub/.venv: excluded by setting" in excluded


def test_without_git_generated_folders_are_left_out(tmp_path: Path, opened: Opened) -> None:
    write(tmp_path / "plain", {"a.txt": "a", "build/x": "x", "src/dist/y": "y"})
    store = opened(tmp_path / "plain")
    first = store.take("first")
    assert first.excluded == ("build: excluded by setting", "src/dist: excluded by setting")

    def work() -> None:
        write(tmp_path / "plain", {"a.txt": "b", "build/x": "z"})

    changed, _ = undone(store, work)
    assert changed == ("a.txt",)
    assert (tmp_path / "plain/build/x").read_text() == "z"


def test_large_files_are_noticed_and_not_kept(repo: Path, opened: Opened) -> None:
    store = opened(repo, Limits(max_file_bytes=1000))
    write(repo, {"large": "x" * 2000})
    checkpoint = store.take("first")
    assert checkpoint.excluded == ("large: larger than 0 MB",)

    def work() -> None:
        write(repo, {"large": "y" * 3000, "new": "z" * 2000})

    changed, result = undone(store, work)
    assert changed == ("large", "new")
    assert [(kept.path, kept.reason) for kept in result.kept] == [
        ("large", "its contents were not kept: it is too large"),
        ("new", "it could not be brought back afterwards: it is too large"),
    ]
    assert (repo / "large").read_text() == "y" * 3000


def test_what_becomes_ignored_is_still_followed(repo: Path, opened: Opened) -> None:
    write(repo, {"notes.txt": "one", "deep/er/notes.txt": "one"})
    store = opened(repo)

    def work() -> None:
        write(repo, {".gitignore": "*.txt\n", "notes.txt": "two", "deep/er/notes.txt": "two", "new.txt": "x"})

    undone(store, work)
    assert (repo / "notes.txt").read_text() == (repo / "deep/er/notes.txt").read_text() == "one"
    assert (repo / "new.txt").exists(), "nobody knows what it was before"


def test_special_files(repo: Path, opened: Opened, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(repo)  # the path of a socket may not be long
        try:
            listening.bind("door")
        finally:
            os.chdir(here)
    store = opened(repo)

    def work() -> None:
        (repo / "door").unlink()
        os.mkfifo(repo / "pipe")

    changed, result = undone(store, work)
    assert changed == ("door", "pipe")
    assert [(kept.path, kept.reason) for kept in result.kept] == [
        ("door", "its contents were not kept: it is a socket"),
    ]  # fmt: skip
    assert not (repo / "pipe").exists(), "a pipe holds nothing"


@pytest.mark.skipif(not NOT_ROOT, reason="root may read and write everything")
def test_what_may_not_be_read(repo: Path, opened: Opened) -> None:
    write(repo, {"shut/x": "x", "secret": "x"})
    (repo / "shut").chmod(0)
    (repo / "secret").chmod(0)
    try:
        excluded = opened(repo).take("first").excluded
    finally:
        (repo / "shut").chmod(0o700)
    assert excluded == ("secret: it cannot be read", "shut: it cannot be read")


@pytest.mark.skipif(not NOT_ROOT, reason="root may read and write everything")
def test_folders_are_opened_up_and_shut_again(repo: Path, opened: Opened) -> None:
    write(repo, {"shut/x": "x"})
    (repo / "shut").chmod(0o555)

    def work() -> None:
        (repo / "shut").chmod(0o755)
        write(repo, {"shut/x": "y", "shut/y": "y"})
        (repo / "shut").chmod(0o555)

    undone(opened(repo), work)
    assert [file.name for file in (repo / "shut").iterdir()] == ["x"]
    assert stat.S_IMODE((repo / "shut").stat().st_mode) == 0o555
