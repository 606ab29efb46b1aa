"""A small language for spoken commands, compiled to regular expressions; `sentences/*.txt` is written in it.

`run (the|my) tests [again]` matches any of the choices; `[...]` may be left out; `{name}` stands for a macro;
`<name>` takes one word or more, `<name: a|b>` one of the choices. `== action` begins an action, one template
a line; an indented line goes on from the one before. A template matches a whole sentence or not at all.
Compiled patterns hold no repetition but the slots', so matching takes time bounded by the sentence's length.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

from mybro.intent import Action

_ANYTHING = "<"
"""Stands among the words that a match can begin with for a slot, which can begin with any."""
_TOKEN = re.compile(r"<\w+:|[()\[\]|>]|<\w+>|\{\w+\}|[^\s()\[\]|<>{}]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """One way, or several, to say one action."""

    action: Action
    regex: str
    """Matches the sentence's words, each followed by one space."""
    first: frozenset[str]
    """Every word that a match can begin with."""
    literal: bool
    """Whether it has no slots."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """Compiled when it is first needed: all of them together take a quarter of a second."""
        return _compiled(self.regex)


@functools.cache
def _compiled(regex: str) -> re.Pattern[str]:
    return re.compile(regex)


@dataclass(frozen=True, slots=True)
class _Piece:
    regex: str
    first: frozenset[str]
    empty: bool


class _Parser:
    def __init__(self, template: str, macros: Mapping[str, str]) -> None:
        self.parts = list(_parts(template, macros))
        self.at = 0

    def choice(self, closing: str = "") -> _Piece:
        branches = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            branches.append(self.sequence())
        if self.peek() != closing:
            raise ValueError(f"unbalanced template near {self.parts[max(0, self.at - 3) : self.at + 2]}")
        self.at += 1
        first = frozenset[str]().union(*(branch.first for branch in branches))
        empty = any(branch.empty for branch in branches)
        return _Piece("(?:" + "|".join(branch.regex for branch in branches) + ")", first, empty)

    def sequence(self) -> _Piece:
        regex, first, empty = "", frozenset[str](), True
        while (part := self.peek()) not in ("", "|", ")", "]", ">"):
            self.at += 1
            piece = self.piece(part)
            regex += piece.regex
            if empty:
                first |= piece.first
            empty = empty and piece.empty
        return _Piece(regex, first, empty)

    def piece(self, part: str) -> _Piece:
        if part == "(":
            return self.choice(")")
        if part == "[":
            inner = self.choice("]")
            return _Piece(inner.regex + "?", inner.first, True)
        if part.endswith(":"):
            inner = self.choice(">")
            return _Piece(f"(?P<{part[1:-1]}>{inner.regex})", inner.first, inner.empty)
        if part.startswith("<"):
            return _Piece(f"(?P<{part[1:-1]}>.+? )", frozenset({_ANYTHING}), False)
        return _Piece(re.escape(part) + " ", frozenset({part}), False)

    def peek(self) -> str:
        return self.parts[self.at] if self.at < len(self.parts) else ""


def _parts(template: str, macros: Mapping[str, str]) -> Iterator[str]:
    for part in _TOKEN.findall(template):
        if part.startswith("{"):
            yield "("
            yield from _parts(macros[part[1:-1]], macros)
            yield ")"
        else:
            yield part


def compile_rules(source: str, macros: dict[str, str]) -> list[Rule]:
    """The rules of one file's text. Macros that it defines are added to `macros`.

    Raises ValueError for a template that is unbalanced, or that matches the empty sentence.
    """
    rules: list[Rule] = []
    blocks: dict[Action, list[str]] = {}
    lines: list[str] = []
    for line in re.sub(r"\n[ \t]+", " ", source).splitlines():
        if line.startswith("=="):
            lines = blocks.setdefault(Action(line[2:].strip()), [])
        elif line.startswith("{") and "} = " in line:
            name, _, meaning = line.partition("} = ")
            macros[name[1:]] = meaning
        elif line and not line.startswith("#"):
            lines.append(line)
    for action, templates in blocks.items():
        literal = "|".join(line for line in templates if "<" not in line)
        for template in [*([literal] if literal else []), *(line for line in templates if "<" in line)]:
            piece = _Parser(template, macros).choice()
            if piece.empty or _ANYTHING in piece.first:
                raise ValueError(f"a template of {action} can begin with anything: {template}")
            rules.append(Rule(action, piece.regex, piece.first, "<" not in template))
    return rules


def load(*names: str) -> list[Rule]:
    """The rules of the named files of `sentences/`, in order; `common.txt` gives macros to all of them."""
    folder = resources.files("mybro.brain").joinpath("sentences")
    shared: dict[str, str] = {}
    compile_rules(folder.joinpath("common.txt").read_text("utf-8"), shared)
    return [
        rule
        for name in names
        for rule in compile_rules(folder.joinpath(f"{name}.txt").read_text("utf-8"), dict(shared))
    ]
