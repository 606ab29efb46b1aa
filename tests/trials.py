"""How much of a heavy trial is run: all of it with `make trials`, else a tenth drawn by a seed."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

SHARE = 10


def share(cases: Sequence[T], seed: int) -> list[T]:
    """The cases to run, in their order: at least one, and the same ones at every run."""
    if os.environ.get("MYBRO_TRIALS") == "all" or not cases:
        return list(cases)
    count = max(1, len(cases) // SHARE)
    drawn = random.Random(seed).sample(range(len(cases)), count)
    return [cases[index] for index in sorted(drawn)]
