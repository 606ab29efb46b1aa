"""Talking with the space bar or Enter in the terminal: tapped before and after, or held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from mybro.audio.keys import TalkEvent
from mybro.clock import Clock
from mybro.events import TalkPressed, TalkReleased
from mybro.ops.keyboard import Keyboard

KEYS = b" \r\n"
REPEATS_S = 0.15
"""A terminal repeats a held key more often than this."""


class TapOrHold:
    """A terminal tells of no key that comes up: what a key means follows from when it comes again. Pure.

    A tap begins, and the next one ends: once no more follow, which would mean that the key is being held.
    """

    def __init__(self) -> None:
        self._talking = False
        self._last: float | None = None

    @property
    def due(self) -> float | None:
        """When `wait_over` is to be called, unless a key comes before; None for never."""
        return None if self._last is None else self._last + REPEATS_S

    def key(self, now: float) -> list[TalkEvent]:
        """The key came."""
        if not self._talking:
            self._talking = True
            return [TalkPressed()]
        self._last = now
        return []

    def wait_over(self) -> list[TalkEvent]:
        """It did not come again."""
        self._talking = False
        self._last = None
        return [TalkReleased()]


class TerminalTalkKey:
    """Reads the keys of a terminal, which shows none of them meanwhile. Ctrl-C works as ever."""

    invitation = "press space, speak, and press it again"

    def __init__(self, terminal: int, clock: Clock) -> None:
        """`terminal` is a terminal's descriptor."""
        self._keyboard = Keyboard(terminal)
        self._clock = clock
        self._started = False
        self._events: asyncio.Queue[TalkEvent | None] = asyncio.Queue()
        self._taps = TapOrHold()
        self._waiting: asyncio.Task[None] | None = None
        self.others: Callable[[bytes], None] | None = None
        """Told of the keys that are none for talking."""

    async def events(self) -> AsyncIterator[TalkEvent]:
        self._started = True
        self._keyboard.start(self._press, lambda: self._events.put_nowait(None))
        try:
            while event := await self._events.get():
                yield event
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        if not self._started:
            return
        self._started = False
        self._keyboard.stop()
        if self._waiting:
            self._waiting.cancel()
        self._events.put_nowait(None)

    def _press(self, keys: bytes) -> None:
        if any(key in KEYS for key in keys):
            self._put(self._taps.key(self._clock.now()))
            if self._waiting is None:
                self._waiting = asyncio.create_task(self._wait())
        elif self.others is not None:
            self.others(keys)

    async def _wait(self) -> None:
        while (due := self._taps.due) is not None:
            left = due - self._clock.now()
            if left <= 0:
                self._put(self._taps.wait_over())
            else:
                await self._clock.sleep(left)
        self._waiting = None

    def _put(self, events: list[TalkEvent]) -> None:
        for event in events:
            self._events.put_nowait(event)
