"""What an examination finds, and what it could not look at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, NamedTuple

Severity = Literal["low", "medium", "high"]
Confidence = Literal["low", "medium", "high"]
Fixable = Literal["no", "unsafe", "safe"]
"""Unsafe: the fix may change what the program does, or delete something."""

LEVELS: dict[str, int] = {"low": 0, "medium": 1, "high": 2}
FIX_ORDER: dict[str, int] = {"no": 0, "unsafe": 1, "safe": 2}


class Edit(NamedTuple):
    """One replacement in a file."""

    start: int
    """Offset in bytes."""
    end: int
    """Offset in bytes, exclusive."""
    text: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in one place."""

    check: str
    """The check's id."""
    path: str
    """Relative to the repository, with slashes; empty where it is about the whole repository."""
    line: int
    """From 1; 0 where it is about the whole file."""
    column: int
    message: str
    severity: Severity
    confidence: Confidence
    engine: str
    rule: str = ""
    """The engine's own name for it."""
    end_line: int = 0
    fix: Fixable = "no"
    edits: tuple[Edit, ...] = ()
    """What mends it; only filled where fixes were asked for."""
    others: tuple[str, ...] = ()
    """Further engines that report the same."""
    anchor: str = ""
    """Text of the place, for a fingerprint that survives a shift of lines; never shown."""

    @property
    def fingerprint(self) -> str:
        """The same for the same mistake at another line; equal ones in one file are told apart by order."""
        parts = (self.check, self.path, self.rule, self.anchor or self.message)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]

    @property
    def place(self) -> str:
        """Such as "src/app.py:12"."""
        return f"{self.path}:{self.line}" if self.line else self.path or "(repository)"


@dataclass(frozen=True, slots=True, order=True)
class Unexamined:
    """Something that should have been looked at and was not."""

    what: str
    """A path, or the ids of checks."""
    why: str
    engine: str = ""
    partial: bool = True
    """Whether the examination is incomplete because of it; False for what is merely worth telling."""


def rank(finding: Finding) -> tuple[int, int, str, int, str]:
    """The worst and surest first."""
    return (
        -LEVELS[finding.severity],
        -LEVELS[finding.confidence],
        finding.path,
        finding.line,
        finding.check,
    )
