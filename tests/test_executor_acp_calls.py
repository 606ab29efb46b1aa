"""An agent's tool calls, in the words of the permission rules and the status line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mybro.executor.acp.calls import Call, Calls
from mybro.executor.claude.messages import Json, PermissionAsked, Thinking, ToolEnded, ToolUsed, Words
from mybro.executor.claude.permissions import Allow, Ask, judge
from mybro.executor.claude.steps import step

pytestmark = pytest.mark.unit


def call(kind: str, **update: Any) -> Call:
    found = Call("1")
    found.merge({"kind": kind, **update})
    return found


def at(*paths: str) -> list[Json]:
    return [{"path": path} for path in paths]


@pytest.mark.parametrize(
    ("found", "uses", "shown"),
    [
        (call("execute", rawInput={"command": "rm -r a"}), [("Bash", "rm -r a")], "running rm -r a"),
        (call("execute", rawInput={"command": ["rm", "a b"]}), [("Bash", "rm 'a b'")], "running rm 'a b'"),
        (call("other", rawInput={"cmd": "ls", "args": ["-l", "a b"]}), [("Bash", "ls -l 'a b'")], "running"),
        (call("read", rawInput={"command": "env"}), [("Bash", "env")], "running env"),
        (call("edit", rawInput={"command": "create", "path": "a"}), [("Edit", "a")], "editing a"),
        (call("edit", locations=at("/r/a", "/r/b")), [("Edit", "/r/a"), ("Edit", "/r/b")], "editing a"),
        (
            call("edit", content=[{"type": "diff", "path": "n", "newText": "x"}]),
            [("Write", "n")],
            "writing n",
        ),
        (call("delete", locations=at("/r/a b")), [("Bash", "rm '/r/a b'")], "running rm"),
        (call("move", locations=at("/r/a", "/r/b")), [("Bash", "mv /r/a /r/b")], "running mv"),
        (call("read", rawInput={"abs_path": "/r/a"}), [("Read", "/r/a")], "reading a"),
        (call("search", rawInput={"path": "/r"}), [("Grep", "/r")], "searching the code"),
        (call("search", rawInput={"pattern": "x"}), [("Grep", None)], "searching the code"),
        (call("fetch", rawInput={"url": "http://a.b"}), [("WebFetch", None)], "reading a web page"),
        (call("fetch", rawInput={"query": "x"}), [("WebSearch", None)], "searching the web"),
        (call("fetch"), [("fetch", None)], "using fetch"),
        (call("think"), [("TodoWrite", None)], "planning"),
        (call("switch_mode"), [("ExitPlanMode", None)], "presenting the plan"),
        (call("other", name="mcp__db__drop"), [("mcp__db__drop", None)], "using drop"),
        (call("other", title="Deploy  it"), [("deploy it", None)], "using deploy it"),
        (call("edit", title="Edit"), [("edit", None)], "using edit"),
        (call("other", title="TodoWrite"), [("todowrite", None)], "using todowrite"),
        (call("no such kind"), [("no such kind", None)], "using no such kind"),
    ],
)
def test_what_a_call_comes_to(found: Call, uses: list[tuple[str, str | None]], shown: str) -> None:
    told = [(tool, a.get("command") if tool == "Bash" else a.get("file_path")) for tool, a in found.uses()]
    assert told == uses
    assert step(*found.uses()[0]).startswith(shown)


@pytest.mark.parametrize(
    ("found", "verdict", "words"),
    [
        (call("edit", locations=at("a.py")), Allow, ""),
        (call("edit", locations=at("/etc/passwd")), Ask, "write the file passwd outside"),
        (call("edit", locations=at(".git/config")), Ask, "change config, which steers git"),
        (call("delete", locations=at("a.py")), Ask, "delete"),
        (call("execute", rawInput={"command": "git push --force"}), Ask, "force"),
        (call("execute", title="Something"), Ask, "use the tool something"),
        (call("read", locations=at("/etc/passwd")), Ask, "read passwd outside"),
        (call("edit", title="Edit"), Ask, "use the tool edit"),
        (call("other", title="Task"), Ask, "use the tool task"),
    ],
)
def test_how_it_is_judged(found: Call, verdict: type, words: str, tmp_path: Path) -> None:
    tool, arguments = found.uses()[0]
    judged = judge(PermissionAsked("1", tool, arguments), tmp_path, read_only=False)
    assert isinstance(judged, verdict)
    assert words in getattr(judged, "text", "")


def test_a_call_that_is_told_in_pieces() -> None:
    calls = Calls()
    begin = {"sessionUpdate": "tool_call", "toolCallId": "1", "kind": "execute", "title": "Terminal"}
    more = {"sessionUpdate": "tool_call_update", "toolCallId": "1", "rawInput": {"command": "ls"}}
    over = {**more, "status": "completed", "rawOutput": "a\nb"}
    assert list(calls.messages({**begin, "status": "pending", "rawInput": {}})) == [Thinking()]
    assert list(calls.messages(more)) == [ToolUsed("1/0", "Bash", {"command": "ls"})]
    assert list(calls.messages({**more, "status": "in_progress"})) == []
    assert list(calls.messages(over)) == [ToolEnded("1/0", "a\nb", False)]


def test_a_call_that_is_told_at_once_and_failed() -> None:
    content = [{"type": "content", "content": {"type": "text", "text": "no such file"}}, "odd"]
    update = {"sessionUpdate": "tool_call", "toolCallId": "1", "kind": "read", "status": "failed"}
    used, ended = Calls().messages({**update, "locations": at("a"), "content": content})
    assert used == ToolUsed("1/0", "Read", {"file_path": "a"})
    assert ended == ToolEnded("1/0", "no such file", True)


@pytest.mark.parametrize(
    ("update", "messages"),
    [
        ({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "a"}}, [Words("a")]),
        ({"sessionUpdate": "agent_message_chunk", "content": {"type": "image"}}, []),
        ({"sessionUpdate": "agent_thought_chunk", "content": {"type": "text", "text": "a"}}, [Thinking()]),
        ({"sessionUpdate": "user_message_chunk", "content": {"type": "text", "text": "a"}}, []),
        ({"sessionUpdate": "something_new"}, []),
        ({}, []),
    ],
)
def test_other_updates(update: Json, messages: list[Any]) -> None:
    assert list(Calls().messages(update)) == messages


def test_nonsense_is_borne() -> None:
    odd = {"sessionUpdate": "tool_call", "toolCallId": 7, "kind": 3, "title": None, "rawInput": "x"}
    assert list(Calls().messages({**odd, "content": [3, {"type": "diff", "path": 4}], "locations": ["a"]}))
