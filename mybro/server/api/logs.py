"""The log: the newest lines, and a stream of what comes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, WebSocket, WebSocketDisconnect
from pydantic import BaseModel

from mybro.server.api.live import HEARTBEAT_S, enter, until_left
from mybro.server.api.session import MOST
from mybro.server.context import Context, Needs
from mybro.server.logs import LogFilter, LogRing
from mybro.server.stream import GoneError

Level = Literal["debug", "info", "warning", "error", "critical"]
Text = Annotated[str, Query(max_length=200)]


class LogPage(BaseModel):
    """Lines of the log, the oldest first; `seq` is the newest line's number."""

    lines: list[dict[str, Any]]
    seq: int
    dropped: int


def router(context: Context) -> APIRouter:
    """`/v1/logs` and `/v1/logs/stream`."""
    routes = APIRouter()
    ring = context.logs

    @routes.get("/v1/logs", tags=["logs"], dependencies=[Depends(Needs("read"))])
    async def logs(
        limit: Annotated[int, Query(ge=1, le=10 * MOST)] = MOST,
        level: Level = "info", logger: Text = "", contains: Text = "",
    ) -> LogPage:  # fmt: skip
        """The newest lines that pass the filters."""
        wanted = LogFilter(level, logger, contains)
        found = [line for line in ring.after(ring.oldest - 1) if wanted.passes(line)][-limit:]
        return LogPage(lines=[json.loads(line) for line in found], seq=ring.last, dropped=ring.dropped)

    @routes.websocket("/v1/logs/stream")
    async def stream(
        socket: WebSocket, after: int | None = None, level: Level = "info",
        logger: Text = "", contains: Text = "",
    ) -> None:  # fmt: skip
        """Lines as they come; `after` begins behind that number."""
        if await enter(socket, "read"):
            start = ring.last if after is None else max(after, ring.oldest - 1)
            await _follow(socket, ring, start, LogFilter(level, logger, contains))

    return routes


async def _follow(socket: WebSocket, ring: LogRing, start: int, wanted: LogFilter) -> None:
    leaving = asyncio.create_task(until_left(socket))
    sending = asyncio.create_task(_send(socket, ring, start, wanted))
    await asyncio.wait({leaving, sending}, return_when=asyncio.FIRST_COMPLETED)
    for task in (leaving, sending):
        task.cancel()
    await asyncio.gather(leaving, sending, return_exceptions=True)


async def _send(socket: WebSocket, ring: LogRing, start: int, wanted: LogFilter) -> None:
    with contextlib.suppress(GoneError, WebSocketDisconnect):
        async for batch in ring.follow(start, HEARTBEAT_S):
            for line in batch:
                if wanted.passes(line):
                    await socket.send_text(line)
            if not batch:
                await socket.send_text(json.dumps({"heartbeat": ring.last}))
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(1001)
