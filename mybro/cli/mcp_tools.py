"""The tools that `mybro mcp` serves."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from mybro import __version__
from mybro.errors import MybroError
from mybro.ops.rendezvous import Line, reach

HISTORY = 20
"""Utterances that a look at the journal gives unless more are asked for."""


def server() -> MCPServer:
    """The server, not yet running."""
    made = MCPServer(
        "mybro",
        version=__version__,
        log_level="ERROR",
        instructions=(
            "The person talks to you by voice and may not look at the screen. Use speak for short news, "
            "ask_person where you cannot go on without them."
        ),
    )
    for tool in (speak, ask_person, notify, journal):
        made.tool()(tool)
    return made


async def speak(text: str) -> str:
    """Say a short sentence to the person, aloud. It waits its turn while they speak."""
    async with _session() as line:
        await line.ask("speak", text=text, place=str(Path.cwd()))
    return "It will be said."


async def ask_person(
    question: str, choices: list[str] | None = None, timeout_seconds: float = 300.0
) -> dict[str, Any]:
    """Ask the person by voice and on screen, and wait for the answer.

    Without choices it is a question for yes or no; with choices (at most 9) they name one, or say something
    else. Gives {"answered": false} where nobody answered in time or everything was stopped; else
    {"answered": true, "yes": bool, "choice": str or null}.
    """
    async with _session() as line:
        asked = {"text": question, "choices": choices or [], "timeout_s": timeout_seconds}
        return await line.ask("ask", **asked, place=str(Path.cwd()))


async def notify(text: str) -> str:
    """Show a desktop notification, for a person who is away from the terminal."""
    async with _session() as line:
        shown = (await line.ask("notify", text=text))["shown"]
    return "It was shown." if shown else "This desktop shows no notifications."


async def journal(limit: int = HISTORY, search: str = "") -> list[dict[str, Any]]:
    """What the person said lately, what it was understood as and what came of it; the newest first."""
    async with _session() as line:
        found = await line.ask("history", limit=limit, search=search)
    return list(found["utterances"])


@contextlib.asynccontextmanager
async def _session() -> AsyncIterator[Line]:
    """A line to the running session; what goes wrong becomes an error that the agent can read."""
    try:
        line = await reach()
    except MybroError as error:
        raise ToolError(str(error)) from None
    try:
        yield line
    except MybroError as error:
        raise ToolError(str(error)) from None
    finally:
        await line.aclose()
