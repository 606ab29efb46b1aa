"""Who may do what at a session's two sockets."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from mybro import events as ev
from mybro.errors import ChildError
from mybro.ops import rendezvous
from mybro.ops.kept import Kept
from mybro.ops.rendezvous import reach
from tests.requirements import need
from tests.test_pipeline_control import LIMIT_S, REPO, Scene, ask, scene, until

__all__ = ["scene"]
pytestmark = pytest.mark.unit

SAYS_YES = """
import os, socket, sys, time
place, how, told = sys.argv[1:]
if how == "detached":
    if os.fork():
        time.sleep(60)
    os.setsid()
    if os.fork():
        os._exit(0)
line = socket.socket(socket.AF_UNIX)
line.connect(place)
line.sendall(b'{"id": 1, "do": "say", "text": "yes"}' + bytes([10]))
replies = line.makefile()
with open(told + ".part", "w") as file:
    file.write(replies.readline() + replies.readline())
os.rename(told + ".part", told)
"""


async def test_an_agent_speaks_and_asks_and_gives_no_orders(scene: Scene) -> None:
    """Who could say "yes" would answer its own questions."""
    agent = await reach()
    try:
        assert agent.greeting["repo"] == str(REPO)
        for order in ("say", "stop", "status", "page", "ptt", "leave", "dance", ""):
            with pytest.raises(ChildError, match="an agent may only speak, ask") as error:
                await ask(agent, order, text="yes", key="down")
            assert error.value.code == "not_for_agents"
        assert await ask(agent, "speak", text="The build is slow.") == {}
        assert await ask(agent, "history") == {"utterances": []}
        waiting = asyncio.create_task(ask(agent, "ask", text="Which one?", choices=["red", "blue"]))
        await scene.asked()
        await scene.pipeline.post(ev.Typed(scene.pipeline.next_turn(), "the red one"))
        assert (await waiting)["choice"] == "red"
    finally:
        await agent.aclose()
    assert [event.text for event in scene.seen if isinstance(event, ev.Typed)] == ["the red one"]


@pytest.mark.parametrize("how", ["plain", "detached"])
async def test_what_a_keeper_keeps_gives_no_orders_at_the_persons_socket(
    scene: Scene, how: str, tmp_path: Path
) -> None:
    if how == "detached":
        need(sys.platform == "linux", "a subreaper, which Linux has")
    place, told = rendezvous.own_socket(), tmp_path / "told"
    argv = [sys.executable, "-I", "-c", SAYS_YES, str(place), how, str(told)]
    kept = await Kept.start(argv, cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    try:
        async with asyncio.timeout(LIMIT_S):
            await until(told.exists)
    finally:
        await kept.aclose()
    _, reply = told.read_text().splitlines()
    assert json.loads(reply)["error"]["code"] == "not_for_agents"
    assert not [event for event in scene.seen if isinstance(event, ev.Typed)]


async def test_another_program_of_the_person_gives_orders(scene: Scene, tmp_path: Path) -> None:
    told = tmp_path / "told"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", SAYS_YES, str(rendezvous.own_socket()), "plain", str(told)
    )
    assert await asyncio.wait_for(process.wait(), LIMIT_S) == 0
    _, reply = told.read_text().splitlines()
    assert json.loads(reply)["ok"]["turn"] >= 1
