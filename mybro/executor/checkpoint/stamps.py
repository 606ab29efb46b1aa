"""Stamps of known files, and which names of a folder have none or another: by the engine, or in Python."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from mybro.native import engine

Stamp = tuple[int, int, int, int, int]
"""Size, mtime, ctime (nanoseconds), inode, mode: while these stand, so do the bytes."""

Listing = tuple[list[bytes], list[bytes]]
"""One folder, now: names of what is there and is not a file in its known state (changed and new ones,
folders, links), and names of known files that are not there in their known state."""


class Stamps(Protocol):
    """The known states of one tree's regular files."""

    def put(self, files: Sequence[tuple[bytes, Stamp]]) -> None: ...

    def forget(self, paths: Sequence[bytes]) -> None: ...

    def look(self, root: bytes, folders: Sequence[bytes]) -> Sequence[Listing | int]:
        """Each folder beside what is known of it; an error's number where it cannot be read.

        `.git` is always among the others: what it is decides about the whole folder.
        """

    def outside(self, folders: Collection[bytes]) -> Iterable[bytes]:
        """Known files that lie in none of these folders."""


def make_stamps() -> Stamps:
    """The engine's, which looks at folders on all cores, or Python's."""
    native = getattr(engine(), "Known", PythonStamps)  # an engine that was built before has none
    known: Stamps = native()
    return known


def stamp(status: os.stat_result) -> Stamp:
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_mode)


class PythonStamps:
    """The same without the engine."""

    def __init__(self) -> None:
        self._folders: dict[bytes, dict[bytes, Stamp]] = {}

    def put(self, files: Sequence[tuple[bytes, Stamp]]) -> None:
        for path, known in files:
            folder, _, name = path.rpartition(b"/")
            self._folders.setdefault(folder, {})[name] = known

    def forget(self, paths: Sequence[bytes]) -> None:
        for path in paths:
            folder, _, name = path.rpartition(b"/")
            self._folders.get(folder, {}).pop(name, None)

    def look(self, root: bytes, folders: Sequence[bytes]) -> Sequence[Listing | int]:
        return [self._listing(root, folder) for folder in folders]

    def outside(self, folders: Collection[bytes]) -> Iterable[bytes]:
        for folder, files in self._folders.items():
            if folder not in folders:
                yield from (folder + b"/" + name for name in files) if folder else files

    def _listing(self, root: bytes, folder: bytes) -> Listing | int:
        known = self._folders.get(folder, {})
        same: set[bytes] = set()
        others: list[bytes] = []
        try:
            with os.scandir(root + b"/" + folder if folder else root) as found:
                for entry in found:
                    expected = known.get(entry.name)
                    if expected is not None and entry.name != b".git" and _is_as(entry, expected):
                        same.add(entry.name)
                    else:
                        others.append(entry.name)
        except OSError as error:
            return error.errno or 0
        return others, [name for name in known if name not in same]


def _is_as(entry: os.DirEntry[bytes], expected: Stamp) -> bool:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and stamp(status) == expected
