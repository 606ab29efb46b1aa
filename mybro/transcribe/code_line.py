"""A line of code as it grows, word by word and symbol by symbol, with the spaces that belong there."""

from __future__ import annotations

import re
from typing import NamedTuple

from mybro.vocabulary import lines

_OPERATORS = frozenset(lines("dictation")["OPERATORS"][0].split())
_BEFORE_LIST = frozenset({"return", "in", "and", "or", "not", "if", "else", "yield", "print"})
_KEYWORDS = _BEFORE_LIST - {"print"} | {
    "def", "class", "import", "from", "as", "for", "while", "async", "await", "const", "let", "var", "new",
    "function", "del", "with", "elif", "is", "raise", "assert",
}  # fmt: skip
_BEFORE_PLACE = frozenset({"from", "cd", "add", "ls", "cat", "source"})
"""After these a dot begins something: "from .models"."""
_PREFIXES = frozenset({"-", "*", "**"})
"""Where a value is due these belong to it: "x = -1", "(*args"."""
_STRING_PREFIX = re.compile(r"(?:^|[\s(\[{=,])[fFrRbB]$")
_PLACES = {"\\n": "\n", "\\t": "\t", "\\s": " ", "\\\\": "\\", "\\": "/"}


class Symbol(NamedTuple):
    """A mark, and how it stands."""

    text: str
    left: bool
    """Whether it clings to what stands before it."""
    right: bool


def symbol_of(written: str) -> Symbol:
    """A symbol as the list of them writes it: "<" in front clings to the left, ">" behind to the right."""
    if written in ("<", "<=", ">", ">=", "=>", "->"):
        return Symbol(written, False, False)
    if written == "<>":
        return Symbol(">", True, False)
    left, right = written[0] == "<" and len(written) > 1, written[-1] == ">" and len(written) > 1
    text = written[left : len(written) - right]
    return Symbol(_PLACES.get(text, text), left, right)


class Line:
    """Code as it grows."""

    def __init__(self) -> None:
        self.out = ""
        self._tight = True
        self._open: set[str] = set()

    def word(self, text: str) -> None:
        self.out += text if self._tight else f" {text}"
        self._tight = False

    def symbol(self, symbol: Symbol) -> None:
        if symbol.text == "[" and self.out[-1:].isalnum() and self.out.split()[-1] not in _BEFORE_LIST:
            symbol = Symbol("[", True, True)  # an index, not a list
        if symbol.text == "<" and self.out.endswith("include"):
            symbol = Symbol("<", False, True)  # a header, not a type's parameter
        if self._begins_value(symbol.text):
            symbol = Symbol(symbol.text, False, True)
        if symbol.left:
            self.out = self.out.rstrip(" ")
        tight = symbol.left or self._tight
        self.out += symbol.text if tight or not self.out else f" {symbol.text}"
        self._tight = symbol.right

    def _begins_value(self, mark: str) -> bool:
        """Whether a mark that may cling to what stands before it belongs to what follows."""
        last = self.out.split()[-1:]
        match mark:
            case ".":
                return not _BEFORE_PLACE.isdisjoint(last)
            case "(" | "_" | "__":
                return self.after_operator or not _KEYWORDS.isdisjoint(last)
            case _:
                due = self.after_operator or not _KEYWORDS.isdisjoint(last) or (mark != "-" and self.at_start)
                return mark in _PREFIXES and due

    def quote(self, mark: str) -> None:
        if mark in self._open:
            self._open.discard(mark)
            self.out = self.out.rstrip(" ") + mark
            self._tight = False
        else:
            self._open.add(mark)
            self._tight = self._tight or _STRING_PREFIX.search(self.out) is not None
            self.word(mark)
            self._tight = True

    @property
    def after_operator(self) -> bool:
        return self.out.rstrip().rpartition(" ")[2] in _OPERATORS or self.out[-1:] in tuple("([{=,")

    @property
    def after_name(self) -> bool:
        """Whether what stands before a dash can be subtracted from."""
        return len(self.out.split()) < 2 or "=" in self.out

    @property
    def at_start(self) -> bool:
        return not self.out.rpartition("\n")[2].strip()
