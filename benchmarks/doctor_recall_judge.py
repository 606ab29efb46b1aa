"""Which findings meet a labelled fault, and which are wrong: one rule for every tool.

- A finding meets a fault of its kind at most a line away from its place, or within the statement that begins
  on the labelled line: some tools name the `def` or `try`, others the line in it (a class or a loop is its
  first line only).
- A finding is judged where the file has labels of its kind *and rule*: a test file of B017 says nothing
  about PT011. A finding without a rule (an own check of the doctor's), or a label that names a check and no
  rule, is judged by the kind alone, which is stricter.
- What is judged and meets no fault is wrong; but on a line that the labels call a fault of a kind that the
  table does not translate, nobody is right or wrong.
"""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

NEAR = 1
"""Lines that a finding may be off: some tools tell the statement, some the argument."""
OTHER = "?"
"""The kind of a fault that no check or rule means."""
_WHOLE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Try, ast.TryStar)


class Label(NamedTuple):
    path: str
    line: int
    """0: anywhere in the file."""
    kind: str
    bad: bool
    rule: str = ""
    closed: bool = True
    """Whether the rest of the file is free of it; not where its author's rule is the narrower one."""


class Told(NamedTuple):
    """What an engine says."""

    path: str
    line: int
    end: int
    kind: str
    rule: str = ""


class Score(NamedTuple):
    found: int
    wrong: int
    labels: int

    @property
    def recall(self) -> float:
        return self.found / self.labels if self.labels else 0.0

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.wrong) if self.found + self.wrong else 1.0


Reach = Mapping[str, Mapping[int, int]]
"""Path to lines on which a statement begins, each with the line where it ends."""


def reach(root: Path, paths: Iterable[str]) -> dict[str, dict[int, int]]:
    """Where the statements of the Python files end."""
    return {path: _ends(root / path) for path in set(paths) if path.endswith(".py")}


def _ends(file: Path) -> dict[int, int]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return {}
    ends: dict[int, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            end = node.end_lineno or node.lineno
            if body and not isinstance(node, _WHOLE):
                end = max(node.lineno, body[0].lineno - 1)
            for line in {node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))}:
                ends[line] = max(end, ends.get(line, 0))
    return ends


def judge(
    labels: Iterable[Label], told: Iterable[Told], ends: Reach | None = None
) -> tuple[Score, list[Label]]:
    """How many faults were found and how many findings were wrong; and both lists: not found, wrong."""
    bad: dict[tuple[str, str], set[int]] = defaultdict(set)
    rules: dict[tuple[str, str], set[str]] = defaultdict(set)
    for label in labels:
        if label.bad:
            bad[label.path, label.kind].add(label.line)
        if label.closed:
            rules[label.path, label.kind].add(label.rule)
    places: dict[tuple[str, str], dict[tuple[int, int], set[str]]] = defaultdict(lambda: defaultdict(set))
    for one in told:
        places[one.path, one.kind][one.line, max(one.line, one.end)].add(one.rule)
    missed, found, wrong = [], 0, []
    for (path, kind), lines in bad.items():
        for line in lines if kind != OTHER else ():
            if any(_meets(line, span, path, ends) for span in places[path, kind]):
                found += 1
            else:
                missed.append(Label(path, line, kind, True))
    for (path, kind), known in rules.items():
        near = bad[path, kind]
        others = bad[path, OTHER]
        wrong += [
            Label(path, span[0], kind, False)
            for span, by in places[path, kind].items()
            if ("" in known or "" in by or not known.isdisjoint(by))
            and not any(_meets(line, span, path, ends) for line in near)
            and not any(span[0] <= line <= span[1] for line in others)
        ]
    return Score(found, len(wrong), found + len(missed)), missed + wrong


def _meets(line: int, span: tuple[int, int], path: str, ends: Reach | None) -> bool:
    last = (ends or {}).get(path, {}).get(line, line)
    return line == 0 or span[0] == 0 or (span[0] - NEAR <= last and line <= span[1] + NEAR)
