"""Working trees beside the person's own, in real repositories."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mybro.config import data_dir
from mybro.demo import RECORDINGS
from mybro.errors import ExecutorError
from mybro.executor.checkpoint import CheckpointStore, History
from mybro.executor.worktrees import Worktrees
from tests.program import run
from tests.projects import contents, git, home, shop

__all__ = ["home", "shop"]
pytestmark = pytest.mark.integration


@pytest.fixture
def trees(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Worktrees:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    return Worktrees(shop)


def test_what_is_done_beside_comes_back_by_a_merge(trees: Worktrees, shop: Path) -> None:
    mine = contents(shop)
    path = trees.provide("parser")
    assert trees.provide("parser") == path
    assert not path.is_relative_to(shop)
    (path / "shop" / "parser.py").write_text("parse = 1\n")
    (path / "shop" / "prices.py").write_text("# mended\n")
    (tree,) = trees.all()
    assert (tree.name, tree.commits, tree.uncommitted) == ("parser", 0, 2)
    assert contents(shop) == mine

    merged = trees.merge("parser")

    assert set(merged.files) == {"shop/parser.py", "shop/prices.py"}
    assert (shop / "shop" / "prices.py").read_text() == "# mended\n"
    assert not path.exists()
    assert trees.all() == []
    assert "mybro/" not in git(shop, "branch", "--all")


def test_the_merge_can_be_undone(trees: Worktrees, shop: Path, home: Path, tmp_path: Path) -> None:
    mine, head = contents(shop), git(shop, "rev-parse", "HEAD")
    (trees.provide("parser") / "new.py").write_text("x = 1\n")
    trees.merge("parser")
    done = run("say", "undo that", home=home, cwd=shop, env={"MYBRO_DATA_DIR": str(tmp_path / "data")})
    assert done.returncode == 0, done.stdout
    assert contents(shop) == mine
    assert git(shop, "rev-parse", "HEAD") == head


def test_a_merge_tells_its_files_and_lines(trees: Worktrees, shop: Path) -> None:
    path = trees.provide("parser")
    (path / "größe.py").write_text("a = 1\nb = 2\n")
    (path / "shop" / "prices.py").write_text("")
    removed = len((shop / "shop" / "prices.py").read_text().splitlines())
    merged = trees.merge("parser")
    assert merged.files == ("größe.py", "shop/prices.py")
    assert merged.listing == f"+2 -0  größe.py\n+0 -{removed}  shop/prices.py"
    told = f"2 files, 2 lines added and {removed} removed: größe.py and shop/prices.py"
    assert merged.words == told
    trees.provide("parser")
    assert trees.merge("parser").words == "nothing new"


def test_what_is_checked_out_there_is_merged_whatever_its_name(trees: Worktrees, shop: Path) -> None:
    """Commits on no branch, or on another one, are the agent's work as well; and no branch of it is lost."""
    path = trees.provide("parser")
    (path / "one.py").write_text("x = 1\n")
    git(path, "add", ".")
    git(path, "commit", "-qm", "one")
    kept = git(path, "rev-parse", "HEAD")
    git(path, "checkout", "-q", "--detach", "HEAD~1")
    (path / "two.py").write_text("x = 2\n")
    assert trees.get("parser").commits == 1
    with pytest.raises(ExecutorError):
        trees.remove("parser")
    assert trees.merge("parser").files == ("two.py",)
    assert (shop / "two.py").exists()
    assert git(shop, "rev-parse", "mybro/parser") == kept


def test_half_a_tree_is_never_taken_for_a_whole_one(trees: Worktrees, shop: Path) -> None:
    """Neither one that git was killed over, nor what is left of one that was being removed."""
    mine = contents(shop)
    path = trees.provide("parser")
    (shop / ".git" / "worktrees" / "parser" / "locked").write_text("initializing\n")
    (path / "shop" / "prices.py").unlink()
    assert contents(trees.provide("parser")) == mine
    path.rename(path.with_name(".parser-0123"))
    assert trees.all() == []
    assert contents(trees.provide("parser")) == mine
    assert not path.with_name(".parser-0123").exists()
    assert trees.merge("parser").files == ()
    assert contents(shop) == mine


def test_conflicts_are_named_and_nothing_is_touched(trees: Worktrees, shop: Path) -> None:
    path = trees.provide("parser")
    (path / "shop" / "prices.py").write_text("# theirs\n")
    (shop / "shop" / "prices.py").write_text("# mine\n")
    git(shop, "commit", "-qam", "mine")
    before = contents(shop)
    assert trees.merge("parser").conflicts == ("shop/prices.py",)
    assert contents(shop) == before
    assert git(shop, "status", "--porcelain") == ""
    assert (path / "shop" / "prices.py").read_text() == "# theirs\n"


def test_what_the_person_has_not_committed_stays(trees: Worktrees, shop: Path) -> None:
    (trees.provide("parser") / "shop" / "prices.py").write_text("# theirs\n")
    (shop / "shop" / "prices.py").write_text("# mine, unsaved in git\n")
    with pytest.raises(ExecutorError) as error:
        trees.merge("parser")
    assert error.value.code == "merge_refused"
    assert error.value.message == "git does not merge parser: it would write over shop/prices.py"
    assert (shop / "shop" / "prices.py").read_text() == "# mine, unsaved in git\n"
    assert [tree.name for tree in trees.all()] == ["parser"]


def test_what_a_killed_git_left_locked_is_told_with_what_to_do(trees: Worktrees, shop: Path) -> None:
    path = trees.provide("parser")
    for own, code in ((".git/worktrees/parser", "worktree_failed"), (".git", "merge_refused")):
        (path / "new.py").write_text("x = 1\n")
        lock = shop / own / "index.lock"
        lock.touch()
        with pytest.raises(ExecutorError, match=f"left {lock}, remove it") as error:
            trees.merge("parser")
        assert error.value.code == code
        lock.unlink()
    assert trees.merge("parser").files == ("new.py",)


def test_nothing_is_removed_that_is_nowhere_else(trees: Worktrees, shop: Path) -> None:
    path = trees.provide("parser")
    (path / "new.py").write_text("x = 1\n")
    with pytest.raises(ExecutorError) as error:
        trees.remove("parser")
    assert (error.value.code, (path / "new.py").exists()) == ("not_merged", True)
    trees.remove("parser", force=True)
    assert not path.exists()
    trees.provide("parser")
    trees.remove("parser")


def test_what_git_ignores_there_is_kept(trees: Worktrees, shop: Path) -> None:
    """Nothing else has it, and no build makes it again."""
    (shop / ".gitignore").write_text(".env\ndata/\nnode_modules/\n/build\ndist/\n")
    git(shop, "add", ".gitignore")
    git(shop, "commit", "-q", "-m", "Ignore")
    for bring in (trees.merge, trees.remove):
        path = trees.provide("parser")
        for name in (".env", "data/a.csv", "build", "dist/a.js", "node_modules/x/index.js"):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_text(name)
        done = bring("parser")
        kept = done if done is None or isinstance(done, Path) else done.kept
        assert kept is not None
        assert contents(kept) == {name: name.encode() for name in (".env", "data/a.csv", "build")}
        assert not path.exists()
    trees.provide("parser")
    assert trees.remove("parser") is None


def test_a_tree_that_was_deleted_by_hand_is_made_anew(trees: Worktrees, shop: Path) -> None:
    path = trees.provide("parser")
    (path / "new.py").write_text("x = 1\n")
    git(path, "add", ".")
    git(path, "commit", "-qm", "kept on its branch")
    shutil.rmtree(path)
    assert (trees.provide("parser") / "new.py").exists()


def test_programs_that_make_the_same_tree_at_once_have_one_that_is_whole(
    trees: Worktrees, shop: Path
) -> None:
    mine = contents(shop)
    with ThreadPoolExecutor(4) as pool:  # a lock of its own for each, as other programs have
        seen = list(pool.map(lambda _: contents(Worktrees(shop).provide("parser")), range(4)))
    assert seen == [mine] * 4


def test_a_tree_where_somebody_works_is_left_alone(trees: Worktrees, shop: Path) -> None:
    path = trees.provide("parser")
    (path / "half.py").write_text("half = 1\n")
    other = History(CheckpointStore(data_dir() / "checkpoints", path))
    other.claim()
    for change in (trees.merge, lambda name: trees.remove(name, force=True)):
        with pytest.raises(ExecutorError, match="still at work in parser") as error:
            change("parser")
        assert error.value.code == "worktree_busy"
    assert (path / "half.py").exists()
    other.close()
    assert trees.merge("parser").files == ("half.py",)


LATE_GIT = """#!{python}
import fcntl, subprocess, sys
done = subprocess.run([{git!r}, *sys.argv[1:]])
if "status" in sys.argv:
    with open({lock!r}, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(done.returncode)
        for file in {files!r}:
            open(file, "w").close()
sys.exit(done.returncode)
"""
"""Beside each look at a working tree somebody works there, who has to claim it as everybody has."""


def test_what_is_done_while_a_tree_is_looked_at_is_not_lost(
    trees: Worktrees, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = trees.provide("parser")
    store = CheckpointStore(data_dir() / "checkpoints", path)
    store.close()
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    noted = tmp_path / "noted"
    program.write_text(
        LATE_GIT.format(
            python=sys.executable, git=shutil.which("git"), lock=str(store.folder / "writer"),
            files=[str(path / "late.py"), str(noted)],
        )
    )  # fmt: skip
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    trees.get("parser")
    assert noted.exists()
    for file in (noted, path / "late.py"):
        file.unlink()
    assert trees.merge("parser").files == ()
    assert not noted.exists()


def test_bare_repositories_in_one_folder_are_kept_apart(shop: Path, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        git(tmp_path, "clone", "-q", "--bare", str(shop), f"{name}.git")
        git(tmp_path / f"{name}.git", "worktree", "add", "-q", str(tmp_path / name))
        made.append(Worktrees(tmp_path / name, tmp_path / "trees").provide("parser"))
    assert made[0] != made[1]


@pytest.mark.parametrize("name", ["", "a b", "../up", "-x", "x.lock", "a..b", "x" * 50])
def test_odd_names_are_refused(trees: Worktrees, name: str) -> None:
    with pytest.raises(ExecutorError, match="cannot be the name"):
        trees.provide(name)


def test_where_there_is_nothing_to_branch_from(tmp_path: Path) -> None:
    with pytest.raises(ExecutorError) as plain:
        Worktrees(tmp_path)
    git(tmp_path, "init", "-q")
    with pytest.raises(ExecutorError) as empty:
        Worktrees(tmp_path)
    assert (plain.value.code, empty.value.code) == ("not_a_repository", "no_commit")


def test_a_session_works_beside_and_its_work_is_merged(shop: Path, home: Path) -> None:
    rename = RECORDINGS / "rename.flac"
    done = run("run", "--worktree", "prices", "--audio", rename, "--no-voice", home=home, cwd=shop)
    assert done.returncode == 0, done.stderr
    assert b"user_id" in (shop / "shop" / "prices.py").read_bytes()
    listed = run("worktrees", home=home, cwd=shop)
    assert "prices" in listed.stdout and "2 uncommitted files" in listed.stdout
    refused = run("worktrees", "remove", "prices", home=home, cwd=shop)
    assert refused.returncode == 1 and "nowhere else" in refused.stderr
    merged = run("worktrees", "merge", "prices", home=home, cwd=shop)
    assert merged.returncode == 0, merged.stderr
    assert b"account_id" in (shop / "shop" / "prices.py").read_bytes()
    assert run("worktrees", "merge", "prices", home=home, cwd=shop).returncode == 1
    assert "mybro run --worktree NAME makes one" in run("worktrees", home=home, cwd=shop).stderr
