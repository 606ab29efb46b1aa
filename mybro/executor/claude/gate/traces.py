"""How far commands reach, and what a command line puts into the repository and runs of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

_NOTES = re.compile(
    r"(?!requirements|CMakeLists|constraints).*\.(txt|log|out|md|rst|csv|tsv|patch|diff)", re.IGNORECASE
)
"""Files that nothing runs."""
_LEVERS = re.compile(
    r"\.husky|\.githooks|.*hooks?|\.pre-commit.*|\.gitattributes|\.gitmodules|package\.json|.*lint-?staged.*"
)
"""What git may run."""


class Reach(IntEnum):
    """How far a harmless command reaches."""

    READS = 0
    WRITES = 1
    """Makes or changes files in the repository, as an edit does; what was there is not lost."""


@dataclass(slots=True)
class Traces:
    """What a command line puts into the repository, and what of the repository it runs."""

    written: dict[Path, str | None] = field(default_factory=dict)
    """Files, each with its content where that is known."""
    read: set[Path] = field(default_factory=set)
    """Programs that were read to be judged, and places where one could appear."""
    told: set[Path] = field(default_factory=set)
    """Programs that were judged by what the command line itself puts there."""
    shuffled: bool = False
    """Other versions of any file may appear."""
    runs: bool = False
    """Whatever there is of tests, builds and their settings is run."""
    commits: bool = False
    """git runs its hooks."""
    waits: bool = False

    def tangled(self, calm: Callable[[Path, str], bool]) -> bool:
        """Whether something may be run that was not there when it was judged; `calm` judges a content."""
        if self.shuffled and self.read - self.told:
            return True
        for path, content in self.written.items():
            known = content is not None and calm(path, content)
            judged = any(one == path or path in one.parents for one in self.read)
            if judged and not (path in self.told and known):
                return True
            if self.runs and not known and not _NOTES.fullmatch(path.name):
                return True
            if self.commits and any(_LEVERS.fullmatch(part) for part in path.parts[-3:]):
                return True
        return False


def worst(reaches: Iterable[Reach | None]) -> Reach | None:
    """The farthest; None as soon as one is not certain: those after it are not judged."""
    farthest: Reach | None = None
    for reach in reaches:
        if reach is None:
            return None
        farthest = reach if farthest is None else max(farthest, reach)
    return farthest
