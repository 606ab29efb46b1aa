"""What a source file defines: functions, classes, methods, constants, variables."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from mybro.index import patterns
from mybro.index.languages import reader

LONGEST_NAME = 80
_WORD = re.compile(rb"[A-Za-z_$][\w$]*")
_CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]+$")
_RANK = {"variable": 0, "constant": 1, "module": 2, "function": 3, "method": 4, "class": 5}


class Symbol(NamedTuple):
    """One name that a file defines."""

    name: str
    kind: str
    """function, method, class, constant, variable or module."""
    line: int
    """Of its first definition, from 1."""
    uses: int
    """How often the name stands in the file."""


def symbols(language: str, source: bytes, *, trees: bool = True) -> list[Symbol]:
    """The names that a file defines, in the order of their first definition.

    Without `trees`, and where tree-sitter lacks the language, regular expressions find most of them.
    """
    found = _from_tree(language, source) if trees else None
    if found is None:
        found = patterns.definitions(language, source)
    first: dict[bytes, tuple[str, int]] = {}
    for kind, name, start in sorted(found, key=lambda entry: (entry[2], _RANK[entry[0]], len(entry[1]))):
        known = first.get(name)
        if known is None:
            first[name] = (kind, start)
        elif _RANK[kind] > _RANK[known[0]]:
            first[name] = (kind, known[1])
    uses = Counter(_WORD.findall(source))
    line, at = 1, 0
    made = []
    for name, (kind, start) in first.items():
        line, at = line + source.count(b"\n", at, start), start
        text = name.decode("utf-8", "replace")
        if 1 < len(text) <= LONGEST_NAME:
            if kind == "variable" and _CONSTANT.match(text):
                kind = "constant"  # noqa: PLW2901
            made.append(Symbol(text, kind, line, max(1, uses[name])))
    return made


def _from_tree(language: str, source: bytes) -> list[tuple[str, bytes, int]] | None:
    ready = reader(language)
    if ready is None:
        return None
    from tree_sitter import QueryCursor

    tree = ready.parser.parse(source)
    captured = QueryCursor(ready.query).captures(tree.root_node)
    found = []
    for kind, nodes in captured.items():
        for node in nodes:
            start = node.start_byte
            found.append((kind, source[start : node.end_byte], start))
    return found
