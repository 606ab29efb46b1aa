"""A budget of calls for each address, refilled evenly."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_CALLERS = 10_000


class Limiter:
    """One process's count; in front of several, let the edge count."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._now = now
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        """Take one call: 0 where it is allowed, else the seconds until it would be."""
        now, rate = self._now(), self._per_minute / 60
        left, at = self._left.pop(caller, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - at) * rate)
        allowed = left >= 1
        self._left[caller] = (left - 1 if allowed else left, now)
        if len(self._left) > MOST_CALLERS:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) / rate
