"""Takes note of a repository's HEAD, branches, stash, index, hooks and unfinished operations."""

from __future__ import annotations

import contextlib
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from mybro.executor.checkpoint.blobs import Blobs
from mybro.executor.checkpoint.git import Git

_FILES = ("config", "MERGE_HEAD", "MERGE_MSG", "MERGE_MODE", "MERGE_RR", "AUTO_MERGE",
          "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "SQUASH_MSG",
          "BISECT_LOG", "BISECT_START", "BISECT_TERMS", "BISECT_NAMES", "BISECT_EXPECTED_REV")  # fmt: skip
_FOLDERS = ("info", "hooks", "rebase-merge", "rebase-apply", "sequencer")
_SHARED = ("config", "info", "hooks")
"""In a linked working tree these belong to all of them."""


class GitState(BaseModel):
    """One repository's own state. Digests are hexadecimal."""

    model_config = ConfigDict(frozen=True)

    head: str
    refs: dict[str, str]
    stashes: tuple[tuple[str, str], ...] = ()
    index: str | None = None
    files: dict[str, tuple[int, str]] = {}
    """Name inside the git folder to mode and digest."""

    def digests(self) -> Iterator[bytes]:
        for digest in (self.index, *(digest for _, digest in self.files.values())):
            if digest is not None:
                yield bytes.fromhex(digest)


def capture(git: Git, blobs: Blobs) -> GitState:
    """The state now. Raises `GitError`."""
    refs = git.refs()
    return GitState(
        head=git.head(),
        refs={name: value for name, value in refs.items() if name != "refs/stash"},
        stashes=tuple(git.stashes()) if "refs/stash" in refs else (),
        index=_digest(git.own / "index", blobs),
        files={name: kept for name in _own_files(git) if (kept := _kept_file(git.own / name, blobs))},
    )


def differences(one: GitState | None, other: GitState | None) -> tuple[str, ...]:
    """What differs, in words; the index only by its bytes, which is a hint."""
    if one is None or other is None:
        return ()  # a repository that came or went is not this room's to bring back
    words = ["HEAD"] if one.head != other.head else []
    names = sorted(one.refs.keys() | other.refs.keys())
    words += [ref_words(name) for name in names if one.refs.get(name) != other.refs.get(name)]
    words += ["the stash"] if one.stashes != other.stashes else []
    names = sorted(one.files.keys() | other.files.keys())
    return (*words, *(f".git/{name}" for name in names if one.files.get(name) != other.files.get(name)))


def index_differs(git: Git, one: GitState, other: GitState, blobs: Blobs) -> bool:
    """Whether two states stage different contents; time stamps do not count."""
    if one.index == other.index:
        return False
    with index_files(blobs, one.index, other.index) as (first, second):
        return git.index_entries(first) != git.index_entries(second)


@contextlib.contextmanager
def index_files(blobs: Blobs, *digests: str | None) -> Iterator[list[Path]]:
    """The kept indexes as files; one that was absent is absent."""
    with tempfile.TemporaryDirectory(prefix="mybro-index-") as folder:
        files = [Path(folder) / str(number) for number in range(len(digests))]
        for file, digest in zip(files, digests, strict=True):
            if digest is not None:
                file.write_bytes(blobs.read(bytes.fromhex(digest)))
        yield files


def _own_files(git: Git) -> list[str]:
    linked = git.own != git.common
    names = [name for name in _FILES if not (linked and name in _SHARED)]
    for folder in _FOLDERS:
        if linked and folder in _SHARED:
            continue
        with contextlib.suppress(OSError):
            files = (git.own / folder).iterdir()
            names += [f"{folder}/{file.name}" for file in files if file.suffix != ".sample"]
    return names


def _kept_file(file: Path, blobs: Blobs) -> tuple[int, str] | None:
    try:
        status = file.lstat()
        if not stat.S_ISREG(status.st_mode):
            return None
        return stat.S_IMODE(status.st_mode), blobs.add(file.read_bytes()).hex()
    except OSError:
        return None


def _digest(file: Path, blobs: Blobs) -> str | None:
    try:
        return blobs.add(file.read_bytes()).hex()
    except FileNotFoundError:
        return None


def ref_words(name: str) -> str:
    kind, _, short = name.removeprefix("refs/").partition("/")
    return f"{'branch' if kind == 'heads' else 'tag'} {short}"
