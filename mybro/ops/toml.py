"""TOML that strangers wrote."""

from __future__ import annotations

import re
import tomllib
from typing import Any

MOST_PARTS = 100
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:{_PART}){{{MOST_PARTS}}}")


class UnreadableError(tomllib.TOMLDecodeError):
    """It may be TOML, and to read it would take too long or too deep a stack."""

    def __init__(self, message: str) -> None:
        ValueError.__init__(self, message)  # tomllib's own wants a place in the text from Python 3.14 on


def parse(text: str) -> dict[str, Any]:
    """What a TOML text says. Raises `tomllib.TOMLDecodeError`, also where keys have too many parts, for which
    tomllib takes the square of their number, and where values are nested too deep.
    """
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise UnreadableError(f"a key has more than {MOST_PARTS} parts (at line {line}, column 1)")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise UnreadableError("values are nested too deep") from None
