"""What recognisers need that follow speech while it grows, and those that are told names one by one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mybro import naming

if TYPE_CHECKING:
    from mybro.transcribe.recogniser import Sound

MAX_NAMES = 200
"""Names beyond these cost time and gain next to nothing."""
LONGEST_NAME = 4
"""Words of a name; what is longer in a prompt is a sentence."""
_SHORTEST = 3
"""Letters: what is shorter is part of too many other words."""
_BETWEEN = re.compile(r"[,;:]\s|[.!?](?:\s|$)")


class Growing:
    """A sound that is heard again and again, longer from time to time."""

    def __init__(self) -> None:
        self._known: Sound | None = None

    def rest(self, sound: Sound) -> Sound | None:
        """What follows on the sound of the last call, with which this one begins; None if it is another."""
        import numpy as np

        before, self._known = self._known, sound
        if before is None or len(sound) < len(before) or not np.array_equal(sound[: len(before)], before):
            return None
        return sound[len(before) :]

    def forget(self) -> None:
        """The next sound is another."""
        self._known = None


def names_in(prompt: str) -> list[str]:
    """The names of a prompt as they are said, in lower case, those at its end first: "parse date"."""
    found: dict[str, None] = {}
    for phrase in reversed(_BETWEEN.split(prompt)):
        words = [part for word in phrase.split() for part in naming.parts(word.strip("\"'`()"))]
        name = " ".join(words).lower()
        if 0 < len(words) <= LONGEST_NAME and len(name) >= _SHORTEST:
            found.setdefault(name)
    return list(found)[:MAX_NAMES]


def cased(text: str) -> str:
    """A model's text in lower case, where it knows capitals only."""
    return text.lower() if text.isupper() else text
