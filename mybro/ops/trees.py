"""Going through Python's syntax trees: a good deal quicker than the library's own walk and visitors."""

from __future__ import annotations

import ast
from collections.abc import Iterator


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """A kind of node to its fields that can hold more than an operator or a context."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        self[kind] = tuple(name for name in kind._fields if name not in ("ctx", "op", "ops"))
        return self[kind]


_FIELDS = _Fields()


def below(node: ast.AST) -> list[ast.AST]:
    """The nodes right below in the order of the source, without operators and contexts."""
    found: list[ast.AST] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [one for one in value if isinstance(one, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def nodes(top: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it in the order of `ast.walk`, without operators and contexts."""
    found = [top]
    for node in found:
        yield node
        found += below(node)
