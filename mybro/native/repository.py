"""Many files at once: walking, looking for patterns, hashing, comparing."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mybro.native import engine

SKIPPED = (
    ".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".nox", ".mypy_cache",
    ".ruff_cache", ".pytest_cache", "target", "dist", "build", ".build", ".gradle", "DerivedData", "Pods",
)  # fmt: skip
"""Folders that a walk leaves out."""
MOST_BYTES = 5_000_000
_LOOKED_AT = 8192
"""A NUL among these first bytes means that a file is no text."""


class Found(NamedTuple):
    """A line in which a pattern is."""

    path: str
    line: int
    """From 1."""
    pattern: int
    """Index into the patterns that were given."""
    text: bytes


class Stat(NamedTuple):
    """What tells two states of a file apart without reading it."""

    mode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def walk(root: Path, skipped: Sequence[str] = SKIPPED) -> list[str]:
    """The files below a folder, sorted; links are listed and not followed.

    The engine also leaves out what .gitignore files name, which Python alone does not read: where git is
    there, ask git.
    """
    native = engine()
    if native:
        return [os.fsdecode(path) for path in native.walk(root, list(skipped))]
    found: list[str] = []
    for folder, folders, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]  # noqa: PTH114, PTH118
        folders[:] = [name for name in folders if name not in skipped and name not in links]
        found += [name if inside == "." else f"{inside}/{name}" for name in [*files, *links]]
    return sorted(found, key=os.fsencode)


def scan(
    root: Path, paths: Sequence[str], patterns: Sequence[str], *, most_bytes: int = MOST_BYTES
) -> list[Found]:
    """Lines in which regular expressions are found, in the order of paths, lines and patterns.

    Patterns are for bytes and within a line, in the syntax that Rust's regex and Python's re share (no look-
    around, no references back). What cannot be read, is no text or is too large is left out. Raises
    `ValueError` for a pattern that cannot be used.
    """
    native = engine()
    if native:
        rows = native.scan_files(root, [os.fsencode(path) for path in paths], list(patterns), most_bytes)
        return [Found(paths[file], line, pattern, text) for file, line, pattern, text in rows]
    try:
        each = [re.compile(pattern.encode()) for pattern in patterns]
        any_of = re.compile(b"|".join(b"(?:%s)" % pattern.encode() for pattern in patterns), re.MULTILINE)
    except re.error as error:
        raise ValueError(f"a pattern cannot be used: {error}") from error
    found: list[Found] = []
    for path in paths:
        text = _text(root / path, most_bytes)
        # Most files hold none of them: those are not cut into lines.
        if text is not None and any_of.search(text):
            for number, line in enumerate(text.split(b"\n"), 1):
                found += [Found(path, number, at, line) for at, one in enumerate(each) if one.search(line)]
    return found


def _text(path: Path, most_bytes: int) -> bytes | None:
    try:
        told = path.lstat()
        if not stat.S_ISREG(told.st_mode) or told.st_size > most_bytes:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    return None if b"\0" in content[:_LOOKED_AT] else content.replace(b"\r\n", b"\n")


class Shape(NamedTuple):
    """What a survey looks for in the files that have one of its words."""

    words: list[int]
    """Indices into the survey's words."""
    patterns: list[str]
    """For bytes, in Rust's syntax. Of two, both must match or capture the same."""
    twice: bool
    """Whether one pattern must do so in two places."""
    kinds: bytes
    """The kinds of files where it is looked for; in others it may be. None: in all."""


def survey(
    root: Path,
    paths: Sequence[tuple[str, int]],
    words: Sequence[bytes],
    shapes: Sequence[Shape],
    *,
    most_bytes: int,
    seconds: float,
) -> list[int | None] | None:
    """What is in each file: a bit for each word, whatever its case, then one for each shape; None for a file
    that was not looked at. A path comes with its file's kind, up to 255. The word b"\\x80" stands for any
    byte above 127, and b"\\xff" for what is no UTF-8. Without the engine None in place of it all.

    Raises `ValueError` for a shape that cannot be used.
    """
    native = engine()
    if native is None:
        return None
    given = [(os.fsencode(path), kind) for path, kind in paths]
    found = native.survey_files(root, given, list(words), list(shapes), most_bytes, seconds)
    return [None if marks is None else int.from_bytes(marks, "little") for marks in found]


def sha256(root: Path, paths: Sequence[str]) -> list[bytes | None]:
    """The SHA-256 of each file; None for what cannot be read or is no file."""
    native = engine()
    if native:
        hashes: list[bytes | None] = native.sha256_files(root, [os.fsencode(path) for path in paths])
        return hashes
    return [_hash(root / path) for path in paths]


def _hash(path: Path) -> bytes | None:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return None


def stats(root: Path, paths: Sequence[str]) -> list[Stat | None]:
    """The state of each path itself, not of what it links to; None where there is nothing."""
    native = engine()
    if native:
        rows = native.stat_files(root, [os.fsencode(path) for path in paths])
        return [row and Stat(*row) for row in rows]
    return [_stat(root / path) for path in paths]


def _stat(path: Path) -> Stat | None:
    try:
        told = path.lstat()
    except OSError:
        return None
    return Stat(told.st_mode, told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino)
