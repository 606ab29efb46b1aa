"""The lines around a finding, read as text: what holds it, and what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

_FAR = 400
"""Lines around a finding that are read."""


class Place(NamedTuple):
    """A finding of ruff's."""

    lines: Sequence[str]
    """The whole file."""
    row: int
    """From 0."""
    column: int
    """From 0."""
    end: int
    """The last row, from 0."""
    end_column: int
    """Behind it, in that row."""
    message: str

    @property
    def line(self) -> str:
        return self.lines[self.row] if self.row < len(self.lines) else ""

    @property
    def rest(self) -> str:
        return self.line[self.column :]

    @property
    def text(self) -> str:
        """All its lines."""
        return "\n".join(self.lines[self.row : min(self.end + 1, self.row + _FAR)])


def width(line: str) -> int:
    return len(line) - len(line.lstrip())


def heads(place: Place, row: int | None = None) -> Iterator[tuple[int, str]]:
    """The lines that hold the place, from within: each begins further left than the one before."""
    at = place.row if row is None else row
    left = width(place.lines[at]) if at < len(place.lines) else 0
    while left and at > 0:
        at -= 1
        line = place.lines[at]
        bare = line.lstrip()
        if bare and not bare.startswith("#") and len(line) - len(bare) < left:
            left = len(line) - len(bare)
            yield at, bare


def body(place: Place, head: int) -> Iterator[str]:
    """What stands further right below a line; a closing bracket belongs to the line."""
    left = width(place.lines[head])
    for line in place.lines[head + 1 : head + 1 + _FAR]:
        bare = line.lstrip()
        if bare and not bare.startswith(("#", ")")) and len(line) - len(bare) <= left:
            return
        yield line


def function(place: Place) -> int:
    """The row of the `def` that the place is in; -1: in none."""
    return next((row for row, bare in heads(place) if bare.startswith(("def ", "async def "))), -1)
