"""What a scripted model answers: words, tool calls, errors, and streams that break."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Block = dict[str, Any]
Event = tuple[str, dict[str, Any]]
Break = Literal["", "reset", "cut", "bad_json", "html", "sse_error", "pings", "silence"]


@dataclass(frozen=True, slots=True)
class Reply:
    """One model step."""

    blocks: tuple[Block, ...] = ()
    stop_reason: str = "end_turn"
    usage: dict[str, int] = field(default_factory=dict)
    """Adds to 1000 tokens in, 50 out."""
    word_delay_s: float = 0.0
    quick_words: int = 0
    """So many at the beginning come without that delay."""
    status: int = 200
    """Anything else is an error body of type `error_type`."""
    error_type: str = ""
    error_message: str = "scripted"
    headers: dict[str, str] = field(default_factory=dict)
    breaks: Break = ""
    """How the stream goes wrong; "pings" and "silence" never come to an end."""


Script = Sequence[Reply] | Callable[[int, int], Reply]
"""The steps of a turn (the last one repeats), or a function of the step and of how often that same step of
the same session was asked for (1 at first)."""


def text(words: str, **kw: Any) -> Reply:
    return Reply(({"type": "text", "text": words},), **kw)


def tool(name: str, arguments: dict[str, Any], say: str = "", **kw: Any) -> Reply:
    return tools((name, arguments), say=say, **kw)


def tools(*calls: tuple[str, dict[str, Any]], say: str = "", **kw: Any) -> Reply:
    said: tuple[Block, ...] = ({"type": "text", "text": say},) if say else ()
    uses = tuple({"type": "tool_use", "name": name, "input": arguments} for name, arguments in calls)
    return Reply(said + uses, "tool_use", **kw)


def bash(command: str, **kw: Any) -> Reply:
    return tool("Bash", {"command": command, "description": "scripted"}, **kw)


def write(path: object, content: str, **kw: Any) -> Reply:
    return tool("Write", {"file_path": str(path), "content": content}, **kw)


ERRORS = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error",
    404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 500: "api_error",
    529: "overloaded_error",
}  # fmt: skip


def error(status: int, message: str = "scripted", **headers: str) -> Reply:
    names = {key.replace("_", "-"): value for key, value in headers.items()}
    return Reply(status=status, error_type=ERRORS[status], error_message=message, headers=names)


def broken(how: Break) -> Reply:
    return Reply(({"type": "text", "text": "never said"},), breaks=how)


def first(times: int, bad: Reply, good: Reply) -> Script:
    """`bad` for the first `times` tries of a step, then `good`."""
    return lambda _step, tries: bad if tries <= times else good


# ---------------------------------------------------------------------------- the wire


def message(reply: Reply, model: str) -> dict[str, Any]:
    """The whole reply as a Messages API body."""
    usage = {"input_tokens": 1000, "output_tokens": 50, "cache_creation_input_tokens": 0}
    usage |= {"cache_read_input_tokens": 0} | reply.usage
    return {
        "id": f"msg_{uuid.uuid4().hex[:22]}", "type": "message", "role": "assistant", "model": model,
        "content": [_named(block) for block in reply.blocks], "stop_reason": reply.stop_reason,
        "stop_sequence": None, "usage": usage,
    }  # fmt: skip


def _named(block: Block) -> Block:
    return {"id": f"toolu_{uuid.uuid4().hex[:22]}", **block} if block["type"] == "tool_use" else block


def stream(body: dict[str, Any]) -> Iterator[Event]:
    """The same body as server-sent events."""
    start = {**body, "content": [], "stop_reason": None, "usage": {**body["usage"], "output_tokens": 1}}
    yield "message_start", {"message": start}
    yield "ping", {}
    for index, block in enumerate(body["content"]):
        yield from _block(index, block)
    delta = {"stop_reason": body["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"delta": delta, "usage": {"output_tokens": body["usage"]["output_tokens"]}}
    yield "message_stop", {}


def _block(index: int, block: Block) -> Iterator[Event]:
    if block["type"] == "text":
        empty: Block = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": word} for word in re.findall(r"\S+\s*|\s+", block["text"])]
    else:
        empty = {**block, "input": {}}
        whole = json.dumps(block["input"])
        pieces = [whole[at : at + 4096] for at in range(0, len(whole), 4096)]
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    yield "content_block_start", {"index": index, "content_block": empty}
    for delta in deltas:
        yield "content_block_delta", {"index": index, "delta": delta}
    yield "content_block_stop", {"index": index}
