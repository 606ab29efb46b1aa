"""The CLI's stream-json lines, read and written.

Measured with Claude Code 2.1.329; the same messages are known from 2.1.197. Unknown types are ignored, so
that a newer CLI goes on working.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mybro.errors import ExecutorError
from mybro.executor.claude.messages import (
    ControlAsked,
    ControlReplied,
    Followed,
    HookAsked,
    Json,
    Message,
    PermissionAsked,
    PermissionWithdrawn,
    Retrying,
    Said,
    Started,
    StepBegan,
    StepEnded,
    Thinking,
    ToolEnded,
    ToolUsed,
    TurnEnded,
    Words,
)

_GATE, _STEP, _SUMMARY = "gate", "step", "summary"
_HOOK_S = 60
_PICTURE_CHARS = 6000
HOOKS: Json = {"PreToolUse": [{"hookCallbackIds": [_GATE], "timeout": _HOOK_S}]}
"""To be registered with "initialize": before every use of a tool, the CLI asks this side."""
STEP_HOOKS: Json = {
    **HOOKS,
    **{
        name: [{"hookCallbackIds": [_STEP], "timeout": _HOOK_S}]
        for name in ("UserPromptSubmit", "PostToolBatch")
    },
    "PreCompact": [{"hookCallbackIds": [_SUMMARY], "timeout": _HOOK_S}],
}
"""The same, and before every model step. A CLI that does not know one of these events leaves it out."""


class ProtocolError(ExecutorError):
    """A line that is not a message. `data` holds it; the message, which may be logged, does not."""

    def __init__(self, data: bytes, why: str) -> None:
        super().__init__("claude_bad_line", f"the Claude Code CLI sent a line that is no message ({why})")
        self.data = data


def parse(line: bytes) -> tuple[Message, ...]:
    """The messages in one line; none for types that are not used. Raises `ProtocolError`."""
    try:
        raw = json.loads(line)
    except ValueError:
        raise ProtocolError(line, "not JSON") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        raise ProtocolError(line, "no type")
    parser = _PARSERS.get(raw["type"])
    if parser is None:
        return ()
    try:
        return tuple(parser(raw))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProtocolError(line, f"{raw['type']}: {type(error).__name__}") from None


def _system(raw: Json) -> list[Message]:
    match raw.get("subtype"):
        case "init":
            return [Started(raw["session_id"], raw.get("model", ""), raw.get("claude_code_version", ""))]
        case "api_retry":
            return [Retrying(int(raw["attempt"]), raw.get("error_status"), str(raw.get("error")))]
        case "thinking_tokens":
            return [Thinking(thought=int(raw.get("estimated_tokens_delta") or 0))]
    return []


def _stream_event(raw: Json) -> list[Message]:
    event = raw["event"]
    if event["type"] == "ping":
        return []
    own = raw.get("parent_tool_use_id") is None
    if event["type"] == "message_start" and own:
        return _began(event["message"], None)
    if event["type"] == "message_delta" and own:
        tokens = int((event.get("usage") or {}).get("output_tokens") or 0)
        return [StepEnded(tokens, (event.get("delta") or {}).get("stop_reason") == "max_tokens")]
    delta = (event.get("delta") or {}) if own else {}
    match delta.get("type"):
        case "text_delta":
            return [Words(delta["text"])]
        case "input_json_delta":
            return [Thinking(chars=len(delta["partial_json"]))]
        case "thinking_delta":
            return [Thinking(thought_chars=len(delta["thinking"]))]
    return [Thinking()]


def _began(message: Json, agent: str | None) -> list[Message]:
    if not isinstance(message.get("id"), str):
        return []
    return [StepBegan(message["id"], str(message.get("model")), message.get("usage") or {}, agent)]


def _assistant(raw: Json) -> list[Message]:
    error = raw.get("error") or ""
    agent = raw.get("parent_tool_use_id") and (raw.get("agent_id") or raw["parent_tool_use_id"])
    found: list[Message] = [] if error else _began(raw["message"], agent)
    for block in raw["message"]["content"]:
        if block["type"] == "text":
            found.append(Said(block["text"], error, agent))
        elif block["type"] == "tool_use":
            found.append(ToolUsed(block["id"], block["name"], block.get("input") or {}, agent))
    return found


def _user(raw: Json) -> list[Message]:
    content = raw["message"]["content"]
    if isinstance(content, str):
        return []
    return [
        ToolEnded(block["tool_use_id"], _flat(block.get("content")), bool(block.get("is_error")))
        for block in content
        if block["type"] == "tool_result"
    ]


def _flat(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _control_request(raw: Json) -> list[Message]:
    request = raw["request"]
    if request["subtype"] == "hook_callback" and request["callback_id"] in (_GATE, _STEP, _SUMMARY):
        return [_hook(raw["request_id"], request["callback_id"], request.get("input") or {})]
    if request["subtype"] != "can_use_tool":
        return [ControlAsked(raw["request_id"])]
    name, arguments = request["tool_name"], request.get("input") or {}
    return [PermissionAsked(raw["request_id"], name, arguments, request.get("tool_use_id") or "")]


def _hook(request: str, kind: str, told: Json) -> HookAsked:
    given = [call.get("tool_response") for call in told.get("tool_calls") or ()] if kind == _STEP else []
    return HookAsked(
        request, kind == _STEP, kind == _SUMMARY, told.get("agent_id"), str(told.get("tool_name") or ""),
        _size([*given, told.get("prompt") or ""]), tuple(_found(given)),
    )  # fmt: skip


def _found(given: Any) -> Iterator[str]:
    match given:
        case {"type": "tool_reference", "tool_name": str() as name}:
            yield name
        case list():
            yield from (name for one in given for name in _found(one))


def _size(given: Any) -> int:
    """In characters; a picture costs a model as much as so many, however large its file is."""
    match given:
        case str():
            return len(given)
        case list():
            return sum(map(_size, given))
        case {"type": "image" | "document"}:
            return _PICTURE_CHARS
        case dict():
            return sum(map(_size, given.values()))
    return len(str(given))


def _control_response(raw: Json) -> list[Message]:
    response = raw["response"]
    ok = response["subtype"] == "success"
    return [
        ControlReplied(
            response["request_id"], ok, response.get("response") or {}, str(response.get("error") or "")
        )
    ]


def _result(raw: Json) -> list[Message]:
    return [
        TurnEnded(
            is_error=bool(raw["is_error"]),
            subtype=str(raw.get("subtype")),
            text=str(raw.get("result") or ""),
            session=str(raw.get("session_id") or ""),
            prompts=tuple(raw.get("user_message_uuids") or ()),
            total_cost_usd=float(raw.get("total_cost_usd") or 0.0),
            usage=raw.get("model_usage_since_last_result"),
            api_status=raw.get("api_error_status"),
            reason=str(raw.get("terminal_reason") or ""),
            errors=tuple(map(str, raw.get("errors") or ())),
        )
    ]


_PARSERS: dict[str, Callable[[Json], Sequence[Message]]] = {
    "system": _system, "stream_event": _stream_event, "assistant": _assistant, "user": _user,
    "control_request": _control_request, "control_response": _control_response, "result": _result,
    "control_cancel_request": lambda raw: [PermissionWithdrawn(raw["request_id"])],
    "command_lifecycle": lambda raw: [Followed(raw["command_uuid"], raw["state"])],
}  # fmt: skip


# ---------------------------------------------------------------------------- what we send


def line(message: Json) -> bytes:
    """A message as one line. The CLI dies of a malformed one, so nothing else may ever reach its input."""
    return json.dumps(message, allow_nan=False).encode() + b"\n"


def prompt(text: str, uuid: str) -> Json:
    """A message of the user; `uuid` comes back in `TurnEnded.prompts`."""
    content = [{"type": "text", "text": text}]
    return {"type": "user", "uuid": uuid, "message": {"role": "user", "content": content}}


def control(request: str, subtype: str, **fields: Any) -> Json:
    """A control request: "initialize", "interrupt", "set_permission_mode" (mode=…)."""
    return {"type": "control_request", "request_id": request, "request": {"subtype": subtype, **fields}}


def allow(request: str, arguments: Json) -> Json:
    """Let the tool run, with these arguments.

    The CLI's own suggestions for a standing permission are never sent back: by default they are written
    into the user's repository.
    """
    return _reply(request, {"behavior": "allow", "updatedInput": arguments})


def deny(request: str, why: str) -> Json:
    """Refuse; `why` is what the model is told."""
    return _reply(request, {"behavior": "deny", "message": why})


def answer(asked: HookAsked | ControlAsked) -> Json:
    """The answer to what needs no person.

    A hook: whatever the CLI's own rules allow, a permission question shall come for this use of a tool.
    What is not known here is refused, so that the CLI does not wait for ever.
    """
    if isinstance(asked, ControlAsked):
        response = {"subtype": "error", "request_id": asked.request, "error": "not supported"}
        return {"type": "control_response", "response": response}
    if asked.step or asked.summary:
        return _reply(asked.request, {})
    told = {
        "hookEventName": "PreToolUse",
        "permissionDecision": "ask",
        "permissionDecisionReason": "mybro asks",
    }
    return _reply(asked.request, {"hookSpecificOutput": told})


def _reply(request: str, body: Json) -> Json:
    response = {"subtype": "success", "request_id": request, "response": body}
    return {"type": "control_response", "response": response}
