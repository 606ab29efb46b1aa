"""What a checkpoint knows of one path, and what differs between two checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from mybro.config import ExecutorSettings

SOCKET = "it is a socket"
PIPE = "it is a pipe"


class Kind(StrEnum):
    """What a path is. The values are stored."""

    FILE = "f"
    FOLDER = "d"
    LINK = "l"
    OPAQUE = "x"
    """Something whose contents are not kept: a socket, a file that is too large or cannot be read."""


class Entry(NamedTuple):
    """One path's state, complete enough to be brought back and to be compared."""

    kind: Kind
    mode: int
    """Permission bits, set-id and sticky bits included; 0 for a link."""
    data: bytes
    """File: SHA-256 of its bytes. Link: its target. Opaque: why, a NUL, and a signature. Folder: empty."""

    @property
    def why(self) -> str:
        """Why an opaque entry's contents are not kept."""
        return self.data.split(b"\0", 1)[0].decode()


def opaque(why: str, mode: int, *signature: int) -> Entry:
    """An entry whose contents are not kept; the numbers tell one state of it from another."""
    return Entry(Kind.OPAQUE, mode, b"\0".join([why.encode(), *(str(n).encode() for n in signature)]))


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs between two checkpoints."""

    path: bytes
    """Relative to the top folder, raw."""
    before: Entry | None
    """None where there was nothing."""
    after: Entry | None

    @property
    def what(self) -> str:
        """ "created", "deleted", "retyped", "edited", "mode"."""
        if self.before is None:
            return "created"
        if self.after is None:
            return "deleted"
        if self.before.kind is not self.after.kind:
            return "retyped"
        return "mode" if self.before.data == self.after.data else "edited"


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two checkpoints."""

    paths: tuple[Change, ...] = ()
    """Sorted by path; folders included."""
    git: tuple[str, ...] = ()
    """What differs in git itself, in words: "the index", "branch main"."""

    @property
    def files(self) -> tuple[str, ...]:
        """The changed files and links, printable; folders only where they are all that changed."""
        kept = [c for c in self.paths if Kind.FOLDER not in _kinds(c) or c.what == "retyped"]
        return tuple(shown(change.path) for change in kept or self.paths)

    def __bool__(self) -> bool:
        return bool(self.paths or self.git)


def _kinds(change: Change) -> set[Kind]:
    return {entry.kind for entry in (change.before, change.after) if entry is not None}


def shown(path: bytes) -> str:
    """A path as printable text: what is not UTF-8 and what is a control character is escaped."""
    text = path.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


@dataclass(frozen=True, slots=True)
class Kept:
    """A path that an undo or redo left as it is."""

    path: str
    """Printable; or what of git was left: "branch main"."""
    reason: str
    """Completes "left alone because ..."."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo or redo did."""

    restored: tuple[str, ...] = ()
    """Printable paths."""
    kept: tuple[Kept, ...] = ()
    git: tuple[str, ...] = ()
    """What came back of git: "the index", "branch main"."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One state of the whole working tree, on disk."""

    id: int
    label: str
    at: float
    """Seconds since 1970."""
    excluded: tuple[str, ...] = ()
    """What is not in it, each with the reason: "node_modules: excluded by setting"."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a checkpoint leaves out."""

    max_file_bytes: int = 256 << 20
    """Larger files are noticed, not kept."""
    folders: tuple[str, ...] = ("node_modules", ".venv", "venv", "__pycache__", ".tox", ".nox", ".mypy_cache",
                                ".ruff_cache", ".pytest_cache", ".hypothesis", ".gradle")  # fmt: skip
    """Names of folders that are left out unless git tracks something inside."""
    plain_folders: tuple[str, ...] = ("target", "dist", "build", ".cache")
    """Left out as well where there is no git to say what is generated."""
    ignored: bool = False
    """Whether files that git ignores are kept too."""

    @classmethod
    def of(cls, settings: ExecutorSettings) -> Limits:
        return cls(
            max_file_bytes=settings.checkpoint_max_file_mb << 20,
            folders=settings.checkpoint_exclude,
            ignored=settings.checkpoint_ignored,
        )
