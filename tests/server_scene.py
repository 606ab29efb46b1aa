"""A real server on this machine over a pipeline, for the tests of the server."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import soundfile
from websockets.asyncio.client import ClientConnection, connect

from mybro import events as ev
from mybro.config import Settings
from mybro.intent import Action, Intent
from mybro.journal import Journal
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.ports import Stages
from mybro.pipeline.serving import Server, server
from mybro.pipeline.session import Session
from mybro.server import sound
from mybro.server.auth import PASSWORD_NAME, hash_of
from mybro.server.runner import Served
from mybro.server.stream import EventStream
from mybro.transcribe.service import Transcription
from tests.audio_tools import Pcm
from tests.fakes.desk import MemoryKeychain, keychain_in_memory
from tests.fakes.pipeline import RUN_TESTS, FakeBrain, FakeExecutor

LIMIT_S = 60


@dataclass(frozen=True)
class _Session:
    """What a server needs of a session."""

    pipeline: Pipeline
    brain: FakeBrain
    transcription: Transcription | None
    journal: Journal
    repo: Path


@dataclass(frozen=True)
class Scene:
    """A pipeline with a scripted brain and executor, a real journal, and a real server."""

    pipeline: Pipeline
    brain: FakeBrain
    executor: FakeExecutor
    server: Server
    served: Served
    http: httpx.AsyncClient
    """Has the page's token."""
    keychain: MemoryKeychain

    @property
    def port(self) -> int:
        return int(self.served.url.rpartition(":")[2])

    @property
    def anyone(self) -> httpx.AsyncClient:
        """A client without credentials; closes with its first use as a context."""
        return httpx.AsyncClient(base_url=self.served.url, timeout=LIMIT_S)

    async def call(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """The JSON that a call is answered with."""
        answer = await self.http.request(method, path, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def refused(self, method: str, path: str, status: int, code: str, **more: Any) -> dict[str, Any]:
        """The error that a call is refused with."""
        error: dict[str, Any] = (await self.call(method, path, status, **more))["error"]
        assert error["code"] == code
        assert error["message"]
        assert error["request_id"]
        return error

    def socket(self, path: str, token: str | None = None, **more: Any) -> connect:
        """A WebSocket, to be entered."""
        headers = {"Authorization": f"Bearer {token or self.served.token}"}
        return connect(
            self.served.url.replace("http", "ws") + path,
            additional_headers=headers,
            open_timeout=LIMIT_S,
            **more,
        )

    async def token(self, scope: str) -> str:
        made = await self.call("POST", "/v1/tokens", 201, json={"scope": scope, "days": 1})
        return str(made["token"])

    async def typed(self, text: str) -> None:
        await self.pipeline.post(ev.Typed(self.pipeline.next_turn(), text))

    async def job(self) -> int:
        """A job at work."""
        await self.typed("run the tests")
        await asyncio.wait_for(self.executor.started.wait(), LIMIT_S)
        return next(iter(self.executor.running))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def bearer(token: str) -> str:
    return f"Bearer {token}"


async def get(scene: Scene, path: str = "/v1/status", **headers: str) -> httpx.Response:
    async with scene.anyone as client:
        return await client.get(path, headers=headers)


def encoded(pcm: Pcm, kind: str) -> bytes:
    """A recording in a container, as browsers and phones make them."""
    import av

    if kind in ("wav", "flac", "ogg"):
        file = io.BytesIO()
        soundfile.write(file, pcm, 16_000, format=kind.upper())
        return file.getvalue()
    if kind == "mp3":
        return sound.encode(pcm.tobytes(), 16_000, "mp3")
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        stream: Any = container.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(stream.format.name, "mono", 48_000, frame_size=stream.frame_size)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()


async def frames(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    """The next frames, as objects."""
    async with asyncio.timeout(LIMIT_S):
        return [json.loads(await socket.recv()) for _ in range(count)]


async def until(socket: ClientConnection, name: str) -> list[dict[str, Any]]:
    """The frames up to the first event of this name."""
    seen: list[dict[str, Any]] = []
    async with asyncio.timeout(LIMIT_S):
        while not seen or seen[-1].get("event") != name:
            seen.append(json.loads(await socket.recv()))
    return seen


@contextlib.asynccontextmanager
async def serve_scene(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    ears: bool = False,
    kept: int | None = None,
    password: str = "",
    **settings: Any,
) -> AsyncIterator[Scene]:
    """A scene; `settings` are those of the server.

    With `ears` a real recogniser listens; `kept` is how many events the stream keeps; `password` is in the
    keychain.
    """
    monkeypatch.setenv("MYBRO_DATA_DIR", str(place / "data"))
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(place / "config.toml"))
    chosen = Settings.model_validate(
        {
            "server": {"port": 0, "logs_port": 0, "rate_per_s": 10_000, "burst": 10_000, **settings},
            "transcribe": {"backend": "faster-whisper", "model": "tiny.en"},
            "speak": {"backend": "espeak"},
        }
    )
    undo = Intent(kind="control", action=Action.UNDO, text="undo that")
    brain = FakeBrain({"run the tests": RUN_TESTS, "undo that": undo})
    async with contextlib.AsyncExitStack() as stack:
        keychain = stack.enter_context(keychain_in_memory())
        if password:
            keychain.kept["mybro", PASSWORD_NAME] = hash_of(password)
        prepared = await stack.enter_async_context(server(chosen))
        if kept is not None:
            prepared.stream = EventStream(events=kept)
        pipeline = Pipeline(watchers=(prepared.watch,))
        executor = FakeExecutor(pipeline.post)
        journal = await Journal.open()
        stack.push_async_callback(journal.aclose)
        await journal.begin(place)
        think = prepared.think(cast("Any", brain))
        transcription = Transcription(chosen.transcribe) if ears else None
        pipeline.attach(Stages(think, transcription, executor, journal=journal))
        await stack.enter_async_context(pipeline)
        if transcription is not None:
            await transcription.start()
        session = cast("Session", _Session(pipeline, brain, transcription, journal, place))
        served = await stack.enter_async_context(prepared.serve(session))
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=served.url,
                headers={"Authorization": f"Bearer {served.token}"},
                timeout=LIMIT_S,
                verify=settings.get("tls_cert") is None,
            )
        )
        yield Scene(pipeline, brain, executor, prepared, served, http, keychain)


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    async with serve_scene(tmp_path, monkeypatch) as made:
        yield made
