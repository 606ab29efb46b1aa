"""Budgets are kept where a person's own servers tell the model of many tools: the real CLI, counted."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import pytest

from mybro.config import ExecutorSettings
from mybro.executor.claude.faults import TurnError
from tests.claude_api import ScriptedServer, bash, text, tool
from tests.fakes.claude import PATIENCE_S, Desk

pytest_plugins = ["tests.claude_fixtures"]
pytestmark = pytest.mark.integration

_SERVER = Path(__file__).parent / "fakes" / "tool_server.py"


@pytest.fixture
def counting(claude_api: ScriptedServer) -> ScriptedServer:
    claude_api.weighs = True
    return claude_api


def configure(desk: Desk, tools: int, *, late: bool) -> Path:
    """A server of so many tools stands in the person's own settings; the file that is there once it has told
    of them. One that is `late` tells nothing before there is a file "gate".
    """
    home = Path(desk.env["CLAUDE_CONFIG_DIR"])
    home.mkdir(exist_ok=True)
    gate, listed = desk.repo / "gate", desk.repo / "listed"
    if not late:
        gate.touch()
    listed.unlink(missing_ok=True)
    server = {"command": sys.executable, "args": [str(_SERVER), str(tools), str(gate), str(listed)]}
    (home / ".claude.json").write_text(json.dumps({"mcpServers": {"many": server}}))
    return listed


async def afresh(
    desk: Desk, budget_usd: float, tools: int, *, search: bool = True, late: bool = False
) -> None:
    """`search`: the model is told of the server's tools only once it looks for them."""
    listed = configure(desk, tools, late=late)
    desk.env["ENABLE_TOOL_SEARCH"] = str(search).lower()
    await desk.hand.aclose()
    desk.settings = ExecutorSettings(claude_path=desk.settings.claude_path, budget_usd=budget_usd)
    desk.hand = desk.new_hand()
    await desk.hand.prewarm(desk.repo)
    if not late:
        await asyncio.to_thread(wait_for, listed)


def wait_for(file: Path) -> None:
    for _ in range(20 * PATIENCE_S):
        if file.exists():
            break
        time.sleep(0.05)
    time.sleep(0.3)


async def spent_by(desk: Desk, words: str) -> str:
    with pytest.raises(TurnError) as raised:
        await desk.do(words)
    assert raised.value.code == "budget_spent"
    return raised.value.message


async def test_a_first_step_with_many_tools_is_not_begun(desk: Desk, counting: ScriptedServer) -> None:
    """In the first session ever: it would cost 0.29 dollars. Nothing is asked of a model to know it.

    Nor is anything reserved for a server that was there once, and is gone.
    """
    counting.when("hello", [text("All done.")])
    await afresh(desk, 0.28, 100, search=False)
    problem = await spent_by(desk, "hello")
    assert "budget of 0.28 dollars, so I did not begin its first step, which may cost 0." in problem
    assert (counting.requests, counting.elsewhere) == ([], [])
    await afresh(desk, 1.0, 100, search=False)
    assert (await desk.do("hello")).summary == "All done."
    assert 0.28 < counting.charged_usd < 0.4
    desk.store.save(desk.repo, None)
    await afresh(desk, 0.2, 1)
    assert (await desk.do("hello")).summary == "All done."


async def test_a_server_that_is_late_counts_when_it_is_there(desk: Desk, counting: ScriptedServer) -> None:
    listed = "while not os.path.exists('listed'): time.sleep(0.05)"
    opens = f"import os, time\nopen('gate', 'w')\n{listed}\ntime.sleep(0.5)"
    counting.when("hello", [bash(f'python3 -c "{opens}"'), text("Never said.")])
    await afresh(desk, 0.25, 100, search=False, late=True)
    await spent_by(desk, "hello")
    assert (desk.repo / "listed").exists()
    assert len(counting.requests) == 1
    assert 0 < counting.charged_usd <= 0.25


async def test_tools_that_the_model_looks_for_count(desk: Desk, counting: ScriptedServer) -> None:
    names = ",".join(f"mcp__many__work_{number}" for number in range(100))
    counting.when("hello", [tool("ToolSearch", {"query": f"select:{names}"}), text("Never said.")])
    await afresh(desk, 0.25, 100)
    problem = await spent_by(desk, "hello")
    assert "so I stopped it before its next step" in problem
    assert len(counting.requests) == 1
    assert 0 < counting.charged_usd <= 0.25
