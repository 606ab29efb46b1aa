"""Talking with the space bar or Enter in the terminal: tapped before and after, or held."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
from collections.abc import AsyncIterator
from typing import Any

from mybro.audio.keys import TalkEvent
from mybro.clock import Clock
from mybro.events import TalkPressed, TalkReleased

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
        self._terminal = terminal
        self._clock = clock
        self._before: Any = None
        self._events: asyncio.Queue[TalkEvent | None] = asyncio.Queue()
        self._taps = TapOrHold()
        self._waiting: asyncio.Task[None] | None = None

    async def events(self) -> AsyncIterator[TalkEvent]:
        loop = asyncio.get_running_loop()
        self._before = termios.tcgetattr(self._terminal)
        quiet = termios.tcgetattr(self._terminal)
        quiet[3] &= ~(termios.ICANON | termios.ECHO)
        quiet[6][termios.VMIN], quiet[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._terminal, termios.TCSANOW, quiet)
        loop.add_reader(self._terminal, self._read)
        try:
            while event := await self._events.get():
                yield event
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        before, self._before = self._before, None
        if before is None:
            return
        asyncio.get_running_loop().remove_reader(self._terminal)
        if self._waiting:
            self._waiting.cancel()
        with contextlib.suppress(termios.error):
            # A terminal that was closed needs no restoring.
            termios.tcsetattr(self._terminal, termios.TCSANOW, before)
        self._events.put_nowait(None)

    def _read(self) -> None:
        try:
            read = os.read(self._terminal, 256)
        except OSError:
            read = b""
        if not read:
            asyncio.get_running_loop().remove_reader(self._terminal)
            self._events.put_nowait(None)
            return
        if any(byte in KEYS for byte in read):
            self._put(self._taps.key(self._clock.now()))
            if self._waiting is None:
                self._waiting = asyncio.create_task(self._wait())

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
