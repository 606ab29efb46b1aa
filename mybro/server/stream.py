"""The session's events for any number of watchers, each at its own pace, with what it missed."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator

from mybro.events import Envelope
from mybro.wire import to_line

RING_EVENTS = 20_000
RING_BYTES = 16 << 20
"""Characters of JSON that are kept for those who come back."""


class GoneError(Exception):
    """Events that were asked for are not kept any more."""

    def __init__(self, oldest: int) -> None:
        super().__init__(oldest)
        self.oldest = oldest
        """Number of the oldest event that is there."""


class EventStream:
    """Keeps the newest events as lines of JSON. All from one event loop.

    Nobody has a queue: a watcher reads from the ring where it has come to, so a slow one costs nothing, and
    loses something only if it falls behind by the whole ring, which it is told.
    """

    def __init__(self, events: int = RING_EVENTS, size: int = RING_BYTES) -> None:
        self.session = uuid.uuid4().hex[:16]
        """Names this run: numbers of another run mean nothing here."""
        self._most, self._room = events, size
        self._lines: deque[str] = deque()
        self._size = 0
        self._first = 1
        self._waiting: asyncio.Future[None] | None = None
        self.watchers = 0
        self.ended = False

    @property
    def last(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._first + len(self._lines) - 1

    @property
    def oldest(self) -> int:
        """The number of the oldest event that is kept."""
        return self._first

    def take(self, envelope: Envelope) -> None:
        """One more event: a pipeline's watcher."""
        self.put(envelope.seq, to_line(envelope))

    def put(self, seq: int, line: str) -> None:
        if seq != self.last + 1:
            # A stream that was joined late begins there.
            self._lines.clear()
            self._size, self._first = 0, seq
        self._lines.append(line)
        self._size += len(line)
        while len(self._lines) > self._most or self._size > self._room:
            self._size -= len(self._lines.popleft())
            self._first += 1
        self._wake()

    def end(self) -> None:
        """There will be no more: everybody who waits is let go."""
        self.ended = True
        self._wake()

    def after(self, seq: int, limit: int = RING_EVENTS) -> list[str]:
        """The lines after a number, at most so many. Raises `GoneError`."""
        if seq + 1 < self._first:
            raise GoneError(self._first)
        start = max(0, seq + 1 - self._first)
        stop = min(len(self._lines), start + limit)
        return [self._lines[at] for at in range(start, stop)]

    async def follow(self, seq: int, heartbeat_s: float) -> AsyncIterator[list[str]]:
        """What comes after a number, in batches, as it comes; an empty batch is a heartbeat.

        Raises `GoneError` where the watcher has fallen behind. Ends with the session.
        """
        while True:
            if batch := self.after(seq, 256):
                seq += len(batch)
                yield batch
            elif self.ended:
                return
            elif not await self._more(heartbeat_s):
                yield []

    async def _more(self, seconds: float) -> bool:
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait([self._waiting], timeout=seconds)
        return bool(done)

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
