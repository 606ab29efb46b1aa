"""A recogniser's text as the pieces that names are made of: words, and the spoken or written dots between."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mybro.index.sound import NUMBER_WORDS

_TOKEN = re.compile(r"[A-Za-z0-9']+|[^A-Za-z0-9']+")
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z']+|[0-9]+|[A-Za-z']+")
_JOINT = {".": "dot", "/": "slash", "_": "", "": "", "::": "", ":": ""}
EXTENSIONS = {
    "pie": "py", "pi": "py", "pea": "py", "python": "py", "jason": "json", "tommel": "toml", "tom": "toml",
    "yammel": "yaml", "camel": "yaml", "markdown": "md", "rust": "rs", "javascript": "js",
    "typescript": "ts", "text": "txt", "shell": "sh", "see": "c", "sea": "c", "jays": "js",
}  # fmt: skip
"""What small recognisers write for a file's extension."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, or a joint between words."""

    low: str
    """For comparing; "dot" and "slash" for written ones too."""
    start: int
    end: int
    """Where it stands in the text."""
    closes: bool = False
    """Whether punctuation follows that no name goes across."""
    glued: bool = False
    """Whether it was written together with the piece before."""
    upper: bool = False


def pieces(text: str) -> list[Piece]:
    """The pieces of a text, in order."""
    found: list[Piece] = []
    glued = False
    for match in _TOKEN.finditer(text):
        if not match[0][0].isalnum() and match[0][0] != "'":
            found, glued = _gap(found, match[0], match.start(), last=match.end() == len(text))
            continue
        for part in _PIECE.finditer(match[0]):
            start = match.start() + part.start()
            low = part[0].lower().replace("'", "")
            if low:
                upper = len(part[0]) > 1 and part[0].isupper()
                found.append(Piece(low, start, start + len(part[0]), False, glued or part.start() > 0, upper))
        glued = False
    return found


def _gap(found: list[Piece], gap: str, at: int, *, last: bool) -> tuple[list[Piece], bool]:
    """What stands between two words: a joint, a space, or punctuation."""
    if gap == "-":
        return found, False  # recognisers write hyphens where they like
    if gap in _JOINT and not last:
        mark = _JOINT[gap]
        return ([*found, Piece(mark, at, at + 1, False, bool(found))] if mark else found), True
    if gap.strip() == "." and not gap.endswith(" ") and not last:  # " .env"
        return [*found, Piece("dot", at + gap.index("."), at + len(gap))], True
    # Recognisers put commas between the words of a name.
    if gap.strip("\"'`, \t") and found:
        head = found[-1]
        found = [*found[:-1], Piece(head.low, head.start, head.end, True, head.glued, head.upper)]
    return found, False


def said(span: Sequence[Piece]) -> list[str]:
    """The words of a span as names are said: numbers in words, "underscore" left out, extensions as usual."""
    found: list[str] = []
    for at, piece in enumerate(span):
        low = piece.low
        if low in ("underscore", "hyphen", "dash") and len(span) > 1:
            continue
        if low in ("period", "point") and 0 < at < len(span) - 1:
            low = "dot"
        if low.isdecimal():
            found += [NUMBER_WORDS[low]] if low in NUMBER_WORDS else [NUMBER_WORDS[digit] for digit in low]
        elif found and found[-1] == "dot":
            found.append(EXTENSIONS.get(low, low))
        else:
            found.append(low)
    return found
