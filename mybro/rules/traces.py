"""What must be in a file before something can be found there, so that most files need not be read closely."""

from __future__ import annotations

import re
from functools import cache

_SHORTEST = 4
_BETWEEN = r"[ \t\r\n\f\\]*"
"""What can stand between two parts of an expression."""


def imports(module: str, source: str) -> bool:
    """Whether Python code can import this module at all; its name may end in "*"."""
    return _import(module.partition(".")[0]).search(source) is not None


def imported(module: str) -> re.Pattern[bytes]:
    """Matches whatever `imports` says yes to, in the file's bytes."""
    return re.compile(
        _import_of(module.partition(".")[0], r"(?:\s|\\\r?\n|[\x80-\xff])", r"[\w\x80-\xff]").encode()
    )


@cache
def called(method: str) -> re.Pattern[str]:
    """Where Python code calls a method of this name."""
    return re.compile(rf"\.{_BETWEEN}{re.escape(method)}{_BETWEEN}\(")


@cache
def given(argument: str, further: str = "") -> re.Pattern[str]:
    """Where a string can be that is meant by this name, which may have wildcards.

    `further`: characters after the name with which it is meant, too.
    """
    start = re.split(r"[*?\[]", argument, maxsplit=1)[0]
    return re.compile(f"[\"']{re.escape(start)}" + (f"[\"'{further}]" if start == argument else ""))


@cache
def last(module: str) -> str:
    """The last part of a module's name, without a wildcard at its end."""
    return module.rpartition(".")[2].rstrip("*:")


@cache
def _import(top: str) -> re.Pattern[str]:
    return re.compile(_import_of(top, r"(?:\s|\\\r?\n)", r"\w"))


def _import_of(top: str, blank: str, letter: str) -> str:
    name = "".join(f"{letter}*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", top))
    if set("?[") & set(top):
        name = f"{letter}+"
    return rf"\b(?:(?:from|import){blank}+|import\b(?:[^\n]|\\\r?\n)*,{blank}*){name}\b"


def fixed(name: str) -> str:
    """The longest part of a name that holds no wildcard."""
    return max(re.split(r"[*?]|\[.*\]?", name), key=len)


def literal(pattern: str) -> str:
    """Letters that every match of a regular expression has; none where that is not plain to see."""
    if re.search(r"[|()]|\\[\]\\]", pattern.replace(r"\(", "").replace(r"\)", "")):
        return ""
    plain = re.sub(r"\[\^?\]?[^\]]*\]|\\.", "\0", pattern)
    runs = re.findall(r"[A-Za-z0-9_]+(?![A-Za-z0-9_]*[?*{])|[A-Za-z0-9_]+(?=[A-Za-z0-9_][?*{])", plain)
    long = [run for run in runs if len(run) >= _SHORTEST]
    return long[-1] if long else ""
