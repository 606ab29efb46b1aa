"""A clock for what agents may take: while they are held in a pause, it stands still."""

from __future__ import annotations

import asyncio

from mybro.clock import Clock


class HeldClock:
    """Tells the time of another clock, less the pauses."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lost = 0.0
        self._since: float | None = None
        self._going = asyncio.Event()
        self._going.set()

    def now(self) -> float:
        return (self._clock.now() if self._since is None else self._since) - self._lost

    async def sleep(self, seconds: float) -> None:
        """Return once so much has passed of this clock's time."""
        end = self.now() + seconds
        while True:
            await self._going.wait()
            left = end - self.now()
            if left <= 0 and seconds > 0:
                return
            await self._clock.sleep(max(left, 0.0))
            if seconds <= 0:
                return

    def hold(self, *, on: bool) -> None:
        """Stand still from now on, or go on."""
        if on and self._since is None:
            self._since = self._clock.now()
            self._going.clear()
        elif not on and self._since is not None:
            self._lost += self._clock.now() - self._since
            self._since = None
            self._going.set()
