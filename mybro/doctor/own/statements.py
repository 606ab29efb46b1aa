"""Python statements that do not do what they say, seen in the text of a line and of those before it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mybro.doctor.own.place import Content, Hit

LAZY = (b"    map(", b"    filter(", b"    sorted(", b"    reversed(")
_LOST = re.compile(
    rb"(map|filter|sorted|reversed)\((?:[^()\n]|\((?:[^()\n]|\([^()\n]*\))*\))*\)[ \t]*(?:#[^\n]*)?\n"
)
_ASYNC_DEF = re.compile(rb"(?m)^async def ([A-Za-z]\w*)\(")
_BARE_CALL = re.compile(rb"(?m)^[ \t]+([A-Za-z]\w*)\([^\n]*\)[ \t]*$")


def lost(content: Content) -> Iterator[Hit]:
    """`sorted(items)` as a statement: what it gives is thrown away, and map() has not even begun."""
    data = content.data
    for word in LAZY:
        place = data.find(word)
        while place >= 0:
            start = place + word.rfind(b" ") + 1
            begin = data.rfind(b"\n", 0, start) + 1
            call = _LOST.match(data, start)
            if call and not data[begin:start].strip() and _is_statement(data, begin):
                yield Hit(
                    content.file.path,
                    content.line(start),
                    f"what {call[1].decode()}() gives is lost",
                    rule="PY17",
                )
            place = data.find(word, start)


_SEEN_FAILING = re.compile(rb"\s*(?:try:|(?:async )?with\b.*(?:raises|warns))", re.IGNORECASE)


def _is_statement(data: bytes, begin: int) -> bool:
    """Whether a line begins a statement that nobody expects to fail: within brackets it is an argument."""
    before = data[max(0, begin - 400) : begin].rstrip()
    if before.endswith(b":"):
        return not _SEEN_FAILING.match(before.rpartition(b"\n")[2])
    return before[-1:] not in b"([{,=\\" and data.count(b"(", 0, begin) == data.count(b")", 0, begin)


def never_awaited(content: Content) -> Iterator[Hit]:
    """A module's own coroutine function that is called as a statement: it never runs."""
    data = content.data
    names = set(_ASYNC_DEF.findall(data))
    if not names:
        return
    for call in _BARE_CALL.finditer(data):
        again = rb"(?m)^(?:def|class) %b\b|^[ \t]+(?:async )?def %b\b" % (call[1], call[1])
        # A line within brackets is an argument and no statement.
        before = data[: call.start()].rstrip()[-1:]
        if call[1] in names and before not in b"([{,=\\" and not re.search(again, data):
            message = f"{call[1].decode()}() is never awaited, so it never runs"
            yield Hit(content.file.path, content.line(call.start(1)), message, rule="PY17")


_ELIF = re.compile(rb"elif ([^\n]{3,200}):[ \t]*(?:#[^\n]*)?\n")


def same_condition(content: Content) -> Iterator[Hit]:
    """A branch whose condition an earlier branch of the same chain has taken already."""
    data = content.data
    for later in _ELIF.finditer(data):
        start = data.rfind(b"\n", 0, later.start()) + 1
        indent = data[start : later.start()]
        if (
            indent.strip() or b"(" in later[1] or not later[1].strip(b". ")
        ):  # a call may answer otherwise the second time
            continue
        wanted = b"if " + later[1] + b":"
        place = data.rfind(wanted, max(0, start - 4000), start)
        if place < 0:
            continue
        first = data.rfind(b"\n", 0, place) + 1
        if data[first:place] not in (indent, indent + b"el"):
            continue
        between = data[data.find(b"\n", place) + 1 : start].split(b"\n")
        if all(
            not line.strip() or line.startswith((indent + b" ", indent + b"\t", indent + b"elif "))
            for line in between
        ):
            yield Hit(
                content.file.path, content.line(start), "the same condition was asked before", rule="PY26"
            )
