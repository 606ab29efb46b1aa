"""Names as recognisers write them, and what was said: "test parser.py", "git user", "mane"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mybro.vocabulary import words as lists
from mybro.words import Word

_BEFORE_FILE = 2
_NAMES = lists("names")
_NO_STEM = _NAMES["PATH_NOISE"] | _NAMES["BREAKS"] | {"or", "in", "of", "to", "for", "with", "from", "on"}
_BRANCHES = {"mane": "main", "the main": "main", "maine": "main", "mein": "main"}
_GET = re.compile(
    r"^git (?!(?:blame|branch|checkout|commit|config|diff|dir|folder|hash|hook|hub|ignore|lab|log|pull|push"
    r"|repo|repository|root|sha|stash|status|tag|url)s?\b)",
    re.IGNORECASE,
)
"""What git has not: somebody said "get"."""


def file(words: Sequence[Word]) -> str | None:
    """ "test parser.py" is test_parser.py: recognisers write only the last word of a spoken file as one."""
    *before, last = [word.text for word in words]
    plain = all(word.isalpha() and word.lower() not in _NO_STEM for word in before)
    if (
        not 0 < len(before) <= _BEFORE_FILE
        or not plain
        or re.fullmatch(r"\w+\.[A-Za-z]\w{0,5}", last) is None
    ):
        return None
    return "_".join(word.lower() for word in (*before, last))


def branch(heard: str) -> str:
    return _BRANCHES.get(heard.lower(), heard)


def symbol(heard: str) -> str:
    """ "git user" is get_user: recognisers of programmers' words hear git everywhere."""
    return _GET.sub("get ", heard)
