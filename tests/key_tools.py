"""What the tests of the talk key share."""

from __future__ import annotations

import asyncio

from mybro.audio.keys import TalkKey
from mybro.events import TalkPressed, TalkReleased

LIMIT_S = 30


class Watching:
    """Collects a talk key's events."""

    def __init__(self, key: TalkKey) -> None:
        self.key = key
        self.events: list[TalkPressed | TalkReleased] = []
        self.task = asyncio.create_task(self._collect())

    async def _collect(self) -> None:
        async for event in self.key.events():
            self.events.append(event)

    async def wait_for(self, *events: TalkPressed | TalkReleased) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.events != list(events):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self.key.aclose()
        await self.key.aclose()
        await asyncio.wait_for(self.task, LIMIT_S)
