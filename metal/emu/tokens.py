"""A tokeniser for preprocessed MSL, and a cursor over what matters in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<marker>^[ \t]*\#[^\n]*)
    |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<mark>\[\[|::|->|<<=|>>=|<<|&&|\|\||[-+*/%&|^!=<>]=|\+\+|--|.)""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_MARKER = re.compile(r'\s*#\s*(?:line\s*)?(\d+)\s+"([^"]*)"')
_OPENS = {"(": 1, "{": 1, "[": 1, "[[": 2}
_CLOSES = {")": 1, "}": 1, "]": 1}


class MslError(Exception):
    """What is wrong with a `.metal` file, as lines of `file:line: message`."""


@dataclass(slots=True)
class Token:
    """One token; `out` is what takes its place in the C++ text."""

    kind: str
    text: str
    file: str
    line: int
    out: str = field(default="")


def tokenise(text: str, name: str) -> list[Token]:
    """All tokens of preprocessed text, each with the place it came from."""
    tokens: list[Token] = []
    file, line = name, 1
    for match in _TOKEN.finditer(text):
        kind, piece = match.lastgroup or "mark", match.group()
        tokens.append(Token(kind, piece, file, line, piece))
        marker = _MARKER.match(piece) if kind == "marker" else None
        if marker:
            # The marker names the line after it.
            file, line = marker.group(2), int(marker.group(1)) - 1
        line += piece.count("\n")
    return tokens


class Source:
    """The tokens that are neither white space nor line markers, by number."""

    def __init__(self, text: str, name: str) -> None:
        self.tokens = tokenise(text, name)
        self.errors: list[str] = []
        self._places = [i for i, token in enumerate(self.tokens) if token.kind not in ("space", "marker")]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, n: int) -> Token:
        return self.tokens[self._places[n]]

    def text(self, n: int) -> str:
        """The token's text; empty before the first and after the last."""
        return self[n].text if 0 <= n < len(self) else ""

    def words(self, start: int, end: int) -> list[str]:
        return [self.text(n) for n in range(start, end)]

    def spelled(self, start: int, end: int) -> str:
        """The text between two tokens as it was written, on one line."""
        if start >= end:
            return ""
        pieces = self.tokens[self._places[start] : self._places[end - 1] + 1]
        joined = "".join(" " if t.kind == "space" else "" if t.kind == "marker" else t.text for t in pieces)
        return re.sub(r"\s+", " ", joined).strip()

    def closing(self, n: int) -> int:
        """The number of the token that closes the bracket at `n`; of the second one for `[[`."""
        depth = 0
        for end in range(n, len(self)):
            text = self.text(end)
            depth += _OPENS.get(text, 0) - _CLOSES.get(text, 0)
            if depth == 0:
                return end
        raise MslError(f"{self[n].file}:{self[n].line}: '{self.text(n)}' is not closed")

    def closing_angle(self, n: int) -> int:
        """The number of the `>` that closes the `<` at `n`."""
        depth = 0
        for end in range(n, len(self)):
            depth += {"<": 1, ">": -1}.get(self.text(end), 0)
            if depth == 0:
                return end
        raise MslError(f"{self[n].file}:{self[n].line}: '<' is not closed")

    def next(self, n: int, text: str) -> int:
        while n < len(self) and self.text(n) != text:
            n += 1
        return n

    def split(self, start: int, end: int) -> list[tuple[int, int]]:
        """The ranges between the commas on the outermost level of [start, end)."""
        parts: list[tuple[int, int]] = []
        depth, first = 0, start
        for n in range(start, end):
            text = self.text(n)
            depth += _OPENS.get(text, 0) - _CLOSES.get(text, 0) + {"<": 1, ">": -1}.get(text, 0)
            if text == "," and depth == 0:
                parts.append((first, n))
                first = n + 1
        return [*parts, (first, end)] if first < end else parts

    def erase(self, start: int, end: int) -> None:
        """Take tokens [start, end) out of the C++ text; line breaks and markers stay."""
        for token in self.tokens[self._places[start] : self._places[end - 1] + 1]:
            if token.kind != "marker":
                token.out = "\n" * token.text.count("\n")

    def wrong(self, n: int, message: str) -> None:
        self.errors.append(f"{self[n].file}:{self[n].line}: {message}")
