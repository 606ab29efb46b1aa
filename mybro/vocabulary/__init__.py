"""Word lists, as data: `*.txt` beside this file.

`== NAME` begins a list: words, or phrases separated by `|`, or lines; `#` begins a comment.
"""

from __future__ import annotations

import functools
from importlib import resources


@functools.cache
def _sections(file: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in resources.files(__package__).joinpath(f"{file}.txt").read_text("utf-8").splitlines():
        if line.startswith("== "):
            lines = found.setdefault(line[3:].strip(), [])
        elif line.strip() and not line.startswith("#"):
            lines.append(line)
    return found


def words(file: str) -> dict[str, frozenset[str]]:
    """The lists of a file, each as its words, or as its phrases where it has any."""
    return {name: frozenset(_items(rows)) for name, rows in _sections(file).items()}


def ordered(file: str, name: str) -> list[str]:
    """One list of a file, in its order."""
    return _items(_sections(file)[name])


def lines(file: str) -> dict[str, list[str]]:
    """The lists of a file, each as its lines."""
    return _sections(file)


def _items(rows: list[str]) -> list[str]:
    if any("|" in row for row in rows):
        return [" ".join(part.split()) for part in "|".join(rows).split("|") if part.strip()]
    return " ".join(rows).split()
