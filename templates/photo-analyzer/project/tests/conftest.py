"""Pictures that are drawn, and Claude's API as a server on this machine."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw

from photos.app import create
from photos.settings import Settings
from photos.vision import ClaudeVision


def draw(kind: str, size: int = 200, image_format: str = "PNG", quality: int = 90) -> bytes:
    image = Image.new("RGB", (size, size), "white")
    pen = ImageDraw.Draw(image)
    at = size / 200
    if kind == "house":
        pen.rectangle((40 * at, 90 * at, 160 * at, 190 * at), fill="firebrick")
        pen.polygon([(20 * at, 95 * at), (100 * at, 20 * at), (180 * at, 95 * at)], fill="black")
    elif kind == "sea":
        pen.rectangle((0, 100 * at, size, size), fill="navy")
        pen.ellipse((120 * at, 20 * at, 170 * at, 70 * at), fill="gold")
    else:
        for i in range(0, size, int(20 * at)):
            pen.line((0, i, size, size - i), fill="green", width=int(4 * at))
    out = io.BytesIO()
    image.save(out, image_format, quality=quality)
    return out.getvalue()


class Claude:
    """The messages API, with the answers that a test chooses."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: dict[str, Any] = {
            "description": "A red house under a black roof.",
            "text": "No. 17",
            "tags": ["house", "red"],
            "things": [{"label": "house", "left": 0.2, "top": 0.1, "right": 0.8, "bottom": 0.95}],
        }
        self.asked: list[dict[str, Any]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                owner.asked.append(json.loads(self.rfile.read(length)))
                use = {"type": "tool_use", "id": "toolu_1", "name": "catalogue", "input": owner.answer}
                message = {
                    "id": "msg_1", "type": "message", "role": "assistant", "model": "test", "content": [use],
                    "stop_reason": "tool_use", "stop_sequence": None,
                    "usage": {"input_tokens": 1, "output_tokens": 1},
                }  # fmt: skip
                body = json.dumps(message if owner.status == 200 else {"type": "error", "error": {}}).encode()
                self.send_response(owner.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def claude() -> Iterator[Claude]:
    server = Claude()
    yield server
    server.close()


@pytest.fixture
def api(claude: Claude, tmp_path: Path) -> Iterator[TestClient]:
    client = AsyncAnthropic(api_key="test", base_url=claude.url, max_retries=0)
    settings = Settings(folder=tmp_path, max_bytes=200_000, max_pixels=1_000_000, calls_per_minute=1000)
    with TestClient(create(settings, ClaudeVision("test", client))) as api:
        yield api


def send(api: TestClient, data: bytes, name: str = "a.png") -> dict[str, Any]:
    response = api.post("/v1/photos", files={"file": (name, data)})
    assert response.status_code in (200, 201), response.text
    photo: dict[str, Any] = response.json()
    return photo
