"""Which files a repository has: what git lists, so that ignored ones are left out; else a walk."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SKIPPED = frozenset(
    {
        ".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".nox", ".mypy_cache",
        ".ruff_cache", ".pytest_cache", "target", "dist", "build", ".build", ".gradle", "DerivedData", "Pods",
    }
)  # fmt: skip
"""Folders that a walk leaves out, where no git says what is ignored."""
MOST_FILES = 50_000
GIT_TIMEOUT_S = 20.0


def git(root: Path, *arguments: str) -> str | None:
    """What a git command that only reads prints; None where it fails or there is no git."""
    # Neither a lock nor a monitor is left behind, and nobody is asked for a password.
    env = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(root), *arguments]
    try:
        done = subprocess.run(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def listed(root: Path) -> list[str]:
    """Paths relative to `root`, with slashes, at most MOST_FILES."""
    # git names nothing in a folder that it ignores, such as an installed package.
    if out := git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"):
        return list(dict.fromkeys(path for path in out.split("\0") if path))[:MOST_FILES]
    return _walked(root)


def _walked(root: Path) -> list[str]:
    found: list[str] = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name for name in folders if name not in SKIPPED and not name.endswith(".egg-info")
        )
        inside = Path(folder).relative_to(root)
        found += [(inside / name).as_posix() for name in sorted(files)]
        if len(found) >= MOST_FILES:
            break
    return found[:MOST_FILES]


def branches(root: Path) -> list[str]:
    """The names of local and remote branches, the newest first, without the remote's name."""
    out = git(root, "for-each-ref", "--sort=-committerdate", "--count=200", "--format=%(refname)",
              "refs/heads", "refs/remotes")  # fmt: skip
    names = []
    for ref in (out or "").splitlines():
        _, place, name = ref.split("/", 2)
        name = name.partition("/")[2] if place == "remotes" else name
        if name and name != "HEAD":
            names.append(name)
    return list(dict.fromkeys(names))


def recent(root: Path, limit: int = 40) -> list[str]:
    """Paths that were changed last, the newest first: uncommitted ones, then those of the last commits."""
    status = git(root, "status", "--porcelain=v1", "-z", "--no-renames") or ""
    dirty = [entry[3:] for entry in status.split("\0") if len(entry) > 3]
    log = git(root, "log", "-n", "20", "--name-only", "--format=", "-z") or ""
    done = [path.strip("\n") for path in log.split("\0") if path.strip("\n")]
    return list(dict.fromkeys([*dirty, *done]))[:limit]
