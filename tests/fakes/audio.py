"""Stand-ins for the ear's surroundings."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Sequence

from mybro.audio.source import BLOCK_SAMPLES
from mybro.errors import AudioError, Problem
from mybro.events import BYTES_PER_SAMPLE, AudioBlock


class MemorySource:
    """Gives prepared sound, block by block, and what is put between."""

    dropped_blocks = 0

    def __init__(
        self,
        pcm: bytes,
        *,
        name: str = "memory",
        live: bool = False,
        block_samples: Sequence[int] = (BLOCK_SAMPLES,),
        then: AudioError | None = None,
    ) -> None:
        """`block_samples` are the blocks' lengths, in turn; `then` is raised after the last."""
        self.name = name
        self.live = live
        self._pcm = pcm
        self._lengths = itertools.cycle(block_samples)
        self._then = then
        self.closed = False

    async def blocks(self) -> AsyncIterator[AudioBlock | Problem]:
        start = 0
        while start < len(self._pcm) // BYTES_PER_SAMPLE and not self.closed:
            end = start + next(self._lengths)
            yield AudioBlock(start, self._pcm[start * BYTES_PER_SAMPLE : end * BYTES_PER_SAMPLE])
            start = end
            await asyncio.sleep(0)
        if self._then:
            raise self._then

    async def aclose(self) -> None:
        self.closed = True


class ScriptedSource:
    """Gives the items of a list."""

    name = "script"
    live = True
    dropped_blocks = 3

    def __init__(self, items: Sequence[AudioBlock | Problem]) -> None:
        self._items = items

    async def blocks(self) -> AsyncIterator[AudioBlock | Problem]:
        for item in self._items:
            yield item
            await asyncio.sleep(0)

    async def aclose(self) -> None: ...


class ManualClock:
    """Stands still until `advance`; then wakes whoever waited, in order."""

    def __init__(self) -> None:
        self._now = 0.0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self._now + seconds, next(self._order), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Let time pass; everybody who wakes in it runs before this returns."""
        end = self._now + seconds
        await _settle()
        while self._waiting and self._waiting[0][0] <= end:
            self._now, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
            await _settle()
        self._now = end


class HastyClock:
    """Every wait is over at once, and time has passed all the same."""

    def __init__(self) -> None:
        self._now = 0.0
        self.waits = 0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += max(seconds, 0.0)
        self.waits += 1
        await asyncio.sleep(0)


async def _settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)
