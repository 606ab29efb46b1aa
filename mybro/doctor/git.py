"""What git knows of a repository that may be hostile: nothing that its configuration names is run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

_TIMEOUT_S = 60.0
_DROPPED = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_SSH_COMMAND",
    "GIT_SSH",
    "GIT_PROXY_COMMAND",
)
_QUIET = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "gc.auto=0",
    "-c",
    "core.pager=cat",
    "-c",
    "diff.external=",
    "-c",
    "core.untrackedCache=false",
    "-c",
    "submodule.recurse=false",
    "-c",
    "protocol.allow=never",
    "-c",
    "core.sshCommand=false",
    "-c",
    "credential.helper=",
    # A signed commit would be given to whatever program the repository names.
    "-c",
    "log.showSignature=false",
    "-c",
    "gpg.program=false",
)


class GitError(Exception):
    """git did not answer; the text is its own."""


def environment() -> dict[str, str]:
    """This process's variables, less those that would lead git astray; nothing is fetched lazily."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ATTR_NOSYSTEM": "1",
    }


class Git:
    """One repository, read only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filters: dict[str, str] | None = None

    def run(self, *arguments: str, ok: Sequence[int] = (0,), stdin: bytes = b"") -> bytes:
        """git's standard output. Raises `GitError`."""
        if self._filters is None:
            self._filters = self._no_filters()
        return self._call(arguments, ok, stdin, self._filters)

    def _no_filters(self) -> dict[str, str]:
        """A filter's command would run where git compares a file's content: each is set to nothing."""
        wanted = r"^filter\..*\.(clean|process|smudge|required)$"
        found = self._call(("config", "-z", "--name-only", "--get-regexp", wanted), (0, 1), b"", {})
        names = [os.fsdecode(name) for name in found.split(b"\0") if name]
        env = {"GIT_CONFIG_COUNT": str(len(names))}
        for number, name in enumerate(names):
            env[f"GIT_CONFIG_KEY_{number}"] = name
            env[f"GIT_CONFIG_VALUE_{number}"] = "false" if name.casefold().endswith("required") else ""
        return env

    def _call(
        self, arguments: Sequence[str], ok: Sequence[int], stdin: bytes, extra: dict[str, str]
    ) -> bytes:
        command = ["git", *_QUIET, "-C", str(self.folder), *arguments]
        env = environment() | extra
        try:
            done = subprocess.run(
                command, input=stdin, capture_output=True, env=env, timeout=_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise GitError(str(error)) from error
        if done.returncode not in ok:
            raise GitError(done.stderr.decode(errors="replace").strip() or f"exit {done.returncode}")
        return done.stdout

    def names(self, *arguments: str) -> list[str]:
        """The null-separated names that a command prints, undecodable bytes kept as surrogates."""
        return [os.fsdecode(name) for name in self.run(*arguments).split(b"\0") if name]

    def entries(self) -> Iterator[tuple[str, str]]:
        """Mode ("100644", "120000" for a link, "160000" for a submodule) and path of all that is tracked."""
        for entry in self.names("ls-files", "--stage", "-z"):
            head, _, path = entry.partition("\t")
            yield head.split(" ", 1)[0], path

    def clean(self) -> bool:
        """Whether nothing differs from the last commit, untracked files included."""
        arguments = ("status", "--porcelain", "-z", "--untracked-files=normal", "--ignore-submodules=all")
        return not self.run(*arguments)

    def changed(self, base: str | None) -> list[str]:
        """The paths that differ from where this branch left `base` (default: the main branch), with what is
        not committed and not tracked. Raises `GitError` where there is no such base."""
        start = self._fork_point(base)
        told = self.names(
            "diff",
            "--name-only",
            "-z",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--diff-filter=d",
            "--ignore-submodules=all",
            "--relative",
            start,
            "--",
        )
        return sorted({*told, *self.names("ls-files", "-z", "--others", "--exclude-standard")})

    def _fork_point(self, base: str | None) -> str:
        candidates = (
            [base]
            if base
            else ["@{upstream}", "origin/HEAD", "origin/main", "origin/master", "main", "master"]
        )
        for name in candidates:
            if name.startswith("-"):
                continue
            try:
                return self.run("merge-base", "HEAD", name).decode().strip()
            except GitError:
                continue
        if base is None:
            return self.run("rev-parse", "--verify", "HEAD").decode().strip()
        raise GitError(f"there is no {base} to compare with")


def find(folder: Path) -> Git | None:
    """The repository that `folder` is in and that does not ignore it; None without one, or without git."""
    git = Git(folder)
    try:
        if git.run("rev-parse", "--is-inside-work-tree").strip() != b"true":
            return None
        if git.run("rev-parse", "--show-prefix").strip() and not _holds(git):
            return None
    except GitError:
        return None
    return git


def _holds(git: Git) -> bool:
    """Whether a folder below the top has something of the repository's, and is not merely ignored in it."""
    return bool(git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--directory", "."))
