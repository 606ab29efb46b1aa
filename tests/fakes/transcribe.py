"""A recogniser that answers what it is told to, and a transcription server on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from mybro.transcribe.recogniser import Hints, Recognition

if TYPE_CHECKING:
    from mybro.transcribe.recogniser import Sound


class Told:
    """Gives its answers one after another, the last one for ever; notes what it was asked."""

    def __init__(self, *answers: Recognition, window_s: float = 30.0, searches: bool = True) -> None:
        self.window_s = window_s
        self.searches = searches
        self.asked: list[tuple[int, Hints]] = []
        self._answers = list(answers)

    def load(self) -> None:
        pass

    def languages(self) -> Sequence[str]:
        return ["en"]

    def recognise(self, sound: Sound, hints: Hints) -> Recognition:
        self.asked.append((len(sound), hints))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@dataclass(frozen=True)
class Upload:
    """One request as the server got it."""

    path: str
    key: str
    fields: dict[str, str]
    wav: bytes


@dataclass
class Server:
    """What the server answers: (status, headers, body) one after another, the last one for ever."""

    address: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    got: list[Upload] = field(default_factory=list)
    _open: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._open.set()

    def stall(self) -> None:
        """Take requests and answer none, until `go_on`."""
        self._open.clear()

    def go_on(self) -> None:
        self._open.set()

    def wait(self) -> None:
        self._open.wait(60)

    def says(self, body: Any, status: int = 200, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers.append((status, {name.replace("_", "-"): text for name, text in headers.items()}, raw))


@contextmanager
def transcription_server() -> Iterator[Server]:
    """A server on 127.0.0.1 that parses what it is sent."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.got.append(_upload(self.path, self.headers, body))
            server.wait()
            answers = server.answers
            status, headers, raw = answers.pop(0) if len(answers) > 1 else answers[0]
            with suppress(OSError):
                self._answer(status, headers, raw)

        def _answer(self, status: int, headers: dict[str, str], raw: bytes) -> None:
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server.address = f"http://127.0.0.1:{http.server_address[1]}/v1"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.go_on()
            http.shutdown()
            thread.join()


def _upload(path: str, headers: Any, body: bytes) -> Upload:
    whole = message_from_bytes(f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body)
    fields: dict[str, str] = {}
    wav = b""
    for part in whole.walk():
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part.get_filename():
            wav = content
        else:
            fields[str(part.get_param("name", header="content-disposition"))] = content.decode()
    return Upload(path, headers.get("Authorization", ""), fields, wav)
