"""Python that only works on one system."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mybro.doctor.own.place import Content, Hit, any_in, lines_with

_LINUX = re.compile(
    rb"""(?:open|Path|listdir|exists|read_text|scandir)\(\s*f?["'](/proc/|/sys/(?:class|devices|fs)/)"""
)
_ASKS = (
    b"sys.platform",
    b"platform.system",
    b"os.name",
    b".exists()",
    b"FileNotFoundError",
    b"except OSError",
    b"os.path.exists",
    b"is_file()",
)


def linux_files(content: Content) -> Iterator[Hit]:
    """/proc and /sys in a module that never asks where it runs."""
    if not any_in(content.data, (b"/proc/", b"/sys/")) or any_in(content.data, _ASKS):
        return
    for line, found in lines_with(content, _LINUX):
        yield Hit(content.file.path, line, f"{found[1].decode()} is there on Linux only")
