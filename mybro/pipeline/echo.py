"""Telling the person's words from mybro's own, when the microphone hears the loudspeaker."""

from __future__ import annotations

import re

_WORD = re.compile(r"[a-z0-9']+")
_SHARE = 0.75
"""Of the heard words, so many must be ours in our order: a recogniser mishears some of them."""
_FEWEST = 3
"""Shorter utterances are never taken for an echo: "stop" must work while mybro says "stop"."""


def is_echo(heard: str, said: str) -> bool:
    """Whether `heard` is what mybro was saying at the time, rather than a person's words."""
    ours, theirs = _WORD.findall(said.lower()), _WORD.findall(heard.lower())
    if not ours or len(theirs) < _FEWEST:
        return False
    return _common_in_order(theirs, ours) >= _SHARE * len(theirs)


def _common_in_order(left: list[str], right: list[str]) -> int:
    """Length of the longest common subsequence of words."""
    row = [0] * (len(right) + 1)
    for word in left:
        diagonal = 0
        for j, other in enumerate(right, 1):
            diagonal, row[j] = row[j], diagonal + 1 if word == other else max(row[j], row[j - 1])
    return row[-1]
