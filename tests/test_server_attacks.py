"""What the server must refuse, each with its code, and live on."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from mybro.config import ServerSettings
from mybro.server.auth import Doorkeeper
from mybro.server.gate import Gate
from mybro.server.measures import Measures
from mybro.server.runner import rules
from mybro.server.tokens import Tokens
from tests.server_scene import LIMIT_S, Scene, bearer, code, frames, get, scene, serve_scene
from tests.trials import share

__all__ = ["scene"]
pytestmark = pytest.mark.integration

UPLOAD = "/v1/audio/transcriptions"


@pytest.fixture(autouse=True)
async def unharmed(scene: Scene) -> AsyncIterator[None]:
    """Whatever a test did, a good call is answered afterwards."""
    yield
    assert (await scene.call("GET", "/v1/status"))["says"]


async def test_a_foreign_host_is_refused(scene: Scene) -> None:
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    port = scene.port
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1:1", f"127.0.0.1.nip.io:{port}"):
        answer = await get(scene, host=host, authorization=bearer(scene.served.token))
        assert code(answer) == (421, "foreign_host")
        head = f"GET /v1/events HTTP/1.1\r\n{upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        told = await raw(scene, head, credentials=True, host=host)
        assert b" 421 " in told
        assert b"foreign_host" in told


async def test_a_foreign_origin_is_refused(scene: Scene) -> None:
    evil = {"origin": "https://evil.example"}
    answer = await scene.http.post("/v1/stop", headers=evil)
    assert code(answer) == (403, "foreign_origin")
    assert "access-control-allow-origin" not in answer.headers
    read = await scene.http.get("/v1/status", headers=evil)
    assert "access-control-allow-origin" not in read.headers
    preflight = await scene.http.options(
        "/v1/stop", headers={**evil, "access-control-request-method": "POST"}
    )
    assert code(preflight) == (403, "foreign_origin")
    for path in ("/v1/events", "/ws/transcribe", "/ws/microphone"):
        with pytest.raises(InvalidStatus) as refused:
            async with scene.socket(path, origin="https://evil.example"):
                pass
        assert refused.value.response.status_code == 403
        assert json.loads(refused.value.response.body)["error"]["code"] == "foreign_origin"


async def test_configured_origins_may_call(scene: Scene) -> None:
    vite = {"origin": "http://localhost:5173"}
    answer = await scene.http.get("/v1/status", headers=vite)
    assert answer.headers["access-control-allow-origin"] == vite["origin"]
    assert answer.headers["access-control-allow-credentials"] == "true"
    preflight = await scene.http.options(
        "/v1/stop",
        headers={
            **vite, "access-control-request-method": "POST", "access-control-request-headers": "content-type",
        },
    )  # fmt: skip
    assert preflight.status_code == 200
    async with scene.anyone as client:
        refused = await client.post("/v1/stop", headers=vite)
    assert code(refused) == (401, "no_credentials")
    assert refused.headers["access-control-allow-origin"] == vite["origin"]


async def test_paths_lead_nowhere_else(scene: Scene) -> None:
    for path in ("/page/../config.py", "/page/%2e%2e/config.py", "/page//etc/passwd", "/../../etc/passwd"):
        answer = await raw(scene, f"GET {path} HTTP/1.1\r\n")
        assert answer.split(b" ")[1] in (b"401", b"404")
        assert b"root:" not in answer


async def test_a_gigabyte_is_refused_before_it_is_sent(scene: Scene) -> None:
    post = f"POST {UPLOAD} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    head = f"{post}Content-Length: {1 << 30}\r\n"
    answer = await raw(scene, head, credentials=True)
    assert b" 413 " in answer
    assert b"body_too_large" in answer
    assert b"connection: close" in answer.lower()
    large = {"text": "x" * (300 << 10)}
    await scene.refused("POST", "/v1/chat/message", 413, "body_too_large", json=large)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(400):
            yield b"x" * 1024

    await scene.refused("POST", "/v1/chat/message", 413, "body_too_large", content=endless())
    answer = await raw(scene, f"POST {UPLOAD} HTTP/1.1\r\nContent-Length: 12\r\nContent-Length: 99\r\n", True)
    assert b" 400 " in answer


async def raw(scene: Scene, head: str, credentials: bool = False, body: bytes = b"", host: str = "") -> bytes:
    """What a hand-written request is answered with, to the end of the connection or a pause."""
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.port)
    token = f"Authorization: Bearer {scene.served.token}\r\n" if credentials else ""
    host = host or f"127.0.0.1:{scene.port}"
    writer.write(f"{head}Host: {host}\r\n{token}\r\n".encode() + body)
    answer = b""
    try:
        async with asyncio.timeout(LIMIT_S):
            while b"}" not in answer and b"Invalid" not in answer and (part := await reader.read(65536)):
                answer += part
    finally:
        writer.close()
    return answer


async def test_a_slow_body_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve_scene(tmp_path, monkeypatch, body_timeout_s=0.3) as scene:
        head = "POST /v1/chat/message HTTP/1.1\r\nContent-Length: 40\r\nContent-Type: application/json\r\n"
        answer = await raw(scene, head, credentials=True, body=b'{"text":')
        assert b" 408 " in answer
        assert b"body_too_slow" in answer
        # Meanwhile, and afterwards, others are served.
        assert await scene.call("GET", "/healthz") == {"ok": True}


async def test_a_slow_head_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve_scene(tmp_path, monkeypatch, header_timeout_s=0.3) as scene:
        whole = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{scene.port}\r\n\r\n".encode()
        for former in (b"", whole):
            # Also the second request of a connection, and a drop now and then.
            reader, writer = await asyncio.open_connection("127.0.0.1", scene.port)
            writer.write(former)
            if former:
                assert await asyncio.wait_for(reader.readuntil(b'{"ok":true}'), LIMIT_S)

            async def drip(sink: asyncio.StreamWriter = writer) -> None:
                for part in [b"GET / HTTP/1.1\r\n", *[b"x: y\r\n"] * 100]:
                    sink.write(part)
                    await asyncio.sleep(0.05)

            dripping = asyncio.create_task(drip())
            # What is still being sent when the server closes may end in a reset: the answer came before it.
            assert await asyncio.wait_for(reader.readuntil(b"head_too_slow"), LIMIT_S)
            dripping.cancel()
            writer.close()
        assert await scene.call("GET", "/healthz") == {"ok": True}
        # A connection that is only open, and a WebSocket, go on.
        async with scene.socket("/v1/events") as socket:
            await asyncio.sleep(0.5)
            await scene.typed("hello")
            assert json.loads(await asyncio.wait_for(socket.recv(), LIMIT_S))["event"] == "Hello"


async def test_malformed_calls_are_refused(scene: Scene) -> None:
    message = "/v1/chat/message"
    bodies = [b"{", b"[]", b"null", b'{"text": 1}', b'{"text": ""}', b'{"text": "   "}', b"\xff\xfe"]
    bodies += [b'{"text": "x", "more": 1}', b'{"text": "' + b"x" * 3000 + b'"}']
    headers = {"content-type": "application/json"}
    for body in bodies:
        error = await scene.refused("POST", message, 422, "not_understood", content=body, headers=headers)
        assert "Traceback" not in json.dumps(error)
    deep = b"[" * 100_000
    await scene.refused("POST", message, 400, "bad_request", content=deep, headers=headers)
    for path in (
        "/v1/history?limit=0",
        "/v1/history?limit=1000000",
        "/v1/history/x",
        "/v1/history?before=-1",
    ):
        await scene.refused("GET", path, 422, "not_understood")
    await scene.refused("GET", "/v1/nothing", 404, "not_found")
    await scene.refused("PUT", "/v1/status", 405, "method_not_allowed")
    answer = await scene.http.get("/v1/nothing", headers={"x-request-id": "my-own.id"})
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"] == "my-own.id"
    answer = await scene.http.get("/v1/nothing", headers={"x-request-id": "no id\t<script>"})
    assert "script" not in answer.headers["x-request-id"]


async def test_what_is_no_sound_is_refused(scene: Scene) -> None:
    playlist = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"
    for content in (playlist, b"#!/bin/sh\n", b""):
        files = {"file": ("a.wav", content)}
        await scene.refused("POST", "/v1/voice/process", 415, "unreadable_sound", files=files)


async def test_ten_thousand_rapid_calls_leave_it_unharmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve_scene(tmp_path, monkeypatch, rate_per_s=5, burst=20) as scene:
        token = await scene.token("read")
        calls, connections = len(share(range(10_000), 1)), 10
        host = f"Host: 127.0.0.1:{scene.port}\r\n"
        one = f"GET /v1/status HTTP/1.1\r\n{host}Authorization: {bearer(token)}\r\n\r\n"
        seen: Counter[bytes] = Counter()

        async def hammer() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", scene.port)
            for _ in range(calls // connections // 100):
                writer.write(one.encode() * 100)
                answered = 0
                while answered < 100:
                    line = await asyncio.wait_for(reader.readline(), LIMIT_S)
                    # An answer's body has no line's end: the next answer stands right behind it.
                    if (at := line.find(b"HTTP/1.1 ")) >= 0:
                        seen[line[at + 9 : at + 12]] += 1
                        answered += 1
            writer.close()

        await asyncio.gather(*(hammer() for _ in range(connections)))
        assert seen.keys() == {b"200", b"429"}
        assert seen[b"429"] > 5 * seen[b"200"]
        assert seen.total() == calls
        # Another client has its own share.
        assert (await scene.call("GET", "/v1/status"))["says"]


async def test_connections_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve_scene(tmp_path, monkeypatch, max_connections=4) as scene:
        sockets = [await scene.socket("/v1/events") for _ in range(4)]
        with pytest.raises(InvalidStatus) as refused:
            await scene.socket("/v1/events")
        assert refused.value.response.status_code == 503
        for socket in sockets:
            await frames(socket, 1)
            await socket.close()
        async with asyncio.timeout(LIMIT_S):
            while True:
                try:
                    async with scene.socket("/v1/events") as again:
                        assert (await frames(again, 1))[0]["event"] == "Hello"
                    break
                except InvalidStatus:
                    await asyncio.sleep(0.05)


async def test_nothing_of_a_fault_is_told(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
        raise RuntimeError("the secret sentence")

    keeper = Doorkeeper(Tokens("0" * 32), 7777)
    gate = Gate(broken, rules(ServerSettings(), keeper, 7777, Measures()))
    transport = httpx.ASGITransport(gate)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7777") as client:
        answer = await client.get("/v1/status", headers={"authorization": bearer(keeper.page_token)})
    assert code(answer) == (500, "internal_error")
    assert "RuntimeError" in caplog.text
    assert "secret" not in answer.text + caplog.text
    keeper.close()
