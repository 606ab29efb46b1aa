"""The index of one repository: symbols, paths, branches, dependencies and recent edits, kept on disk.

The index is kept outside the repository, and only files whose size or time has changed are read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mybro.config import cache_dir
from mybro.index import files
from mybro.index.dependencies import dependencies
from mybro.index.extract import symbols_of
from mybro.index.languages import language_of
from mybro.index.symbols import Symbol

VERSION = 1
LARGEST_FILE = 1_000_000
"""Bytes: larger files are made by programs."""
MOST_SYMBOLS = 400_000
"""Of a whole repository: no more are kept, so that a monster costs no more than memory can bear."""

Stamp = tuple[int, int]
"""Modification time in nanoseconds, and size in bytes."""


@dataclass(frozen=True, slots=True)
class Index:
    """What a repository holds that a person may name."""

    root: Path
    symbols: dict[str, tuple[Symbol, ...]]
    """By the path of the file that defines them."""
    paths: tuple[str, ...]
    branches: tuple[str, ...] = ()
    """The newest first."""
    dependencies: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()
    """Paths that were changed last, the newest first."""
    stamps: dict[str, Stamp] | None = None

    @property
    def size(self) -> int:
        """How many symbols there are."""
        return sum(map(len, self.symbols.values()))


def build(root: Path, former: Index | None = None, *, trees: bool = True) -> Index:
    """Read a repository; what `former` knows of files that have not changed is taken over.

    A file that cannot be read counts as empty.
    """
    known = former.stamps or {} if former is not None else {}
    there: list[str] = []
    sources: list[tuple[str, str]] = []
    stamps: dict[str, Stamp] = {}
    for path in files.listed(root):
        try:
            stat = os.lstat(root / path)
        except OSError:
            continue  # deleted, and git has not been told
        there.append(path)
        language = language_of(path)
        if language is not None and stat.st_size <= LARGEST_FILE:
            sources.append((path, language))
            stamps[path] = (stat.st_mtime_ns, stat.st_size)
    kept = {path for path, _ in sources if known.get(path) == stamps[path]}
    read = symbols_of(root, [source for source in sources if source[0] not in kept], trees=trees)
    found: dict[str, tuple[Symbol, ...]] = {}
    total = 0
    for path, _ in sources:
        if total > MOST_SYMBOLS:
            del stamps[path]
            continue
        found[path] = former.symbols.get(path, ()) if former is not None and path in kept else next(read)
        total += len(found[path])
    return Index(
        root, found, tuple(there), tuple(files.branches(root)), tuple(dependencies(root)),
        tuple(files.recent(root)), stamps,
    )  # fmt: skip


def place(root: Path) -> Path:
    """The file in which the index of a repository is kept."""
    key = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    return cache_dir() / "index" / f"{key}.json"


def load(root: Path) -> Index | None:
    """The index as it was kept; None where there is none that this version can read."""
    try:
        data = json.loads(place(root).read_text("utf-8", "surrogatepass"))
        if data["version"] != VERSION or data["root"] != str(root.resolve()):
            return None
        held: dict[str, tuple[Symbol, ...]] = {}
        stamps: dict[str, Stamp] = {}
        for path, (time_ns, size, rows) in data["files"].items():
            stamps[path] = (time_ns, size)
            held[path] = tuple(Symbol(*row) for row in rows)
        lists = {name: tuple(data[name]) for name in ("paths", "branches", "dependencies", "recent")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Index(root, held, stamps=stamps, **lists)


def save(index: Index) -> None:
    """Keep an index; where the disk refuses it is made again next time."""
    target = place(index.root)
    stamps = index.stamps or {}
    data = {
        "version": VERSION,
        "root": str(index.root.resolve()),
        "files": {path: [*stamps.get(path, (0, -1)), held] for path, held in index.symbols.items()},
        **{name: getattr(index, name) for name in ("paths", "branches", "dependencies", "recent")},
    }
    half = target.with_suffix(f".{os.getpid()}.part")
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            half.write_text(json.dumps(data, separators=(",", ":")), "utf-8", "surrogatepass")
            half.replace(target)
        finally:
            half.unlink(missing_ok=True)


def refresh(root: Path, *, trees: bool = True) -> Index:
    """The index of now: what was kept, brought up to date, and kept again where anything has changed."""
    former = load(root)
    index = build(root, former, trees=trees)
    if former is None or _content(index) != _content(former):
        save(index)
    return index


def _content(index: Index) -> Iterable[object]:
    return (index.stamps, index.paths, index.branches, index.dependencies, index.recent)
