"""The two sockets of a session: one for the person's other programs, one for agents."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from mybro.clock import Clock
from mybro.errors import ChildError, Problem
from mybro.events import StageFailed
from mybro.journal import Archive
from mybro.ops.peers import is_kept
from mybro.ops.rendezvous import MAX_LINE_BYTES, SOCKET_VARIABLE, agents_socket, own_socket
from mybro.pipeline.control import Control
from mybro.pipeline.pipeline import Pipeline
from mybro.speak.notify import Notifier

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def control(
    pipeline: Pipeline, repo: Path, notifier: Notifier, archive: Archive | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Control]:  # fmt: skip
    """Serve a session's sockets; where there can be none, the session is told and goes on.

    Programs that the session starts meanwhile find the agents' one by their environment.
    """
    served = Control(pipeline, repo, notifier, archive, clock)

    async def person(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A sandbox that cannot hide the socket leaves it to be found.
        kept = await asyncio.to_thread(is_kept, writer.get_extra_info("socket"))
        await served.serve(reader, writer, agent=kept)

    async def agent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await served.serve(reader, writer, agent=True)

    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(served.aclose)
        try:
            await stack.enter_async_context(_open(own_socket(), person))
            path = await stack.enter_async_context(_open(agents_socket(), agent))
        except (OSError, ChildError) as error:
            message = (
                error.message if isinstance(error, ChildError) else f"no socket for this session: {error}"
            )
            await pipeline.post(StageFailed("server", Problem("no_socket", message)))
        else:
            os.environ[SOCKET_VARIABLE] = str(path)
            stack.callback(os.environ.pop, SOCKET_VARIABLE, None)
        yield served


@contextlib.asynccontextmanager
async def _open(path: Path, serve: Serve) -> AsyncIterator[Path]:
    # Quick enough for the loop: a folder of a few sockets.
    remove = functools.partial(path.unlink, missing_ok=True)
    remove()
    server = await asyncio.start_unix_server(serve, path, limit=MAX_LINE_BYTES)
    try:
        await asyncio.to_thread(path.chmod, 0o600)
        yield path
    finally:
        server.close()
        remove()
