"""The beginning of a conversation: what the agent can do, and the session that is new or taken up again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mybro import __version__
from mybro.executor.acp import faults, models
from mybro.executor.acp.connection import SIGN_IN, Connection, RpcError
from mybro.executor.claude.messages import Json
from mybro.executor.claude.purse import DayBudget

VERSION = 1
"""Of the protocol."""


_ASKED = ("Bash", "Read", "Edit", "Write", "NotebookEdit", "WebFetch", "WebSearch", "mcp__*")
"""Claude Code's tools that it asks about whatever a person's own settings allow: the rules here decide."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a repository's sessions are started."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    """The whole environment."""
    instructions: Callable[[], str]
    """As they are now: said before the first prompt of a session, and again where they have changed."""
    trusted: bool = False
    """Whether the repository's own hooks, settings and servers may run."""
    budget_usd: float | None = None
    """What the whole session may cost, as far as the agent tells its cost."""
    day: DayBudget | None = None
    """What all sessions may cost in a day."""
    tool_silence_s: float = 1800.0
    """How long a running tool may give no sign of life."""
    sandbox: Literal["auto", "on", "off"] = "off"
    """Whether the process is held in a sandbox: where one works, in any case, or never."""
    model: str | None = None
    """To be chosen where the agent offers a choice; None for its own."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that waits for a prompt."""

    id: str
    fresh: bool
    """Whether it is new."""
    lasting: bool
    """Whether the agent can take it up again after the agent was ended."""


async def open_session(
    connection: Connection, repo: Path, last: str | None, *, trusted: bool, model: str | None = None
) -> Opened:
    """Go on in the session `last`, or begin a new one where it is gone.

    Raises `RpcError`, `GoneError`, and `TurnError` for a protocol version that is not spoken here.
    """
    hello = {
        "protocolVersion": VERSION,
        "clientCapabilities": {"fs": {"readTextFile": True, "writeTextFile": True}, "terminal": False},
        "clientInfo": {"name": "mybro", "title": "mybro", "version": __version__},
    }
    told = await connection.request("initialize", hello)
    if told.get("protocolVersion") != VERSION:
        raise faults.wrong_version(told.get("protocolVersion"))
    able = part(told, "agentCapabilities")
    resumes = part(able, "sessionCapabilities").get("resume") is not None
    lasting = resumes or able.get("loadSession") is True
    place = _place(repo, trusted=trusted)
    method = "session/resume" if resumes else "session/load"
    answer = await _take_up(connection, method, last, place) if last and lasting else None
    if answer is not None:
        opened = Opened(str(last), fresh=False, lasting=lasting)
    else:
        answer = await connection.request("session/new", place)
        opened = Opened(str(answer.get("sessionId")), fresh=True, lasting=lasting)
    await _ask_for_questions(connection, opened.id, part(answer, "modes"))
    if model is not None:
        await models.choose(connection, opened.id, answer, model)
    return opened


async def _take_up(connection: Connection, method: str, session: str, place: Json) -> Json | None:
    """None where the agent no longer has it."""
    try:
        return await connection.request(method, {"sessionId": session, **place})
    except RpcError as error:
        if error.code == SIGN_IN:
            raise
        return None


def _place(repo: Path, *, trusted: bool) -> Json:
    place: Json = {"cwd": str(repo.absolute()), "mcpServers": []}
    # For the agent that drives Claude Code; others ignore it.
    options: Json = {"settings": {"permissions": {"ask": list(_ASKED)}}, "promptSuggestions": False}
    if not trusted:
        options["settingSources"] = ["user"]  # of the repository no hook or setting
    place["_meta"] = {"claudeCode": {"options": options}}
    return place


async def _ask_for_questions(connection: Connection, session: str, modes: Json) -> None:
    """Leave a mode in which the agent does not ask; the one that asks is called "default" by custom."""
    known = [mode.get("id") for mode in modes.get("availableModes") or () if isinstance(mode, dict)]
    if "default" in known and modes.get("currentModeId") != "default":
        await connection.request("session/set_mode", {"sessionId": session, "modeId": "default"})


def part(source: Json, name: str) -> Json:
    """An object inside another one; empty where there is none."""
    value = source.get(name)
    return value if isinstance(value, dict) else {}
