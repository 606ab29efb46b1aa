"""Locks, other working trees and odd places, where git's state is kept."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mybro.executor.checkpoint import CheckpointStore, Limits, gitback
from mybro.executor.checkpoint.git import Git, GitError
from tests.checkpoint_git_scene import commit, job, reasons, repo, store
from tests.executor_tools import new_repository, write
from tests.fakes.executor import git

__all__ = ["repo", "store"]
pytestmark = pytest.mark.integration


def test_another_git_is_busy_with_the_index(
    repo: Path, store: CheckpointStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gitback, "_LOCK_WAIT_S", 0.1)
    before, after, _ = job(store, lambda: commit(repo))
    (repo / ".git/index.lock").write_text("")
    undone = store.undo(before, after)
    assert reasons(undone)["the index"] == "git would not: another git is busy with the index"
    assert (repo / ".git/index.lock").exists(), "it is not ours"
    assert not (repo / ".git/index.mybro").exists()


def test_a_lock_that_a_crash_of_ours_left_goes(repo: Path, store: CheckpointStore) -> None:
    before, after, _ = job(store, lambda: commit(repo))
    (repo / ".git/index.mybro").write_text("")
    (repo / ".git/index.lock").hardlink_to(repo / ".git/index.mybro")
    undone = store.undo(before, after)
    assert "the index" in undone.git
    assert not list((repo / ".git").glob("index.*"))


def test_other_working_trees_of_the_repository(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", "-b", "side", str(repo / "side"))
    store = CheckpointStore(tmp_path / "checkpoints", repo)
    checkpoint = store.take("main")
    assert checkpoint.excluded == ("side: another working tree of this repository",)
    inside = CheckpointStore(tmp_path / "checkpoints", repo / "side")

    def work() -> None:
        commit(repo / "side")
        git(repo, "branch", "somebodys")
        git(repo / "side", "config", "shop.colour", "red")

    before, after, _ = job(inside, work)
    undone = inside.undo(before, after)
    assert undone.kept == ()
    assert (repo / "side/a.py").read_text() == "a = 1\n"
    assert git(repo / "side", "log", "-1", "--format=%s") == "Begin\n"
    assert "somebodys" in git(repo, "branch"), "what another agent may have made stays"
    assert git(repo, "config", "shop.colour") == "red\n"
    store.close()
    inside.close()


def test_places_that_are_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Git.at(tmp_path) is None
    (tmp_path / ".git").write_text("nonsense")
    assert Git.at(tmp_path) is None
    (tmp_path / ".git").write_text("gitdir: nowhere")
    assert Git.at(tmp_path) is None
    write(tmp_path / "broken", {".git/HEAD": "ref: refs/heads/main\n", "a.txt": "a", "build/x": "x"})
    store = CheckpointStore(tmp_path / "checkpoints", tmp_path / "broken")
    assert store.take("x").excluded == ("build: excluded by setting",)
    store.close()
    repo = new_repository(tmp_path / "shop", {"a": "a"})
    found = Git.at(repo)
    assert found is not None
    with pytest.raises(GitError, match="not a git command"):
        found.run("no-such-command")
    monkeypatch.setenv("PATH", "/nonexistent")
    assert Git.at(repo) is None
    with pytest.raises(GitError):
        found.run("status")
    assert found.ignored((), standard=True) is None


def test_nothing_of_the_users_is_run(repo: Path, store: CheckpointStore, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    for name in ("post-checkout", "reference-transaction", "post-index-change", "fsmonitor"):
        (repo / ".git/hooks").mkdir(exist_ok=True)
        (repo / ".git/hooks" / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (repo / ".git/hooks" / name).chmod(0o755)
    git(repo, "config", "filter.f.clean", f"touch {ran}; cat")
    git(repo, "config", "filter.f.smudge", f"touch {ran}; cat")
    write(repo, {".gitattributes": "*.py filter=f\n"})

    def work() -> None:
        quiet = ["-c", "core.hooksPath=/dev/null", "-c", "filter.f.clean=", "-c", "filter.f.smudge="]
        write(repo, {"a.py": "a = 2\n"})
        git(repo, *quiet, "commit", "-qam", "x")
        git(repo, *quiet, "branch", "y")

    before, after, _ = job(store, work)
    git(repo, "config", "core.fsmonitor", ".git/hooks/fsmonitor")
    ran.unlink(missing_ok=True)
    store.undo(before, after)
    assert not ran.exists()
    assert (repo / "a.py").read_text() == "a = 1\n"


def test_a_repository_whose_references_are_in_tables(tmp_path: Path) -> None:
    repo = tmp_path / "tables"
    made = subprocess.run(["git", "init", "-q", "--ref-format=reftable", repo], capture_output=True)
    if made.returncode:
        new_repository(repo)  # an older git keeps files
    git(repo, "-c", "user.name=T", "-c", "user.email=t@x", "commit", "-q", "--allow-empty", "-m", "x")
    store = CheckpointStore(tmp_path / "checkpoints", repo, Limits())
    before, after, words = job(store, lambda: git(repo, "switch", "-q", "-c", "new"))
    assert words == ("HEAD", "branch new")
    store.undo(before, after)
    assert git(repo, "branch", "--show-current").strip() in ("main", "master")
    store.close()
