"""What git itself knows comes back with a job's files: HEAD, branches, stash, index, unfinished merges."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mybro.executor.checkpoint import CheckpointStore, Limits, Undone, gitback
from mybro.executor.checkpoint.git import Git, GitError
from tests.executor_tools import new_repository, write
from tests.fakes.executor import git, git_image, image

pytestmark = pytest.mark.integration


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


def reasons(undone: Undone) -> dict[str, str]:
    return {kept.path: kept.reason for kept in undone.kept}


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


# ---------------------------------------------------------------------------- locks, worktrees, odd places


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
