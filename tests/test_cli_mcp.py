"""The tools for coding agents, through the protocol's own client; and a word from another terminal."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from mybro import events as ev
from tests.program import environment, run
from tests.projects import home, shop
from tests.test_pipeline_control import Scene, scene

__all__ = ["home", "scene", "shop"]
pytestmark = pytest.mark.integration

LIMIT_S = 60


@pytest.fixture
def here(scene: Scene, home: Path) -> dict[str, str]:
    """The environment of a program that finds the scene's session."""
    return environment(home, XDG_RUNTIME_DIR=os.environ["XDG_RUNTIME_DIR"])


def text(result: Any) -> str:
    return "".join(part.text for part in result.content)


async def test_an_agent_speaks_asks_and_reads(scene: Scene, here: dict[str, str]) -> None:
    # One task opens and closes the client, as its cancel scopes want it.
    server = StdioServerParameters(command=sys.executable, args=["-m", "mybro", "mcp"], env=here)
    async with stdio_client(server) as (read, write), ClientSession(read, write) as agent:
        await agent.initialize()
        tools = {tool.name for tool in (await agent.list_tools()).tools}
        assert tools == {"speak", "ask_person", "notify", "journal"}

        await agent.call_tool("speak", {"text": "The build is slow."})
        asking = asyncio.create_task(
            agent.call_tool("ask_person", {"question": "Which one?", "choices": ["red", "blue"]})
        )
        await scene.asked()
        await scene.pipeline.post(ev.Typed(scene.pipeline.next_turn(), "the second one"))
        answer = await asyncio.wait_for(asking, LIMIT_S)
        assert json.loads(text(answer)) == {"answered": True, "yes": True, "choice": "blue"}
        said = [event.text for event in scene.seen if isinstance(event, ev.SayStarted)]
        assert "The build is slow." in said

        assert "shown" in text(await agent.call_tool("notify", {"text": "done"}))
        assert not (await agent.call_tool("journal", {"limit": 5})).is_error


async def test_an_agent_without_a_session_is_told_so(here_alone: dict[str, str]) -> None:
    server = StdioServerParameters(command=sys.executable, args=["-m", "mybro", "mcp"], env=here_alone)
    async with stdio_client(server) as (read, write), ClientSession(read, write) as agent:
        await agent.initialize()
        result = await agent.call_tool("speak", {"text": "hello"})
        assert result.is_error
        assert "no session of mybro" in text(result)


@pytest.fixture
def here_alone(home: Path, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "empty").mkdir(mode=0o700)
    return environment(home, XDG_RUNTIME_DIR=str(tmp_path / "empty"))


async def test_status_and_stop_from_another_terminal(scene: Scene, home: Path, tmp_path: Path) -> None:
    env = {"XDG_RUNTIME_DIR": os.environ["XDG_RUNTIME_DIR"]}

    async def mybro(*arguments: str) -> tuple[int, str]:
        done = await asyncio.to_thread(run, *arguments, home=home, cwd=tmp_path, env=env)
        return done.returncode, done.stdout + done.stderr

    await scene.working()
    status, shown = await mybro("status", "--json")
    assert (status, len(json.loads(shown)["jobs"])) == (0, 1)
    assert await mybro("stop") == (0, "Stopped.\n")
    assert scene.executor.running == {}
    status, shown = await mybro("status", "--repo", str(tmp_path))
    assert (status, "no session of mybro" in shown) == (1, True)
    status, shown = await mybro("stop", "--repo", str(tmp_path))
    assert status == 1


def test_registering_prints_both_ways(home: Path, tmp_path: Path) -> None:
    done = run("mcp", "--register", home=home, cwd=tmp_path)
    command, settings = done.stdout.splitlines()
    assert command.startswith("claude mcp add")
    assert json.loads(settings)["mcpServers"]["mybro"]["args"] == ["-m", "mybro", "mcp"]
