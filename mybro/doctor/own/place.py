"""What an own check sees and what it gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mybro.doctor.facts import File, Repository
from mybro.doctor.finding import Confidence, Edit, Fixable, Severity
from mybro.doctor.shapes import Group
from mybro.doctor.survey import UNKNOWN, Survey


class Hit(NamedTuple):
    """One place where something is wrong."""

    path: str
    line: int
    message: str
    edits: tuple[Edit, ...] = ()
    fix: Fixable = "no"
    severity: Severity | None = None
    """None: the check's own."""
    confidence: Confidence | None = None
    rule: str = ""
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """One file that was read."""

    file: File
    data: bytes
    survey: Survey | None = None
    marks: int = UNKNOWN
    """What the survey saw in it."""

    def may_have(self, group: Group) -> bool:
        """False only where it is known already that none of these is in it, words whatever their case."""
        return self.survey is None or self.marks & self.survey.mask(group) != 0

    def has(self, word: bytes) -> bool:
        """Whether the word is in it, as it is written."""
        return self.may_have((word,)) and word in self.data

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")

    def line(self, offset: int) -> int:
        """The line of a byte, from 1."""
        return self.data.count(b"\n", 0, offset) + 1

    def around(self, offset: int) -> bytes:
        """The whole line that a byte is in."""
        start = self.data.rfind(b"\n", 0, offset) + 1
        end = self.data.find(b"\n", offset)
        return self.data[start : len(self.data) if end < 0 else end]


PerFile = Callable[[Content], Iterable[Hit]]
PerRepository = Callable[[Repository], Iterable[Hit]]


def lines_with(content: Content, pattern: re.Pattern[bytes]) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Each match with its line; what stands behind a comment's sign is left out."""
    for found in pattern.finditer(content.data):
        before = content.around(found.start()).lstrip()
        if not before.startswith((b"#", b"//", b"*")):
            yield content.line(found.start()), found


def first_line(text: str, pattern: str, default: int = 0) -> int:
    """The line of the first match, from 1."""
    found = re.search(pattern, text)
    return text.count("\n", 0, found.start()) + 1 if found else default


def any_in(data: bytes, words: Sequence[bytes]) -> bool:
    for word in words:  # noqa: SIM110 (twice as quick, and asked of every file)
        if word in data:
            return True
    return False
