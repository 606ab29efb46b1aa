"""A Messages API on loopback that answers by script, for driving the real Claude Code CLI.

    with ScriptedServer() as api:
        api.when("say hello", [write(path, "hi"), text("Done.")])

A turn is played by the script whose phrase stands in the latest prompt that holds any (letters and digits
compared, case ignored); its step is the number of assistant messages after that prompt, so the server keeps
no state and many CLIs may use it at once.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self

from tests.claude_api.replies import Reply, Script, message, stream, text


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a model step."""

    phrase: str
    """Of the script that answered; empty where none matched."""
    step: int
    body: dict[str, Any]
    headers: dict[str, str]
    """Names in lower case."""
    at: float
    """On `time.monotonic`."""

    @property
    def system(self) -> str:
        parts = self.body.get("system", "")
        return parts if isinstance(parts, str) else "\n".join(part.get("text", "") for part in parts)


class ScriptedServer:
    """Serves from the moment it is made until `stop`."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.elsewhere: list[str] = []
        """Method and path of everything that was not a model step."""
        self.weighs = False
        """Whether tokens are counted: four characters of what is sent and answered are one."""
        self.charged_usd = 0.0
        """What has been given so far, also of answers that were not waited for, at Opus 5.5's prices."""
        self.stopping = threading.Event()
        self._scripts: dict[str, Script] = {}
        self._tries: Counter[tuple[str, str, int]] = Counter()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        handler = type("Handler", (_Handler,), {"api": self})
        self._httpd = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._httpd.daemon_threads = True
        self.port: int = self._httpd.server_address[1]
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def when(self, phrase: str, script: Script) -> None:
        """Play `script` for prompts that hold `phrase`."""
        self._scripts[_plain(phrase)] = script

    def stop(self) -> None:
        """End, and cut what is open: to its clients an outage."""
        self.stopping.set()
        self._httpd.shutdown()
        self._httpd.server_close()
        for connection in list(self._connections):
            _cut(connection)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def connected(self, connection: socket.socket, present: bool) -> None:
        with self._lock:
            (self._connections.add if present else self._connections.discard)(connection)

    def answer(self, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        phrase, step = self._pick(body.get("messages", []))
        session = headers.get("x-claude-code-session-id", "")
        with self._lock:
            self.requests.append(Request(phrase, step, body, headers, time.monotonic()))
            key = (session, phrase, len(body.get("messages", [])))
            self._tries[key] += 1
            tries = self._tries[key]
        script = self._scripts.get(phrase)
        if script is None:
            return text("There is no script for this.")
        reply = script(step, tries) if callable(script) else script[min(step, len(script) - 1)]
        if self.weighs:
            given = len(json.dumps([body.get(part) for part in ("system", "tools", "messages")])) // 4
            gives = len(json.dumps(reply.blocks)) // 4
            reply = replace(reply, usage={"input_tokens": given, "output_tokens": gives, **reply.usage})
        return reply

    def charge(self, usage: dict[str, int], share: float, *, began: bool) -> None:
        """A request's tokens, once it has `began`, and a share of those of its answer."""
        with self._lock:
            given = usage["input_tokens"] * _USD_IN if began else 0.0
            self.charged_usd += given + share * usage["output_tokens"] * _USD_OUT

    def _pick(self, messages: list[dict[str, Any]]) -> tuple[str, int]:
        step = 0
        for entry in reversed(messages):
            if entry["role"] == "assistant":
                step += 1
            elif entry["role"] == "user":
                words = _plain(" ".join(_texts(entry["content"])))
                hits = [(words.rfind(phrase), phrase) for phrase in self._scripts if phrase in words]
                if hits:
                    return max(hits)[1], step
        return "", 0


_USD_IN, _USD_OUT = 4e-6, 20e-6


def _plain(words: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", words.lower()))


def _texts(content: str | list[dict[str, Any]]) -> list[str]:
    return [content] if isinstance(content, str) else [part.get("text", "") for part in content]


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: ClassVar[ScriptedServer]

    def handle(self) -> None:
        self.api.connected(self.connection, True)
        try:
            super().handle()
        except (OSError, ValueError):  # the client has gone, or the stream was broken on purpose
            self.close_connection = True
        finally:
            self.api.connected(self.connection, False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._elsewhere()

    def do_HEAD(self) -> None:
        self._elsewhere()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path.split("?")[0] != "/v1/messages":
            self._elsewhere()
            return
        request = json.loads(body)
        reply = self.api.answer(request, {name.lower(): value for name, value in self.headers.items()})
        if reply.status != 200:
            fault = {"type": reply.error_type, "message": reply.error_message}
            self._json(reply.status, {"type": "error", "error": fault}, reply.headers)
        elif not request.get("stream") and not reply.breaks:
            self._json(200, message(reply, request["model"]), {})
        else:
            self._stream(reply, request["model"])

    def _elsewhere(self) -> None:
        self.api.elsewhere.append(f"{self.command} {self.path}")
        self._json(404, {"type": "error", "error": {"type": "not_found_error", "message": self.path}}, {})

    def _json(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)

    def _stream(self, reply: Reply, model: str) -> None:
        if reply.breaks == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            raise ConnectionResetError
        self.send_response(200)
        self.send_header("content-type", "text/html" if reply.breaks == "html" else "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        if reply.breaks in ("pings", "silence"):
            self._stall(reply.breaks == "pings")
        elif reply.breaks:
            self._break(reply)
        else:
            whole = message(reply, model)
            events = list(stream(whole))
            self.api.charge(whole["usage"], 0.0, began=True)
            share = 1 / max(1, sum(name == "content_block_delta" for name, _ in events))
            words = 0
            for name, data in events:
                self._event(name, data)
                if name == "content_block_delta":
                    self.api.charge(whole["usage"], share, began=False)
                    words += 1
                    if reply.word_delay_s and words > reply.quick_words:
                        time.sleep(reply.word_delay_s)
            self._chunk(b"")

    def _break(self, reply: Reply) -> None:
        if reply.breaks == "html":
            self._chunk(b"<html>a captive portal</html>")
            self._chunk(b"")
            return
        events = list(stream(message(reply, "m")))
        for name, data in events[:4]:
            self._event(name, data)
        if reply.breaks == "cut":
            _cut(self.connection)
            raise ConnectionResetError
        if reply.breaks == "bad_json":
            self._chunk(b'event: content_block_delta\ndata: {"type": "content_block_delta", oops\n\n')
        else:
            self._event("error", {"error": {"type": "overloaded_error", "message": "Overloaded"}})
        for name, data in events[4:]:
            self._event(name, data)
        self._chunk(b"")

    def _stall(self, pings: bool) -> None:
        while not self.api.stopping.wait(0.5):
            if pings:
                self._event("ping", {})
        raise ConnectionResetError

    def _event(self, name: str, data: dict[str, Any]) -> None:
        self._chunk(f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode())

    def _chunk(self, raw: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))
        self.wfile.flush()
