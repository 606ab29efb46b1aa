"""Working trees beside the person's own, outside the repository: a session works there undisturbed.

Each has a branch `mybro/NAME`. What was changed there comes back by a merge; until then it stays, whatever is
killed. Everything here blocks.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mybro.config import data_dir
from mybro.errors import ExecutorError
from mybro.executor.checkpoint import CheckpointStore, History
from mybro.executor.checkpoint.git import Git, GitError, environment
from mybro.executor.checkpoint.lock import FileLock
from mybro.executor.checkpoint.store import repository_key
from mybro.executor.claude.overwriting import ignored
from mybro.executor.merged import Merged, refusal
from mybro.executor.words import count_words

PREFIX = "mybro/"
_CONFLICTS = 1
"""How `git merge-tree` ends where both sides changed the same."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_LOCK_TIMEOUT_S = 60.0
_ME = ("-c", "user.name=mybro", "-c", "user.email=mybro@localhost", "-c", "commit.gpgSign=false")


@dataclass(frozen=True, slots=True)
class Worktree:
    """One working tree of a session."""

    name: str
    path: Path
    branch: str
    tip: str
    """The commit that is checked out: its branch's, unless another one was checked out there."""
    commits: int
    """How many it has that the person's branch has not."""
    uncommitted: int
    """How many files in it no commit holds."""

    @property
    def held(self) -> str:
        """What is there and nowhere else."""
        files = count_words(self.uncommitted, "uncommitted file")
        return f"{count_words(self.commits, 'commit')} and {files}"


class Worktrees:
    """The working trees of one repository."""

    def __init__(self, repo: Path, root: Path | None = None) -> None:
        """`root` holds the working trees of every repository; default: a folder in the data directory.

        Raises `ExecutorError` where `repo` is no repository with a commit.
        """
        git = Git.at(repo)
        if git is None:
            raise ExecutorError("not_a_repository", f"{repo} is not a repository", hint="Run: git init")
        self._git = git
        self._folder = (root or data_dir() / "worktrees") / repository_key(git.main)
        if not self._ask("rev-list", "-n1", "--all"):
            raise ExecutorError("no_commit", f"{repo.name} has no commit yet", hint="Make one first")

    def provide(self, name: str) -> Path:
        """The working tree of that name; made from what is checked out where it is not there yet.

        Raises `ExecutorError`: bad_name, worktree_failed.
        """
        if not _NAME.fullmatch(name) or name.endswith((".lock", ".")) or ".." in name:
            raise ExecutorError(
                "bad_name",
                f"{name} cannot be the name of a working tree",
                hint="Use letters, digits and dashes",
            )
        path, branch = self._folder / name, PREFIX + name
        with self._alone():
            if (git := Git.at(path)) is not None and not git.is_half_made:
                return path
            self._set_aside(path)
            self._ask("worktree", "unlock", str(path))
            _run(self._git, "worktree", "prune")
            new = not self._ask("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")
            place = ["-b", branch, str(path), "HEAD"] if new else [str(path), branch]
            _run(self._git, "worktree", "add", *place)
            return path

    def all(self) -> list[Worktree]:
        """Those that are there, by name."""
        found = sorted(path for path in self._folder.glob("[!.]*") if (path / ".git").exists())
        return [self._describe(path) for path in found]

    def get(self, name: str) -> Worktree:
        """One of them. Raises `ExecutorError` no_worktree."""
        return self._describe(self._place(name))

    def merge(self, name: str) -> Merged:
        """Bring what was done in a working tree into the person's, and remove it: a step that can be undone.

        What is uncommitted there is committed first, on its own branch, so that nothing is lost, whatever
        happens next. Where both sides changed the same lines, nothing is merged and all stays.
        Raises `ExecutorError`: no_worktree, merge_refused, worktree_busy.
        """
        with self._at_rest(name) as tree:
            return self._merge(tree)

    def _merge(self, tree: Worktree) -> Merged:
        self._commit(tree)
        # By the branch's name, which git puts into its message, unless something else is checked out there.
        work, own = self._tip(tree.path), tree.branch
        work = own if work == self._ask("rev-parse", f"refs/heads/{own}") else work
        conflicts = self._conflicts(work)
        if conflicts:
            return Merged(conflicts=conflicts)
        merged = Merged.told(self._ask("diff", "--numstat", "-z", "--no-renames", f"HEAD...{work}"))
        with contextlib.closing(self._history(self._git.folder)) as history:
            history.claim()
            step = history.begin(f"merging {tree.name}")
            try:
                self._git.run(*_ME, "merge", "--no-edit", "--quiet", work)
            except GitError as error:
                raise refusal(error, "merge_refused", f"git does not merge {tree.name}") from None
            finally:
                history.finish(step)
        kept = self._keep(tree)
        self._drop(tree, keep_unmerged=True)
        return replace(merged, kept=kept)

    def changed(self, name: str) -> tuple[tuple[str, str], ...]:
        """What was done in a working tree and is not merged: each path, after what became of it.

        Raises `ExecutorError` no_worktree.
        """
        tree = self.get(name)
        base = self._ask("merge-base", "HEAD", tree.branch)
        there = self._at(tree.path)
        told = there.run("diff", "--name-status", "-z", "--no-renames", base or "HEAD").split(b"\0")
        fresh = there.run("ls-files", "-z", "--others", "--exclude-standard").split(b"\0")
        named = {"A": "added", "D": "deleted", "T": "retyped"}
        found = [
            (named.get(what.decode(), "edited"), os.fsdecode(path))
            for what, path in zip(told[::2], told[1::2], strict=False)
        ]
        found += [("added", os.fsdecode(path)) for path in fresh if path]
        return tuple(sorted(found, key=lambda one: one[1]))

    def remove(self, name: str, *, force: bool = False) -> Path | None:
        """Remove a working tree and its branch; returns where files are that git ignores, unless `force`.

        Raises `ExecutorError`: worktree_busy, and not_merged where it holds what is nowhere else, unless
        `force`.
        """
        with self._at_rest(name) as tree:
            if (tree.commits or tree.uncommitted) and not force:
                raise ExecutorError(
                    "not_merged", f"{name} holds {tree.held} that are nowhere else",
                    hint=f"Merge it: mybro worktrees merge {name}, or lose them with --force",
                )  # fmt: skip
            kept = None if force else self._keep(tree)
            self._drop(tree)
        return kept

    # ------------------------------------------------------------------------ other programs

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One program at a time makes, merges or removes: one that is half made looks like a whole one."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(self._folder / ".lock")
        if not lock.acquire(_LOCK_TIMEOUT_S):
            raise ExecutorError(
                "worktree_failed", f"process {lock.owner()} is busy with the working trees", retryable=True
            )
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def _at_rest(self, name: str) -> Iterator[Worktree]:
        """One of them, looked at when nobody works in it any more: what came later would be lost."""
        with self._alone(), contextlib.closing(self._history(self._place(name))) as history:
            try:
                history.claim()
            except ExecutorError as error:
                raise ExecutorError(
                    "worktree_busy", f"a mybro is still at work in {name}", hint="Stop it there first",
                    retryable=True,
                ) from error  # fmt: skip
            yield self.get(name)

    @staticmethod
    def _history(place: Path) -> History:
        return History(CheckpointStore(data_dir() / "checkpoints", place))

    def _place(self, name: str) -> Path:
        path = self._folder / name
        if not _NAME.fullmatch(name) or not (path / ".git").exists():
            there = ", ".join(one.name for one in self.all())
            raise ExecutorError(
                "no_worktree", f"there is no working tree {name}", hint=f"There is {there or 'none yet'}"
            )
        return path

    # ------------------------------------------------------------------------ git

    def _describe(self, path: Path) -> Worktree:
        branch = PREFIX + path.name
        tip = self._tip(path)
        tips = [tip, *filter(None, [self._ask("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")])]
        commits = int(self._ask("rev-list", "--count", *tips, "--not", "HEAD") or 0)
        status = _run(self._at(path), "status", "--porcelain", "-z", "--untracked-files=all")
        uncommitted = sum(1 for one in status.split(b"\0") if one)
        return Worktree(path.name, path, branch, tip, commits, uncommitted)

    def _commit(self, tree: Worktree) -> None:
        if tree.uncommitted:
            there = self._at(tree.path)
            _run(there, "add", "--all")
            _run(there, *_ME, "commit", "--quiet", "--no-verify", "-m", f"Work of {tree.name}")

    def _tip(self, path: Path) -> str:
        return _run(self._at(path), "rev-parse", "HEAD").decode().strip()

    def _conflicts(self, branch: str) -> tuple[str, ...]:
        """The files that a merge would leave in conflict, told without touching anything."""
        command = ["git", "-C", str(self._git.folder), "merge-tree", "--write-tree", "--name-only",
                   "--no-messages", "-z", "HEAD", branch]  # fmt: skip
        done = subprocess.run(command, capture_output=True, env=environment(), check=False)
        if done.returncode == 0:
            return ()
        if done.returncode != _CONFLICTS:
            raise ExecutorError(
                "merge_refused", f"git cannot merge {branch}", hint="It takes git 2.38 or newer"
            )
        _, *files = os.fsdecode(done.stdout).rstrip("\0").split("\0")
        return tuple(dict.fromkeys(files))

    def _keep(self, tree: Worktree) -> Path | None:
        """Move what git ignores there out of the way of removing it."""
        place = self._folder / ".ignored" / f"{tree.name}-{os.urandom(4).hex()}"
        left = ignored(tree.path)
        for name in left:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (tree.path / name).rename(place / name)
        return place if left else None

    def _drop(self, tree: Worktree, *, keep_unmerged: bool = False) -> None:
        # git refuses where modules or ignored files are left; what counts has been looked at before.
        self._set_aside(tree.path)
        _run(self._git, "worktree", "prune")
        if not keep_unmerged or not self._ask("rev-list", "-n1", f"HEAD..refs/heads/{tree.branch}"):
            self._ask("branch", "-D", "--quiet", tree.branch)

    def _set_aside(self, path: Path) -> None:
        """Remove a folder; at no time does half of it stand in its place, for to merge that would be to
        delete the other half.
        """
        if path.exists():
            path.rename(self._folder / f".{path.name}-{os.urandom(4).hex()}")
        for left in self._folder.glob(".*-*"):  # also what a crash has left
            shutil.rmtree(left, ignore_errors=True)

    def _ask(self, *arguments: str) -> str:
        try:
            return self._git.run(*arguments).decode(errors="surrogateescape").strip()
        except GitError:
            return ""

    @staticmethod
    def _at(path: Path) -> Git:
        git = Git.at(path)
        if git is None:
            raise ExecutorError("worktree_failed", f"{path} is no working tree any more")
        return git


def _run(git: Git, *arguments: str) -> bytes:
    try:
        return git.run(*arguments)
    except GitError as error:
        raise refusal(error, "worktree_failed", "git") from None
