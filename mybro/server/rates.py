"""How often each client may call."""

from __future__ import annotations

from collections import OrderedDict

CLIENTS = 4096
"""So many are remembered; the one that was quiet longest is forgotten first."""


class Rates:
    """A token bucket for each client."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s, self._burst = per_s, float(burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float, cost: float = 1.0) -> float:
        """0 where the call is allowed; else the seconds after which it would be."""
        left, since = self._buckets.get(client, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_s)
        wait = 0.0 if left >= cost else (cost - left) / self._per_s
        self._buckets[client] = (left - cost if not wait else left, now)
        self._buckets.move_to_end(client)
        if len(self._buckets) > CLIENTS:
            self._buckets.popitem(last=False)
        return wait
