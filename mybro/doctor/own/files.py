"""What is wrong with files as such: marks, line ends, encodings, length."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mybro.doctor.finding import Edit
from mybro.doctor.languages import CODE
from mybro.doctor.own.place import Content, Hit

BIDI = re.compile(rb"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
_CONFLICT = re.compile(rb"(?m)^<{7} .+$[\s\S]*?^={7}$[\s\S]*?^>{7} ")
MANY_LINES = 1200
LONG_BYTES = 24_000
"""A shorter file has not so many lines."""


def bidi(content: Content) -> Iterator[Hit]:
    """Characters that turn the direction of what follows, in code."""
    if content.file.language not in CODE or content.data.isascii():
        return
    for found in BIDI.finditer(content.data):
        name = f"U+{ord(found[0].decode()):04X}"
        yield Hit(
            content.file.path,
            content.line(found.start()),
            f"an invisible character turns the direction ({name})",
        )


def conflicts(content: Content) -> Iterator[Hit]:
    """All three markers, in order, each at the start of a line."""
    if b"<<<<<<< " not in content.data or b">>>>>>> " not in content.data:
        return
    for found in _CONFLICT.finditer(content.data):
        yield Hit(content.file.path, content.line(found.start()), "conflict markers")


def line_ends(content: Content) -> Iterator[Hit]:
    """Both kinds in one file."""
    data = content.data
    returns = data.count(b"\r\n")
    if not returns or content.file.name.endswith((".bat", ".cmd")):
        return
    bare = data.count(b"\n") - returns
    if not bare:
        return
    wanted = b"\r\n" if returns > bare else b"\n"
    edits = [Edit(m.start(), m.end(), wanted) for m in re.finditer(rb"\r?\n", data) if m[0] != wanted]
    message = f"{returns} lines end with CRLF and {bare} with LF"
    yield Hit(content.file.path, 0, message, tuple(edits), "safe", anchor="mixed")


def encoding(content: Content) -> Iterator[Hit]:
    """Code that is not UTF-8 and does not say what it is."""
    if content.file.language not in CODE or content.data.isascii():
        return
    try:
        content.data.decode("utf-8")
    except UnicodeDecodeError as error:
        if not re.search(rb"coding[:=]\s*[\w.-]+", b"\n".join(content.data.split(b"\n", 2)[:2])):
            yield Hit(content.file.path, content.line(error.start), "is not UTF-8")


def byte_order(content: Content) -> Iterator[Hit]:
    """A BOM of UTF-8."""
    if content.data.startswith(b"\xef\xbb\xbf") and content.file.language not in ("csharp", ""):
        yield Hit(content.file.path, 1, "begins with a mark of byte order", (Edit(0, 3, b""),), "safe")


def long_files(content: Content) -> Iterator[Hit]:
    """Written by hand, and longer than anybody reads."""
    if content.file.language not in CODE or content.file.language == "sql" or content.file.size < LONG_BYTES:
        return
    lines = content.data.count(b"\n")
    if lines > MANY_LINES and not _generated(content.data[:1000]):
        yield Hit(content.file.path, 0, f"has {lines:,} lines, above {MANY_LINES:,}", anchor="long")


def _generated(head: bytes) -> bool:
    return re.search(rb"(?i)generated|do not edit|@generated", head) is not None
