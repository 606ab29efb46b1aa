"""Python's parser for several threads at once."""

from __future__ import annotations

import ast
import threading
import warnings

_ONE = threading.Lock()
"""CPython 3.11 counts the depth of a tree for all threads together: of two that parse at the same time, one
can fail with SystemError (python/cpython#106905). The filters of `warnings` are shared as well.
"""


def parse(source: str | bytes, filename: str = "<unknown>") -> ast.Module:
    """The syntax tree, without warnings. Nothing of the source is run.

    Raises SyntaxError, ValueError, RecursionError or MemoryError where this Python does not understand it.
    """
    with _ONE, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source, filename)
