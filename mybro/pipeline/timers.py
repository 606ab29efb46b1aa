"""The waits that the state machine asks for; they stand still while the person speaks or has paused all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

from mybro.clock import Clock

Hold = Literal["speech", "pause"]


@dataclass(slots=True)
class _Timer:
    left_s: float
    began: float = 0.0
    task: asyncio.Task[None] | None = None


class Timers:
    """Each by its name; setting one again starts it anew."""

    def __init__(
        self,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        fire: Callable[[str], Coroutine[Any, Any, None]],
    ) -> None:
        self._clock = clock
        self._spawn = spawn
        self._fire = fire
        self._timers: dict[str, _Timer] = {}
        self._holds: set[Hold] = set()

    def set(self, name: str, seconds: float) -> None:
        self.cancel(name)
        self._timers[name] = _Timer(seconds)
        if not self._holds:
            self._start(name)

    def cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None and timer.task is not None:
            timer.task.cancel()

    def hold(self, why: Hold, *, on: bool) -> None:
        """Have all stand still for one more reason, or for one less: without any they go on."""
        held = bool(self._holds)
        (self._holds.add if on else self._holds.discard)(why)
        if bool(self._holds) == held:
            return
        for name, timer in list(self._timers.items()):
            if not self._holds:
                self._start(name)
            elif timer.task is not None:
                timer.task.cancel()
                timer.task = None
                timer.left_s = max(0.0, timer.left_s - (self._clock.now() - timer.began))

    def _start(self, name: str) -> None:
        timer = self._timers[name]
        timer.began = self._clock.now()
        timer.task = self._spawn(self._wait(name, timer))

    async def _wait(self, name: str, timer: _Timer) -> None:
        await self._clock.sleep(timer.left_s)
        if self._timers.get(name) is timer:
            del self._timers[name]
            await self._fire(name)
