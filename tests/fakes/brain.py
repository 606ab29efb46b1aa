"""Language model servers on 127.0.0.1 that say what a test scripts, in the two wire formats."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Says:
    """An answer of the model."""

    text: str
    stop_reason: str = "end_turn"


@dataclass(frozen=True)
class Status:
    """An HTTP error."""

    code: int
    message: str = "scripted"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bytes:
    """Anything else, sent as a successful body."""

    body: bytes
    content_type: str = "text/event-stream"


@dataclass(frozen=True)
class Hangs:
    """No answer until the server is closed."""


@dataclass(frozen=True)
class Drops:
    """The connection is closed without an answer."""


Reply = Says | Status | Bytes | Hangs | Drops


def intent(kind: str, **fields: Any) -> str:
    """What a model that holds to the schema answers."""
    arguments = dict.fromkeys(
        ("old_name", "new_name", "symbol", "path", "message", "branch", "remote", "name", "template", "count")
    )
    plain = {"action": None, "target": None, "risk": "write", "confidence": 0.9, "reply": None}
    return json.dumps({"kind": kind, **plain, "arguments": arguments, **fields})


class ModelServer:
    """Answers the requests in the order of `script`; the last reply is repeated."""

    def __init__(self, *script: Reply) -> None:
        self.script = list(script)
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.closing = threading.Event()
        outer = self

        class Bound(_Handler):
            server_of = outer

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def next_reply(self, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        self.requests.append(body)
        self.headers.append(headers)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@contextmanager
def model_server(*script: Reply) -> Iterator[ModelServer]:
    """A server that lives as long as the block."""
    server = ModelServer(*script)
    server.start()
    try:
        yield server
    finally:
        server.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: ModelServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        reply = self.server_of.next_reply(body, {name.lower(): value for name, value in self.headers.items()})
        match reply:
            case Says():
                claude = self.path.startswith("/v1/messages")
                kind = "text/event-stream" if claude else "application/json"
                self._send(200, _events(body, reply) if claude else _completion(reply), kind)
            case Status(code, message, headers):
                error = {"type": "error", "error": {"type": "scripted_error", "message": message}}
                self._send(code, json.dumps(error).encode(), "application/json", headers)
            case Bytes(data, kind):
                self._send(200, data, kind)
            case Hangs():
                self.server_of.closing.wait(30)
                self.close_connection = True
            case Drops():
                self.close_connection = True

    def _send(self, code: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _completion(reply: Says) -> bytes:
    message = {"role": "assistant", "content": reply.text}
    return json.dumps(
        {"choices": [{"index": 0, "message": message, "finish_reason": reply.stop_reason}]}
    ).encode()


def _events(body: dict[str, Any], reply: Says) -> bytes:
    usage = {"input_tokens": 900, "output_tokens": 60}
    start = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    half = len(reply.text) // 2
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": part}}
            for part in (reply.text[:half], reply.text[half:])
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": reply.stop_reason, "stop_sequence": None},
            "usage": {"output_tokens": 60},
        },
        {"type": "message_stop"},
    ]
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)
