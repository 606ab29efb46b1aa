"""Syntax trees are gone through in the order of the library's own walk."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from mybro.ops.trees import nodes

pytestmark = pytest.mark.unit

_SMALL = (ast.expr_context, ast.operator, ast.cmpop, ast.unaryop, ast.boolop)


@pytest.mark.parametrize(
    "source", ["", "x", "a = {**b, 'c': [not d]}\nglobal e\nmatch f:\n  case {'g': h, **i}: ..."]
)
def test_every_node_comes_in_the_order_of_the_library(source: str) -> None:
    tree = ast.parse(source)
    assert [*nodes(tree)] == [node for node in ast.walk(tree) if not isinstance(node, _SMALL)]


def test_this_project_s_own_code() -> None:
    for file in sorted(Path(__file__).parent.glob("test_doctor_*.py"))[:6]:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        assert [*nodes(tree)] == [node for node in ast.walk(tree) if not isinstance(node, _SMALL)]
