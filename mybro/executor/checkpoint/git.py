"""What git itself knows, without running anything of the user's: no hook, no filter, no file monitor."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LOCAL = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS", "GIT_DIR", "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX", "GIT_NAMESPACE", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE",
    }
)  # fmt: skip
"""Variables that would point git at another repository."""

_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0")

_TIMEOUT_S = 60.0


class GitError(Exception):
    """git answered with an error; the text is its own."""


def environment(**extra: str) -> dict[str, str]:
    """This process's variables, less those that would lead git astray."""
    kept = {name: value for name, value in os.environ.items() if name not in _LOCAL}
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"} | extra


@dataclass(frozen=True, slots=True)
class Git:
    """One repository with a working tree."""

    folder: Path
    """The working tree's top."""
    own: Path
    """Holds HEAD and the index: `.git`, or where the `.git` file points."""
    common: Path
    """Holds branches, configuration and hooks; differs from `own` in a linked working tree."""

    @classmethod
    def at(cls, folder: Path) -> Git | None:
        """The repository whose working tree begins here; None where there is none, or no git."""
        marker = folder / ".git"
        try:
            if marker.is_file():
                text = marker.read_text(errors="surrogateescape")
                if not text.startswith("gitdir:"):
                    return None
                own = folder / text.removeprefix("gitdir:").strip()
            else:
                own = marker
            own = own.resolve()
            common_file = own / "commondir"
            common = (own / common_file.read_text().strip()).resolve() if common_file.is_file() else own
            usable = (own / "HEAD").is_file() and shutil.which("git") is not None
        except (OSError, UnicodeDecodeError):
            return None
        return cls(folder, own, common) if usable else None

    def is_worktree_of(self, other: Git) -> bool:
        """Whether both are working trees of one repository."""
        return self.common == other.common

    @property
    def main(self) -> Path:
        """The repository's first working tree, with others beside it; a bare one is its own."""
        if self.own == self.common:
            return self.folder
        return self.common.parent if self.common.name == ".git" else self.common

    @property
    def is_half_made(self) -> bool:
        """Whether git was ended while it made this working tree: its own lock is left on it."""
        try:
            return (self.own / "locked").read_text().strip() == "initializing"
        except OSError:
            return False

    def has_other_worktrees(self) -> bool:
        """Whether branches are shared with another working tree."""
        if self.own != self.common:
            return True
        linked = self.common / "worktrees"
        return linked.is_dir() and any(linked.iterdir())

    def run(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> bytes:
        """git's standard output. Raises `GitError`."""
        env = environment(**({"GIT_INDEX_FILE": str(index)} if index else {}))
        command = ["git", "-C", str(self.folder), *_QUIET, *arguments]
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, env=env, timeout=_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise GitError(str(error)) from error
        if done.returncode != 0:
            raise GitError(done.stderr.decode(errors="replace").strip() or f"exit {done.returncode}")
        return done.stdout

    def ignored(self, folders: Sequence[str], *, standard: bool) -> list[bytes] | None:
        """Untracked paths that git ignores, or that are folders of these names; whole folders where
        nothing in them is tracked. None where git will not say.
        """
        patterns = [part for name in folders for part in ("-x", f"{name}/")]
        rules = ["--exclude-standard"] if standard else []
        try:
            found = self.run("ls-files", "-z", "--others", "--ignored", "--directory", *rules, *patterns)
        except GitError:
            return None
        return [path.rstrip(b"/") for path in found.split(b"\0") if path]

    def head(self) -> str:
        """What HEAD holds: "ref: refs/heads/main", or a commit where it is detached."""
        text = (self.own / "HEAD").read_text().strip()
        if text != "ref: refs/heads/.invalid":
            return text
        try:  # references are kept in tables, and the file only guards against an old git
            return "ref: " + self.run("symbolic-ref", "HEAD").decode().strip()
        except GitError:
            return self.run("rev-parse", "HEAD").decode().strip()

    def refs(self) -> dict[str, str]:
        """Branches, tags and the stash: full name to object."""
        form = "--format=%(refname) %(objectname) %(symref)"
        listed = self.run("for-each-ref", form, "refs/heads", "refs/tags", "refs/stash")
        found: dict[str, str] = {}
        for line in os.fsdecode(listed).splitlines():
            name, _, rest = line.partition(" ")
            value, _, symbolic = rest.partition(" ")
            if not symbolic:
                found[name] = value
        return found

    def stashes(self) -> list[tuple[str, str]]:
        """The stash's entries, newest first: commit and message."""
        listed = os.fsdecode(self.run("log", "-g", "-z", "--format=%H %gs", "refs/stash", "--"))
        return [(line[: line.find(" ")], line[line.find(" ") + 1 :]) for line in listed.split("\0") if line]

    def index_entries(self, index: Path) -> dict[bytes, tuple[bytes, ...]]:
        """What an index file records: path to its "tag mode object stage" entries, without time stamps.

        The tag is one letter: what git was told about the file, such as not to look at it.
        """
        found: dict[bytes, tuple[bytes, ...]] = {}
        if not index.exists():
            return found
        for line in self.run("ls-files", "--stage", "-v", "-z", index=index).split(b"\0"):
            if line:
                entry, _, path = line.partition(b"\t")
                found[path] = (*found.get(path, ()), entry)
        return found
