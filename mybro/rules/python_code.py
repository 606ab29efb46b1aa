"""Technologies in Python code: what it imports, and what of that it uses inside async functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from mybro.ops.syntax import parse
from mybro.ops.trees import below
from mybro.rules.model import Technology

Found = tuple[str, int, str, frozenset[str]]
"""Technology, line, evidence, contexts."""

_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import|import\s+([\w.]+))", re.MULTILINE)


def find(source: str, technologies: Iterable[Technology]) -> list[Found]:
    """Every technology in a file, in the order of lines; once for each line and context."""
    technologies = list(technologies)
    try:
        tree = parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        found = _by_lines(source, technologies)
    else:
        reader = _Reader(technologies)
        reader.read(tree)
        found = reader.found
    return sorted(set(found), key=lambda each: (each[1], each[0], each[2]))


def _by_lines(source: str, technologies: list[Technology]) -> list[Found]:
    """What can be told of code that does not parse, or not with this Python."""
    found: list[Found] = []
    for match in _IMPORT.finditer(source):
        module, line = (
            match[match.lastindex or 0],
            source.count("\n", 0, match.start(match.lastindex or 0)) + 1,
        )
        names = (each.name for each in technologies if is_module(module, each.python))
        found += [(name, line, f"import {module}", frozenset()) for name in names]
    return found


@lru_cache(maxsize=4096)
def is_module(module: str, patterns: tuple[str, ...]) -> bool:
    """Whether a dotted module is one of these or lies inside one."""
    return any(fnmatchcase(module, pattern) or fnmatchcase(module, f"{pattern}.*") for pattern in patterns)


class _Reader:
    """Goes through a tree from its top; a visitor of the library's takes several times as long."""

    def __init__(self, technologies: list[Technology]) -> None:
        self._technologies = technologies
        self._names: dict[str, str] = {}
        """What a name stands for: a dotted path that was imported."""
        self._async = False
        self.found: list[Found] = []
        self._takes: dict[type[ast.AST], Callable[[Any], bool]] = {
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Name: self._used,
            ast.Attribute: self._used,
            ast.Call: self._call,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            # Where it runs is not known: it may well go to a thread.
            ast.Lambda: self._function,
        }
        """What takes a kind of node; it says whether nothing in the node is left to be looked at."""

    def read(self, top: ast.AST) -> None:
        """In the order of the source: what a name stands for may change."""
        waiting = below(top)[::-1]
        while waiting:
            node = waiting.pop()
            take = self._takes.get(type(node))
            if take is None or not take(node):
                waiting += reversed(below(node))

    def _import(self, node: ast.Import) -> bool:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self._names[alias.asname or top] = alias.name if alias.asname else top
            self._note(alias.name, node.lineno, f"import {alias.name}")
        return True

    def _import_from(self, node: ast.ImportFrom) -> bool:
        for alias in node.names if node.module and not node.level else ():
            whole = f"{node.module}.{alias.name}"
            self._names[alias.asname or alias.name] = whole
            self._note(whole, node.lineno, f"from {node.module} import {alias.name}")
        return True

    def _call(self, node: ast.Call) -> bool:
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        values = list(_strings(node))
        contexts = frozenset({"async"}) if self._async else frozenset[str]()
        for each in self._technologies:
            if method in each.python_methods:
                self.found.append((each.name, node.lineno, f"a call of .{method}()", contexts))
            for value in values:
                if any(fnmatchcase(value, pattern) for pattern in each.python_arguments):
                    self.found.append((each.name, node.lineno, f"the argument {value!r}", contexts))
        return False

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
        around, self._async = self._async, isinstance(node, ast.AsyncFunctionDef)
        self.read(node)
        self._async = around
        return True

    def _used(self, node: ast.Name | ast.Attribute) -> bool:
        """Take a dotted use of something imported; False where it is none."""
        parts: list[str] = []
        bottom: ast.expr = node
        while isinstance(bottom, ast.Attribute):
            parts.append(bottom.attr)
            bottom = bottom.value
        if not isinstance(bottom, ast.Name) or bottom.id not in self._names:
            return False
        top = self._names[bottom.id]
        whole = ".".join((top, *reversed(parts)))
        if self._async:
            self._note(whole, node.lineno, f"{whole} in an async function", frozenset({"async"}))
        elif parts:
            # What the import alone does not show: "import torch", then torch.cuda.
            deeper = [t for t in self._technologies if not is_module(top, t.python)]
            self._note(whole, node.lineno, whole, among=deeper)
        return True

    def _note(
        self, module: str, line: int, evidence: str, contexts: frozenset[str] = frozenset(),
        among: list[Technology] | None = None,
    ) -> None:  # fmt: skip
        for technology in self._technologies if among is None else among:
            if is_module(module, technology.python):
                self.found.append((technology.name, line, evidence, contexts))


def _strings(call: ast.Call) -> Iterator[str]:
    """Strings given to a call, alone or by an "if": not those in lists, which are as likely data."""
    waiting: list[ast.expr] = [*call.args, *(keyword.value for keyword in call.keywords)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.IfExp):
            waiting += [node.body, node.orelse]
