"""Finds a repository's files: what git knows, or everything but generated folders."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from mybro.executor.checkpoint.entry import Limits
from mybro.executor.checkpoint.git import Git, GitError

MAX_TEXT_BYTES = 2 << 20


def files(repo: Path) -> list[str]:
    """Every file that a person would call part of the repository, relative, sorted."""
    git = Git.at(repo)
    if git is not None:
        try:
            listed = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
        except GitError:
            pass
        else:
            names = (os.fsdecode(name) for name in listed.split(b"\0") if name)
            return sorted(
                name for name in names if (repo / name).is_file() and not (repo / name).is_symlink()
            )
    return sorted(_walk(repo))


def _walk(repo: Path) -> Iterator[str]:
    limits = Limits()
    left_out = {".git", *limits.folders, *limits.plain_folders}
    for folder, inner, names in os.walk(repo):
        inner[:] = [name for name in inner if name not in left_out]
        for name in names:
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                yield str(path.relative_to(repo))


def text_of(path: Path) -> str | None:
    """A file's text; None where it is binary, too large or gone."""
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    return None if b"\0" in data[:8192] else data.decode("utf-8", "replace")


def has_files(repo: Path, *patterns: str, containing: str = "", top_only: bool = False) -> bool:
    """Whether a file's last name fits one of the patterns, and its text holds `containing`."""
    for name in files(repo):
        if top_only and "/" in name:
            continue
        if any(fnmatch.fnmatch(name.rsplit("/", 1)[-1], pattern) for pattern in patterns) and (
            not containing or containing in (text_of(repo / name) or "")
        ):
            return True
    return False


def find_path(repo: Path, said: str) -> str | None:
    """The file or folder that a person means by a path, a file's name, or its name without the ending."""
    plain = said.strip().strip("./") or said
    direct = repo / plain
    if (
        plain
        and ".." not in Path(plain).parts
        and direct.exists()
        and direct.resolve().is_relative_to(repo.resolve())
    ):
        return plain
    wanted = _key(plain)
    every = files(repo)
    spellings: tuple[Callable[[str], str], ...] = (
        lambda name: _key(name.rsplit("/", 1)[-1]),
        lambda name: _key(Path(name).stem),
        _key,
    )
    for spelling in spellings:
        found = [name for name in every if spelling(name) == wanted]
        if found:
            return min(found, key=_nearest)
    folders = {str(parent) for name in every for parent in Path(name).parents if str(parent) != "."}
    found = [folder for folder in folders if _key(folder.rsplit("/", 1)[-1]) == wanted]
    return min(found, key=_nearest) if found else None


def _nearest(name: str) -> tuple[int, str]:
    return name.count("/"), name


def _key(name: str) -> str:
    return "".join(c for c in name.lower().replace(" dot ", ".") if c.isalnum() or c == ".")
