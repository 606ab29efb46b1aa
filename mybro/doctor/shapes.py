"""What a text must have before a check can find something in it, for the Rust engine to look at all files.

A shape is as wide as the regular expression of its check or wider: what Rust's syntax does not know, such as
a look around, is left out. Python alone goes by the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

PYTHON = frozenset({"python"})
_MOST, _LEAST = 8, 40
"""Longer runs are as wide without an upper bound, and their automata many times smaller."""


@dataclass(frozen=True, eq=False, slots=True)
class Shape:
    """Regular expressions for bytes. A file has it that they match and that has a word, whatever its case."""

    words: tuple[bytes, ...]
    patterns: tuple[re.Pattern[bytes], ...]
    """One: it matches. Two: what both match is the same, or what their groups capture in a row."""
    twice: bool = False
    """Of one pattern: what it matches, or what its groups capture, is the same in two places."""
    languages: frozenset[str] = frozenset()
    """Where it is looked for, elsewhere it may be; none: everywhere."""


Group = tuple[bytes | Shape, ...]
"""One of these must be there."""


def for_engine(shape: Shape) -> list[str] | None:
    """The shape's patterns in Rust's syntax; None where they cannot be said in it."""
    told = [_pattern(one.pattern, one.flags) for one in shape.patterns]
    found = [one for one in told if one is not None]
    return found if len(found) == len(told) else None


@cache
def _pattern(pattern: bytes, flags: int) -> str | None:
    try:
        return _Wide().all(import_module("re._parser").parse(pattern, flags))
    except (ImportError, _UnsaidError):
        return None


class _UnsaidError(Exception):
    """Something that Rust's syntax cannot say, nor anything wider."""


_PLACES = {
    "AT_BEGINNING_STRING": r"\A",
    "AT_BOUNDARY": r"\b",
    "AT_NON_BOUNDARY": r"\B",
    "AT_END_STRING": r"\z",
}
_CLASSES = {
    "CATEGORY_DIGIT": r"\d", "CATEGORY_NOT_DIGIT": r"\D", "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S", "CATEGORY_WORD": r"\w", "CATEGORY_NOT_WORD": r"\W",
}  # fmt: skip


class _Wide:
    """From the parts of a Python pattern to Rust's syntax. Every byte is written as a number."""

    def __init__(self) -> None:
        self._groups: dict[int, str] = {}

    def all(self, parsed: Any) -> str:
        return self._several(parsed, parsed.state.flags)

    def _several(self, parts: Iterable[tuple[Any, Any]], flags: int) -> str:
        return "".join(self._one(str(kind), value, flags) for kind, value in parts)

    def _one(self, kind: str, value: Any, flags: int) -> str:  # noqa: C901 (one case a kind of part)
        match kind:
            case "LITERAL":
                return _cased(f"\\x{value:02x}", flags)
            case "NOT_LITERAL":
                return _cased(f"[^\\x{value:02x}]", flags)
            case "ANY":
                return r"[\x00-\xff]" if flags & re.DOTALL else r"[^\n]"
            case "IN":
                return _cased(f"[{''.join(_item(str(k), v) for k, v in value)}]", flags)
            case "AT":
                return _place(str(value), flags)
            case "BRANCH":
                return f"(?:{'|'.join(self._several(one, flags) for one in value[1])})"
            case "ASSERT" | "ASSERT_NOT":
                return ""
            case "ATOMIC_GROUP":
                return f"(?:{self._several(value, flags)})"
            case "GROUPREF":
                return f"(?:{self._groups[value]})"  # any text of that form, which is wider
            case "SUBPATTERN":
                number, more, less, inner = value
                text = self._several(inner, (flags | more) & ~less)
                if number is None:
                    return f"(?:{text})"
                self._groups[number] = text
                return f"({text})"
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self._repeat(kind, value, flags)
        raise _UnsaidError(kind)

    def _repeat(self, kind: str, value: Any, flags: int) -> str:
        least, most, inner = value
        upper = "" if int(most) > _MOST else str(int(most))
        lazy = "?" if kind == "MIN_REPEAT" else ""
        return f"(?:{self._several(inner, flags)}){{{min(least, _LEAST)},{upper}}}{lazy}"


def _cased(text: str, flags: int) -> str:
    return f"(?i:{text})" if flags & re.IGNORECASE else text


def _place(name: str, flags: int) -> str:
    if name == "AT_BEGINNING":
        return "(?m:^)" if flags & re.MULTILINE else r"\A"
    if name == "AT_END":
        # At the end of a text Python's "$" also matches before its last line's end: left out, which is wider.
        return "(?m:$)" if flags & re.MULTILINE else ""
    if name not in _PLACES:
        raise _UnsaidError(name)
    return _PLACES[name]


def _item(kind: str, value: Any) -> str:
    match kind:
        case "NEGATE":
            return "^"
        case "LITERAL":
            return f"\\x{value:02x}"
        case "RANGE":
            return f"\\x{value[0]:02x}-\\x{value[1]:02x}"
        case "CATEGORY" if str(value) in _CLASSES:
            return _CLASSES[str(value)]
    raise _UnsaidError(kind)
