"""Something that is begun, and broken off sooner and later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def break_off(
    begin: Callable[[], Awaitable[T]],
    pauses: Iterable[Awaitable[None]],
    close: Callable[[T], Awaitable[object]],
) -> None:
    """Begin, and cancel that after a pause, once for each; what was quicker is closed, and not all may be."""
    cancelled = 0
    for pause in pauses:
        beginning = asyncio.ensure_future(begin())
        await pause
        beginning.cancel()
        try:
            made = await beginning
        except asyncio.CancelledError:
            cancelled += 1
        else:
            await close(made)
    assert cancelled
