"""What git itself knows comes back with a job's files: HEAD, branches, stash, index, unfinished merges."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro.executor.checkpoint import CheckpointStore
from tests.checkpoint_git_scene import commit, job, reasons, repo, store, there_and_back
from tests.executor_tools import new_repository, write
from tests.fakes.executor import git

__all__ = ["repo", "store"]
pytestmark = pytest.mark.integration


# ---------------------------------------------------------------------------- there and back


def test_commits_branches_and_tags(repo: Path, store: CheckpointStore) -> None:
    git(repo, "branch", "old")

    def work() -> None:
        commit(repo)
        git(repo, "switch", "-q", "-c", "feature")
        commit(repo, "c.py", "c")
        git(repo, "branch", "-q", "-D", "old")
        git(repo, "tag", "v1")

    words = there_and_back(store, work)
    assert words == ("HEAD", "branch feature", "branch main", "branch old", "tag v1", "the index")


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    repo = new_repository(tmp_path / "empty")
    store = CheckpointStore(tmp_path / "checkpoints", repo)
    words = there_and_back(store, lambda: commit(repo))
    assert words == ("branch main", "the index")
    assert not (repo / "a.py").exists()
    store.close()


# mybro: ignore[TS03] there_and_back asserts
def test_a_detached_head(repo: Path, store: CheckpointStore) -> None:
    commit(repo)
    there_and_back(store, lambda: git(repo, "checkout", "-q", "--detach", "HEAD~1"))
    git(repo, "checkout", "-q", "--detach")
    there_and_back(store, lambda: git(repo, "switch", "-q", "main"))
    there_and_back(store, lambda: commit(repo, "c.py"))


def test_the_stash(repo: Path, store: CheckpointStore) -> None:
    write(repo, {"a.py": "stashed\n"})
    git(repo, "stash", "-q")
    write(repo, {"b.py": "later\n"})

    def work() -> None:
        git(repo, "stash", "-q", "-m", "more")
        git(repo, "stash", "drop", "-q", "stash@{1}")

    assert "the stash" in there_and_back(store, work)
    assert git(repo, "stash", "list").count("\n") == 1
    there_and_back(store, lambda: git(repo, "stash", "clear"))


def test_an_unfinished_merge(repo: Path, store: CheckpointStore) -> None:
    git(repo, "switch", "-q", "-c", "other")
    commit(repo, "a.py", "other\n")
    git(repo, "switch", "-q", "main")
    commit(repo, "a.py", "mine\n")

    words = there_and_back(store, lambda: git(repo, "merge", "-q", "other", check=False))
    assert ".git/MERGE_HEAD" in words
    assert git(repo, "status", "--short") == ""


def test_hooks_and_configuration(repo: Path, store: CheckpointStore) -> None:
    def work() -> None:
        git(repo, "config", "shop.colour", "red")
        (repo / ".git/hooks").mkdir(exist_ok=True)
        (repo / ".git/hooks/pre-commit").write_text("#!/bin/sh\nexit 1\n")
        (repo / ".git/hooks/pre-commit").chmod(0o755)

    words = there_and_back(store, work)
    assert words == (".git/config", ".git/hooks/pre-commit")
    assert not (repo / ".git/hooks/pre-commit").exists()
    assert git(repo, "config", "shop.colour", check=False) == ""


def test_a_submodule_and_a_nested_repository(repo: Path, store: CheckpointStore, tmp_path: Path) -> None:
    library = new_repository(tmp_path / "library", {"lib.py": "lib\n"})
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    git(repo, "commit", "-qm", "Add lib")
    nested = new_repository(repo / "nested", {"n.py": "n\n"})
    inner = git(repo / "lib", "rev-parse", "HEAD"), git(nested, "rev-parse", "HEAD")

    def work() -> None:
        for place in (repo / "lib", nested):
            git(place, "config", "user.name", "T")
            git(place, "config", "user.email", "t@localhost")
            commit(place, "more.py", "more\n")

    _, _, words = there = job(store, work)
    assert "branch main of nested" in words
    undone = store.undo(*there[:2])
    assert undone.kept == ()
    assert (git(repo / "lib", "rev-parse", "HEAD"), git(nested, "rev-parse", "HEAD")) == inner
    assert not (nested / "more.py").exists()
    assert not (repo / "lib/more.py").exists()


def test_a_submodule_that_was_taken_out(repo: Path, store: CheckpointStore, tmp_path: Path) -> None:
    library = new_repository(tmp_path / "library", {"lib.py": "lib\n"})
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(library), "lib")
    git(repo, "commit", "-qm", "Add lib")
    head = git(repo / "lib", "rev-parse", "HEAD")

    def work() -> None:
        git(repo / "lib", "commit", "-qm", "x", "--allow-empty")
        git(repo, "rm", "-qf", "lib")
        git(repo, "commit", "-qm", "Remove lib")

    before, after, _ = job(store, work)
    assert store.undo(before, after).kept == ()
    assert git(repo / "lib", "rev-parse", "HEAD") == head
    assert git(repo, "status", "--porcelain") == ""
    assert git(repo, "submodule", "status").startswith(f" {head.strip()} lib")
    assert store.redo(before, after).kept == ()
    assert not (repo / "lib").exists()


def test_a_nested_repository_is_listed_as_not_kept(repo: Path, store: CheckpointStore) -> None:
    new_repository(repo / "nested", {"n.py": "n\n"})
    assert store.take("x").excluded == ("nested/.git: commits of a nested repository",)


# ---------------------------------------------------------------------------- what somebody went on from


def test_a_branch_that_moved_on_stays(repo: Path, store: CheckpointStore) -> None:
    before, after, _ = job(store, lambda: commit(repo))
    commit(repo, "c.py", "c")
    head = git(repo, "rev-parse", "HEAD")
    undone = store.undo(before, after)
    assert reasons(undone) == {
        "branch main": "it moved on meanwhile", "the index": "you went on from the branch as it is",
    }  # fmt: skip
    assert git(repo, "rev-parse", "HEAD") == head
    assert (repo / "a.py").read_text() == "a = 1\n"


def test_a_branch_that_was_switched_stays(repo: Path, store: CheckpointStore) -> None:
    git(repo, "branch", "third")
    before, after, _ = job(store, lambda: git(repo, "switch", "-q", "-c", "feature"))
    git(repo, "switch", "-q", "third")
    assert reasons(store.undo(before, after))["HEAD"] == "you switched the branch meanwhile"
    assert git(repo, "symbolic-ref", "--short", "HEAD") == "third\n"
    assert "feature" not in git(repo, "branch")


def test_a_branch_that_somebody_is_on_stays(repo: Path, store: CheckpointStore) -> None:
    before, after, _ = job(store, lambda: git(repo, "branch", "feature"))
    git(repo, "switch", "-q", "feature")
    assert reasons(store.undo(before, after)) == {"branch feature": "you are on it"}
    assert "feature" in git(repo, "branch")


def test_a_stash_that_was_added_to_stays(repo: Path, store: CheckpointStore) -> None:
    def stash(text: str) -> None:
        write(repo, {"a.py": text})
        git(repo, "stash", "-q")

    before, after, _ = job(store, lambda: stash("one\n"))
    stash("two\n")
    assert reasons(store.undo(before, after)) == {"the stash": "you changed it meanwhile"}
    assert git(repo, "stash", "list").count("\n") == 2


def test_the_index_is_brought_back_entry_by_entry(repo: Path, store: CheckpointStore) -> None:
    def work() -> None:
        write(repo, {"a.py": "staged\n", "b.py": "staged\n", "new.py": "staged\n"})
        git(repo, "add", ".")

    before, after, _ = job(store, work)
    write(repo, {"b.py": "mine\n", "mine.py": "mine\n"})
    git(repo, "add", "b.py", "mine.py")
    undone = store.undo(before, after)
    assert reasons(undone) == {
        "b.py": "you changed it meanwhile", "the index entry of b.py": "you changed it meanwhile",
    }  # fmt: skip
    assert git(repo, "status", "--short") == "M  b.py\nA  mine.py\n"


def test_a_changed_configuration_stays(repo: Path, store: CheckpointStore) -> None:
    before, after, _ = job(store, lambda: git(repo, "config", "shop.colour", "red"))
    git(repo, "config", "shop.size", "large")
    assert reasons(store.undo(before, after)) == {".git/config": "you changed it meanwhile"}
    assert git(repo, "config", "shop.colour") == "red\n"


def test_what_is_already_as_wanted_is_left(repo: Path, store: CheckpointStore) -> None:
    def work() -> None:
        commit(repo)
        git(repo, "config", "shop.colour", "red")
        write(repo, {"b.py": "stashed\n"})
        git(repo, "stash", "-q")

    was = git(repo, "rev-parse", "HEAD").strip()
    before, after, _ = job(store, work)
    git(repo, "stash", "drop", "-q")
    git(repo, "reset", "-q", "--hard", was)
    git(repo, "config", "--unset", "shop.colour")
    git(repo, "config", "--remove-section", "shop", check=False)
    undone = store.undo(before, after)
    assert undone.restored == ()
    assert "HEAD" not in undone.git
    assert git(repo, "rev-parse", "HEAD").strip() == was
