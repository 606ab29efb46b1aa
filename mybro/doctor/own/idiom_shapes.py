"""The shapes of the mistakes that `idioms` and `statements` look for, each as wide as its mistake."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mybro.doctor.own import idioms
from mybro.doctor.own.statements import LAZY
from mybro.doctor.shapes import PYTHON, Group, Shape


def _shape(words: Iterable[bytes], *patterns: bytes, twice: bool = False) -> Shape:
    return Shape(tuple(words), tuple(map(re.compile, patterns)), twice, PYTHON)


_INSIDE = rb"(?:[^A-Za-z@_\n][^\n]*)?\n"
"""A line that does not end what a class began."""
_UNDECORATED = rb"(?:[ \t\r\f\v]+[^\s@)][^\n]*|[^A-Za-z@_)\s][^\n]*|[^A-Za-z@_\n][^\n]{199,}|[ \t\r\f\v]*)\n"
"""Such a line before a method that is not decorated."""

ROWS: tuple[tuple[Group, tuple[str, bytes, re.Pattern[bytes], str]], ...] = tuple(
    ((Shape((row[1],), (row[2],), languages=PYTHON),), row) for row in idioms.PYTHON
)
"""Of each row of `idioms.PYTHON`."""
TLS: Group = (Shape((b"ssl\x3dFalse",), (idioms.TLS,), languages=PYTHON),)
_LOOP = idioms.LOOP.pattern.replace(b"(?P<item>", b"(?:").replace(b"(?P<view>", b"(?:")
# The engine is quick with what lies within a line: its ends are said as such.
CHANGED: Group = (
    _shape(
        idioms.CHANGES,
        b"(?m)^" + idioms.CHANGED.pattern.removeprefix(rb"\n"),
        b"(?m)" + _LOOP.removesuffix(rb"\n") + b"$",
    ),
)
"""Something is gone through, and something of the same name is changed."""
SAME: Group = (
    _shape((b"elif ",), rb"(?m)^[ \t\r\f\v]*elif [^(:\n]*:", twice=True),
    _shape((b"elif ",), rb"(?m)^([ \t\r\f\v]*)el(if [^(:\n]*:)", rb"(?m)^[ \t\r\f\v]*if [^(:\n]*:"),
)
"""The same condition as far as its first colon, at the same indentation."""
NO_SELF: Group = (
    _shape(
        (b"():",),
        rb"(?m)^    def (\w+)\(\):",
        rb"(?m)^class [^\n]*\n(?:(?:%b)*%b)?    def (\w+)\(\):" % (_INSIDE, _UNDECORATED),
    ),
)
"""Few files have the line, and only those are looked at for the class around it."""
LOST: Group = (
    _shape(LAZY, rb"(?m)^[ \t\r\f\v]+(?:map|filter|sorted|reversed)\([^\n]*\)[ \t]*(?:#[^\n]*)?\n"),
)
NEVER_AWAITED: Group = (
    _shape(
        (b"async def ",),
        rb"(?m)^async def ([A-Za-z]\w*)\(",
        rb"(?m)^[ \t]+([A-Za-z]\w*)\([^\n]*\)[ \t]*$",
    ),
)
_ALL = (*(one for group, _ in ROWS for one in group), *TLS, *CHANGED, *SAME, *NO_SELF, *LOST, *NEVER_AWAITED)
_TOLD = {word for shape in _ALL if isinstance(shape, Shape) for word in shape.words}
_KNOWN = _TOLD | {b"class ", b"\nasync def "}
ANY: Group = (*_ALL, *(word for word in idioms.WORDS if word not in _KNOWN))
"""Words of which nothing more is known stand for themselves."""
