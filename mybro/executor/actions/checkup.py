"""What the doctor found in a repository, remembered until it looks again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mybro.config import data_dir

_MOST_BYTES = 8 << 20


class Place(BaseModel):
    """Where one finding is."""

    model_config = ConfigDict(frozen=True)

    path: str
    """Relative to the repository; empty: all of it."""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path or "the repository"


class Mends(BaseModel):
    """How many of them the doctor mends itself."""

    model_config = ConfigDict(frozen=True)

    safe: int = 0
    unsafe: int = 0


class Entry(BaseModel):
    """One check that found something; its number is its place in the list, from 1."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    why: str
    mend: str
    severity: str
    message: str = ""
    count: int = 0
    mends: Mends = Mends()
    places: tuple[Place, ...] = ()
    """The first hundred."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Its files, each once; empty where it is about more than files."""
        paths = tuple(dict.fromkeys(place.path for place in self.places))
        return () if "" in paths else paths


class Unexamined(BaseModel):
    """What was not looked at."""

    model_config = ConfigDict(frozen=True)

    what: str
    why: str
    partial: bool = True


class Checkup(BaseModel):
    """One examination, as `mybro doctor --json` tells it."""

    model_config = ConfigDict(frozen=True)

    score: int
    grade: str
    counts: dict[str, int]
    """Severity to findings."""
    important: tuple[Entry, ...] = ()
    """The gravest first."""
    unexamined: tuple[Unexamined, ...] = ()
    complete: bool = True
    exit_code: int = 0
    at: float = Field(default_factory=time.time)
    """When, in seconds since 1970."""

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def remember(repo: Path, found: Checkup) -> None:
    """Keep it outside the repository. What cannot be kept is forgotten: the answer matters more."""
    file = _file(repo)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".new")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(found.model_dump_json())
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)


def remembered(repo: Path) -> Checkup | None:
    """The last one of this working tree; None where there is none that can be read."""
    try:
        with _file(repo).open("rb") as stream:
            return Checkup.model_validate_json(stream.read(_MOST_BYTES))
    except (OSError, ValidationError):
        return None


def _file(repo: Path) -> Path:
    return data_dir() / "doctor" / f"{hashlib.sha256(os.fsencode(repo.resolve())).hexdigest()[:32]}.json"
