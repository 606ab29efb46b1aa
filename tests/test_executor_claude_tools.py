"""Every tool of the real CLI is decided about: unasked, asked, or not offered at all."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import textwrap
from pathlib import Path

import pytest

from mybro.events import Answered
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.claude.messages import PermissionAsked
from mybro.executor.claude.permissions import NOT_HERE, judge
from mybro.executor.claude.tools import OFF, TOOLS
from tests.claude_api import ScriptedServer, bash, text, tool, tools
from tests.fakes.claude import Desk, always, no, yes

pytest_plugins = ["tests.claude_fixtures"]
pytestmark = pytest.mark.integration

DECLARED = {
    "FileEdit": "Edit", "FileRead": "Read", "FileWrite": "Write", "ListMcpResources": "ListMcpResourcesTool",
    "ReadMcpResource": "ReadMcpResourceTool", "ReadMcpResourceDir": "ReadMcpResourceDirTool",
}  # fmt: skip
"""What the CLI's declarations call otherwise than it does itself; "Mcp" is any tool of a server."""

NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "id": "a1", "metadata": {}, "source": "x = 1", "outputs": [],
         "execution_count": None},
    ],
    "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
}  # fmt: skip

SERVER = """
import json, sys

def answer(request):
    if request["method"] == "initialize":
        return {"protocolVersion": request["params"]["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "stock", "version": "1"}}
    if request["method"] == "tools/list":
        schema = {"type": "object", "properties": {"item": {"type": "string"}}}
        return {"tools": [{"name": "count_items", "description": "Counts", "inputSchema": schema}]}
    return {"content": [{"type": "text", "text": "There are 12."}]}

for line in sys.stdin:
    request = json.loads(line)
    if "id" in request:
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": answer(request)}), flush=True)
"""


def results(api: ScriptedServer) -> list[str]:
    """What the model was given by the tools of its last request's conversation."""
    return [
        str(block.get("content"))
        for message in api.requests[-1].body["messages"]
        if message["role"] == "user" and isinstance(message["content"], list)
        for block in message["content"]
        if block.get("type") == "tool_result"
    ]


async def offered(claude: str, env: dict[str, str], folder: Path, *more: str) -> set[str]:
    """The tools that the CLI names when it begins, none of them switched off."""
    process = await asyncio.create_subprocess_exec(
        claude, "-p", "hello", "--output-format", "stream-json", "--verbose", *more, cwd=folder, env=env,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, limit=1 << 24,
    )  # fmt: skip
    out, _ = await process.communicate()
    lines = [json.loads(line) for line in out.splitlines()]
    return next(set(line["tools"]) for line in lines if line.get("subtype") == "init")


def declared(claude: str) -> set[str]:
    """Those that its package describes, where it is there; some are offered only now and then."""
    file = Path(claude).resolve().parent.parent / "sdk-tools.d.ts"
    names = re.findall(r"export interface (\w+)Input\b", file.read_text()) if file.exists() else []
    return {DECLARED.get(name, name) for name in names} - {"Mcp"}


async def test_no_tool_of_the_cli_is_missing(
    claude_bin: str, claude_env: dict[str, str], claude_api: ScriptedServer, tmp_path: Path
) -> None:
    claude_api.when("hello", [text("Hello.")])
    more = {"CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS": "1", "ENABLE_TOOL_SEARCH": "false"}
    found = await offered(claude_bin, claude_env, tmp_path)
    found |= await offered(claude_bin, claude_env | more, tmp_path, "--model", "claude-opus-4-6")
    assert {"Bash", "Edit", "Workflow", "TaskCreate"} <= found
    assert (found | declared(claude_bin)) - set(TOOLS) == set()


async def test_what_is_off_is_not_offered_and_denied(desk: Desk, claude_api: ScriptedServer) -> None:
    wake = tool("ScheduleWakeup", {"delaySeconds": 60, "prompt": "go on", "reason": "x"})
    later = tool("Bash", {"command": "sleep 600", "run_in_background": True, "description": "x"})
    claude_api.when("later", [wake, later, text("Not possible.")])
    assert (await desk.do("do it later")).summary == "Not possible."
    request = claude_api.requests[0]
    assert {one["name"] for one in request.body["tools"]}.isdisjoint(OFF)
    assert {"Bash", "Edit", "Agent"} <= {one["name"] for one in request.body["tools"]}
    assert not re.search(r"\bCronCreate\b|\bEnterWorktree\b", json.dumps(request.body))
    told = results(claude_api)
    assert "No such tool" in told[0]
    assert "run_in_background" in told[1]
    assert desk.asked == []
    for name in OFF:
        assert judge(PermissionAsked("r", name, {}), desk.repo, read_only=False) == NOT_HERE


async def test_a_notebook_inside_is_edited_and_one_outside_asked_about(
    desk: Desk, claude_api: ScriptedServer, tmp_path: Path
) -> None:
    inside, outside = desk.repo / "a.ipynb", tmp_path / "b.ipynb"
    for file in (inside, outside):
        file.write_text(json.dumps(NOTEBOOK))
    steps = [
        (name, {key: str(file), **more})
        for file in (inside, outside)
        for name, key, more in (
            ("Read", "file_path", {}),
            ("NotebookEdit", "notebook_path", {"cell_id": "a1", "new_source": "x = 2"}),
        )
    ]
    claude_api.when("notebooks", [*(tool(*step) for step in steps), text("Edited.")])
    desk.reply = lambda asked: Answered(asked.question, yes="read" in asked.text)
    checkpoints = CheckpointStore(tmp_path / "checkpoints", desk.repo)
    before = checkpoints.take("before")
    outcome = await desk.do("edit the notebooks")
    assert outcome.changed == ("a.ipynb",)
    assert "x = 2" in inside.read_text()
    assert json.loads(outside.read_text()) == NOTEBOOK
    assert [(asked.risk, asked.object) for asked in desk.asked] == [("read", ""), ("destructive", "b.ipynb")]
    assert checkpoints.undo(before.id, checkpoints.take("after").id).restored == ("a.ipynb",)
    assert json.loads(inside.read_text()) == NOTEBOOK
    checkpoints.close()


async def test_a_tool_of_a_users_server_is_asked_about_once(
    desk: Desk, claude_api: ScriptedServer, tmp_path: Path
) -> None:
    program = tmp_path / "home" / "stock.py"
    program.write_text(textwrap.dedent(SERVER))
    settings = tmp_path / "home" / ".claude" / ".claude.json"
    settings.parent.mkdir(exist_ok=True)
    server = {"type": "stdio", "command": sys.executable, "args": [str(program)]}
    settings.write_text(json.dumps({"mcpServers": {"stock": server}}))
    claude_api.when("count", [tool("mcp__stock__count_items", {"item": "nails"}), text("Counted.")])
    desk.reply = no
    await desk.do("count the nails")
    assert "The user said no" in results(claude_api)[-1]
    desk.reply = always
    for _ in range(2):
        await desk.do("count the nails")
        assert "There are 12." in results(claude_api)[-1]
    assert [asked.text for asked in desk.asked] == ["It wants to use count items of stock. Yes or no?"] * 2


async def test_pages_are_asked_about_by_their_host(desk: Desk, claude_api: ScriptedServer) -> None:
    page = tool("WebFetch", {"url": "http://localhost:1/x", "prompt": "sum it up"})
    claude_api.when("read the page", [page, page, text("Read.")])
    claude_api.when("search for it", [tool("WebSearch", {"query": "good nails"}), text("Searched.")])
    desk.reply = always
    await desk.do("read the page")
    desk.reply = no
    await desk.do("search for it")
    assert [(asked.text, asked.risk) for asked in desk.asked] == [
        ("It wants to read a page of localhost. Yes or no?", "read"),
        ("It wants to search the web for good nails. Yes or no?", "read"),
    ]


async def test_a_helper_is_held_like_the_agent_itself(desk: Desk, claude_api: ScriptedServer) -> None:
    """Its commands are asked about, what they cost is counted, and a stop ends what they started."""
    task = {"description": "look", "prompt": "small errand", "subagent_type": "general-purpose"}
    claude_api.when("big task", [tool("Agent", task), text("All done.")])
    claude_api.when("small errand", [bash("rm -r build"), text("It was not allowed.")])
    (desk.repo / "build").mkdir()
    desk.reply = no
    outcome = await desk.do("a big task")
    assert [asked.text for asked in desk.asked] == ["It wants to delete the folder build. Yes or no?"]
    assert (desk.repo / "build").exists()
    assert len(claude_api.requests) == 4
    assert (outcome.input_tokens, outcome.output_tokens) == (4000, 200)
    program, file = desk.writing("double_fork")
    claude_api.when("small errand", [bash(program), text("Never said.")])
    desk.reply = yes
    with pytest.raises(asyncio.CancelledError):
        await (await desk.stop("a big task", file))


async def test_several_of_many_choices(desk: Desk, claude_api: ScriptedServer) -> None:
    options = [{"label": label, "description": ""} for label in ("Red", "Blue", "Green")]
    question = {"question": "Which colours?", "header": "C", "options": options, "multiSelect": True}
    claude_api.when("paint", [tools(("AskUserQuestion", {"questions": [question]})), text("Painted.")])
    desk.reply = lambda asked: Answered(asked.question, yes=True, choice="red and green")
    await desk.do("paint it")
    assert desk.asked[0].text == "Which colours? Red, Blue or Green? You may name several."
    assert '"Which colours?"="red and green"' in results(claude_api)[-1]
