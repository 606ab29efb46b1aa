"""Since when, as a person says it: "I left", "the last command", "this morning", "two hours ago"."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from datetime import datetime, timedelta
from pathlib import Path

_NUMBERS: dict[str, float] = {
    "half": 0.5, "a": 1, "an": 1, "one": 1, "two": 2, "of": 2, "three": 3, "few": 3, "four": 4, "five": 5,
    "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30,
}  # fmt: skip
"""Also the last word of "a couple of"."""
_UNITS = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0, "week": 604_800.0}
_AGO = re.compile(r"(?:(?P<count>\w+)(?: an?)? )?(?P<unit>minute|hour|day|week)s?(?: ago)?$", re.IGNORECASE)
_LEFT = frozenset({"left", "away", "out", "gone", "back", "miss", "went", "lunch"})


def moment(said: str | None, now: float, left: float | None) -> float | None:
    """The moment meant, in seconds since 1970; None for the last command.

    `left`: when the person said something last before this.
    """
    words = (said or "i left").lower().split()
    today = datetime.fromtimestamp(now).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    if "morning" in words or "today" in words or "midnight" in words:
        return today.timestamp()
    if "night" in words or "overnight" in words or "evening" in words:
        return (today - timedelta(hours=6)).timestamp()
    if "yesterday" in words:
        return (today - timedelta(days=1)).timestamp()
    if "noon" in words:
        noon = today.replace(hour=12).timestamp()
        return noon if noon <= now else noon - 86_400.0
    if _LEFT & set(words):
        return left
    found = _AGO.search(" ".join(words))
    if found is not None:
        count = _NUMBERS.get(found["count"] or "one", 1)
        digits = found["count"] if (found["count"] or "").isdecimal() else None
        return now - (float(digits) if digits else count) * _UNITS[found["unit"].lower()]
    return None


class LastSpoken:
    """When a person last had something done in a repository, in seconds since 1970; outlasts a restart."""

    def __init__(self, repo: Path, folder: Path) -> None:
        self._file = folder / hashlib.sha256(os.fsencode(repo.resolve())).hexdigest()[:24]

    def load(self) -> float | None:
        try:
            return float(self._file.read_text())
        except (OSError, ValueError):
            return None

    def save(self, moment: float) -> None:
        """Without effect where the disk is full or read-only: a restart then knows an earlier moment."""
        fresh = self._file.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(f"{moment:.3f}\n")
            fresh.replace(self._file)
