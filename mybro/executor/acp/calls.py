"""An agent's tool calls in the words that the permission rules and the status line know.

ACP tells of a call by its kind, its places and its raw input, in pieces; the rules judge file tools and
shell commands. A call may come to several uses, such as one for each file: each must be allowed.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mybro.executor.claude.messages import Json, Message, Thinking, ToolEnded, ToolUsed, Words

Use = tuple[str, Json]
"""A tool's name and its arguments."""

_PATH_NAMES = ("file_path", "notebook_path", "path", "abs_path", "filePath")
_FILE_TOOLS = {"edit": "Edit", "read": "Read", "search": "Grep"}
_OVER = frozenset({"completed", "failed"})
_TITLE_CHARS = 60


@dataclass(slots=True)
class Call:
    """One tool call, as far as it has been told."""

    id: str
    kind: str = "other"
    title: str = ""
    name: str = ""
    raw: Json = field(default_factory=dict)
    output: Any = None
    status: str = "pending"
    content: list[Json] = field(default_factory=list)
    places: list[Json] = field(default_factory=list)
    told: tuple[str, ...] = ()
    """The ids under which its uses were passed on."""

    def merge(self, update: Json) -> None:
        """Take over what an update tells; what it leaves out holds on."""
        for mine, theirs, kind in (
            ("kind", "kind", str), ("title", "title", str), ("name", "name", str), ("raw", "rawInput", dict),
            ("status", "status", str), ("content", "content", list), ("places", "locations", list),
        ):  # fmt: skip
            value = update.get(theirs)
            if isinstance(value, kind):
                setattr(self, mine, value)
        self.output = update.get("rawOutput", self.output)

    @property
    def clear(self) -> bool:
        """Whether enough is known of it to be told."""
        return bool(self.raw or self.places or self.content) or self.status != "pending"

    @property
    def text(self) -> str:
        """What it gave."""
        if isinstance(self.output, str):
            return self.output
        return "\n".join(_texts(self.content))

    def paths(self) -> list[str]:
        """Every file that it names, in any of the places where agents put them."""
        found = [place.get("path") for place in _dicts(self.places)]
        found += [part.get("path") for part in _dicts(self.content) if part.get("type") == "diff"]
        found += [self.raw.get(name) for name in _PATH_NAMES]
        return list(dict.fromkeys(path for path in found if isinstance(path, str) and path))

    def uses(self) -> list[Use]:
        """What it comes to; never empty. What is not understood is a tool not known here, and is asked."""
        command = _command(self.raw)
        # A tool that edits may call what it does its "command".
        if command and (self.kind in ("execute", "other") or not self.paths()):
            return [("Bash", {"command": command})]
        return self._file_uses() or self._other_use()

    def _file_uses(self) -> list[Use]:
        paths = self.paths()
        if self.kind in ("delete", "move") and paths:
            return [("Bash", {"command": shlex.join(["rm" if self.kind == "delete" else "mv", *paths])})]
        if self.kind in _FILE_TOOLS:
            diffs = [part for part in _dicts(self.content) if part.get("type") == "diff"]
            new = bool(diffs) and all(diff.get("oldText") is None for diff in diffs)
            tool = "Write" if new else _FILE_TOOLS[self.kind]
            return [(tool, {**self.raw, "file_path": path}) for path in paths]
        return []

    def _other_use(self) -> list[Use]:
        match self.kind:
            case "search":
                return [("Grep", self.raw)]
            case "fetch" if isinstance(self.raw.get("url"), str):
                return [("WebFetch", self.raw)]
            case "fetch" if isinstance(self.raw.get("query"), str):
                return [("WebSearch", self.raw)]
            case "think":
                return [("TodoWrite", self.raw)]
            case "switch_mode":
                plan = self.raw.get("plan")
                return [("ExitPlanMode", {"plan": plan if isinstance(plan, str) else self.text})]
        if self.name.startswith("mcp__"):
            return [(self.name, self.raw)]
        title = " ".join((self.title or self.name or self.kind).split())[:_TITLE_CHARS]
        # In small letters it is none of the tools that the rules know, whatever it is called.
        return [(title.casefold() or "other", self.raw or {"title": self.title})]


class Calls:
    """The tool calls of a session's turn."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    def get(self, update: Json) -> Call:
        """The call that an update is about, with the update in it."""
        number = str(update.get("toolCallId"))
        call = self._calls.setdefault(number, Call(number))
        call.merge(update)
        return call

    def messages(self, update: Json) -> Iterator[Message]:
        """What a session update says; nothing for kinds that are not used."""
        match update.get("sessionUpdate"):
            case "agent_message_chunk":
                yield from (Words(text) for text in _texts([update]))
            case "agent_thought_chunk" | "plan" | "usage_update":
                yield Thinking()
            case "tool_call" | "tool_call_update":
                yield from self._called(self.get(update))

    def _called(self, call: Call) -> Iterator[Message]:
        if not call.told and call.clear:
            uses = call.uses()
            call.told = tuple(f"{call.id}/{number}" for number in range(len(uses)))
            for told, (tool, arguments) in zip(call.told, uses, strict=True):
                yield ToolUsed(told, tool, arguments)
        elif not call.told:
            yield Thinking()
        if call.status in _OVER and call.id in self._calls:
            del self._calls[call.id]
            for told in call.told:
                yield ToolEnded(told, call.text, call.status == "failed")


def _command(raw: Json) -> str:
    """The shell command in a call's input: one string, or a list of arguments."""
    command = raw.get("command", raw.get("cmd"))
    if isinstance(command, list):
        return shlex.join(map(str, command))
    arguments = raw.get("args")
    if isinstance(command, str) and isinstance(arguments, list):
        return " ".join([command, shlex.join(map(str, arguments))])
    return command if isinstance(command, str) else ""


def _dicts(items: list[Json]) -> Iterator[Json]:
    return (item for item in items if isinstance(item, dict))


def _texts(parts: list[Json]) -> Iterator[str]:
    for part in _dicts(parts):
        content = part.get("content")
        if isinstance(content, dict) and isinstance(content.get("text"), str):
            yield content["text"]
