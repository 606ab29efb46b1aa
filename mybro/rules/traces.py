"""What must be in a file before something can be found there, so that most files need not be read closely."""

from __future__ import annotations

import re
from functools import cache

_SHORTEST = 4


def imports(module: str, source: str) -> bool:
    """Whether Python code can import this module at all; its name may end in "*"."""
    return _import(module.partition(".")[0]).search(source) is not None


@cache
def last(module: str) -> str:
    """The last part of a module's name, without a wildcard at its end."""
    return module.rpartition(".")[2].rstrip("*:")


@cache
def _import(top: str) -> re.Pattern[str]:
    name = "".join(r"\w*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", top))
    if set("?[") & set(top):
        name = r"\w+"
    blank = r"(?:\s|\\\r?\n)"
    return re.compile(rf"(?:\b(?:from|import){blank}+|,{blank}*){name}\b")


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
