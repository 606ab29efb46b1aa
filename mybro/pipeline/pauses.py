"""The pauses that a person makes within sentences, learnt from what they say."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

KEEP = 200
"""So many of the newest pauses are remembered."""
ENOUGH = 20
"""Fewer say nothing about a person."""
USUAL_MS = 420
"""The length that nine of ten pauses of a fluent speaker stay below."""
SHARE = 0.9
SLOWEST, QUICKEST = 2.0, 0.85


@dataclass(frozen=True, slots=True)
class Pauses:
    """The newest pauses, in milliseconds, oldest first."""

    lengths: tuple[int, ...] = ()

    def add(self, length_ms: int) -> Pauses:
        """With one more."""
        return Pauses((*self.lengths, max(length_ms, 0))[-KEEP:])

    @property
    def slowness(self) -> float:
        """How much longer than usual to wait for this person: 1 until enough is known."""
        if len(self.lengths) < ENOUGH:
            return 1.0
        ordered = sorted(self.lengths)
        long = ordered[int(SHARE * (len(ordered) - 1))]
        return min(max(long / USUAL_MS, QUICKEST), SLOWEST)


def read(path: Path) -> Pauses:
    """Those that an earlier session kept; none where there are none, or they cannot be read."""
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):
        return Pauses()
    if not isinstance(kept, list):
        return Pauses()
    return Pauses(tuple(length for length in kept if type(length) is int and length >= 0)[-KEEP:])


def write(path: Path, pauses: Pauses) -> None:
    """Keep them for the next session; what cannot be kept is learnt again."""
    lengths: Sequence[int] = pauses.lengths
    draft = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(lengths))
        draft.replace(path)
    except OSError as error:
        log.warning("learnt pauses could not be kept: %s", error.strerror)
