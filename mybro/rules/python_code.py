"""Technologies in Python code: what it imports, and what of that it uses inside async functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from mybro.ops.syntax import parse
from mybro.rules.model import Technology

Found = tuple[str, int, str, frozenset[str]]
"""Technology, line, evidence, contexts."""

_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import|import\s+([\w.]+))", re.MULTILINE)
_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def find(source: str, technologies: Iterable[Technology]) -> list[Found]:
    """Every technology in a file, in the order of lines; once for each line and context."""
    technologies = list(technologies)
    try:
        tree = parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        found = _by_lines(source, technologies)
    else:
        reader = _Reader(technologies)
        reader.visit(tree)
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


def is_module(module: str, patterns: Iterable[str]) -> bool:
    """Whether a dotted module is one of these or lies inside one."""
    return any(fnmatchcase(module, pattern) or fnmatchcase(module, f"{pattern}.*") for pattern in patterns)


class _Reader(ast.NodeVisitor):
    def __init__(self, technologies: list[Technology]) -> None:
        self._technologies = technologies
        self._names: dict[str, str] = {}
        """What a name stands for: a dotted path that was imported."""
        self._async = [False]
        self.found: list[Found] = []

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self._names[alias.asname or top] = alias.name if alias.asname else top
            self._note(alias.name, node.lineno, f"import {alias.name}")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or not node.module:
            return
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            self._names[alias.asname or alias.name] = whole
            self._note(whole, node.lineno, f"from {node.module} import {alias.name}")

    def visit_Name(self, node: ast.Name) -> None:
        self._used(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not self._used(node):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        values = list(_strings(node))
        contexts = frozenset({"async"}) if self._async[-1] else frozenset[str]()
        for each in self._technologies:
            if method in each.python_methods:
                self.found.append((each.name, node.lineno, f"a call of .{method}()", contexts))
            for value in values:
                if any(fnmatchcase(value, pattern) for pattern in each.python_arguments):
                    self.found.append((each.name, node.lineno, f"the argument {value!r}", contexts))
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._inside(node, is_async=False)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._inside(node, is_async=True)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        # Where it runs is not known: it may well go to a thread.
        self._inside(node, is_async=False)

    def _inside(self, node: _FunctionNode, *, is_async: bool) -> None:
        self._async.append(is_async)
        self.generic_visit(node)
        self._async.pop()

    def _used(self, node: ast.Name | ast.Attribute) -> bool:
        """Take a dotted use of something imported; False where it is none."""
        dotted = _dotted(node)
        top, _, rest = dotted.partition(".")
        if top not in self._names:
            return False
        whole = ".".join(filter(None, (self._names[top], rest)))
        if self._async[-1]:
            self._note(whole, node.lineno, f"{whole} in an async function", frozenset({"async"}))
        elif rest:
            # What the import alone does not show: "import torch", then torch.cuda.
            deeper = [t for t in self._technologies if not is_module(self._names[top], t.python)]
            self._note(whole, node.lineno, whole, among=deeper)
        return True

    def _note(
        self, module: str, line: int, evidence: str, contexts: frozenset[str] = frozenset(),
        among: list[Technology] | None = None,
    ) -> None:  # fmt: skip
        for technology in self._technologies if among is None else among:
            if is_module(module, technology.python):
                self.found.append((technology.name, line, evidence, contexts))


def _dotted(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _strings(call: ast.Call) -> Iterator[str]:
    """Strings given to a call, alone or by an "if": not those in lists, which are as likely data."""
    waiting: list[ast.expr] = [*call.args, *(keyword.value for keyword in call.keywords)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.IfExp):
            waiting += [node.body, node.orelse]
