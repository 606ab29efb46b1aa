"""A hub on loopback that speaks the two requests a download needs, and fails as told."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """Repositories and faults; `ranges` notes what was asked for of which file."""

    address: str = ""
    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    revision: str = REVISION
    cut_after: int | None = None
    """Close the connection after so many bytes of a file."""
    cuts_left: int = 0
    statuses: list[int] = field(default_factory=list)
    """Answers to give instead, one after another."""
    ignores_ranges: bool = False
    false_sha256: bool = False
    odd_listing: bytes | None = None
    tokens: list[str] = field(default_factory=list)
    ranges: list[tuple[str, str]] = field(default_factory=list)

    def listing(self, repo: str) -> bytes:
        if self.odd_listing is not None:
            return self.odd_listing
        siblings = []
        for name, content in self.repos[repo].items():
            entry: dict[str, object] = {"rfilename": name, "size": len(content)}
            if name.startswith(("model.", "weights.")):
                digest = "0" * 64 if self.false_sha256 else hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"sha256": digest, "size": len(content)}
            siblings.append(entry)
        return json.dumps({"sha": self.revision, "siblings": siblings}).encode()


@contextmanager
def hub_server() -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hub.tokens.append(self.headers.get("Authorization", ""))
            path = self.path.partition("?")[0]
            if hub.statuses:
                self._answer(hub.statuses.pop(0), b"no")
            elif path.startswith("/api/models/"):
                repo = path.removeprefix("/api/models/")
                known = repo in hub.repos
                self._answer(200 if known else 404, hub.listing(repo) if known else b"{}")
            elif "/resolve/" in path:
                # As the real hub does with large files.
                self.send_response(302)
                self.send_header("Location", path.replace("/resolve/", "/cdn/"))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._file(path)

        def _file(self, path: str) -> None:
            repo, _, rest = path.lstrip("/").partition("/cdn/")
            name = rest.partition("/")[2]
            content = hub.repos[repo][name]
            asked = self.headers.get("Range", "")
            hub.ranges.append((name, asked))
            start = 0 if hub.ignores_ranges or not asked else int(asked.removeprefix("bytes=").rstrip("-"))
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            body = content[start:]
            if hub.cut_after is not None and hub.cuts_left and len(body) > hub.cut_after:
                hub.cuts_left -= 1
                self.wfile.write(body[: hub.cut_after])
                self.wfile.flush()
                self.close_connection = True
                return
            self.wfile.write(body)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
