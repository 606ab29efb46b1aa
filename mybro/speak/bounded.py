"""Waiting that ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from mybro.clock import Clock

_Result = TypeVar("_Result")


async def within(clock: Clock, seconds: float, work: Awaitable[_Result]) -> _Result:
    """The work's result; `TimeoutError`, and the work cancelled, where it takes longer on this clock."""
    task = asyncio.ensure_future(work)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimeoutError
    finally:
        task.cancel()
        timer.cancel()
        await asyncio.gather(task, timer, return_exceptions=True)
