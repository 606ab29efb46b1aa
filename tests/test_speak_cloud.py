"""Voices behind an address, against a server on this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr

from mybro.config import SpeakSettings
from mybro.errors import SpeakError
from mybro.speak import elevenlabs, openai
from mybro.speak.cloud import CloudVoice
from mybro.speak.speaker import choose

pytestmark = pytest.mark.integration

PCM = b"\1\0\2\0" * 3000


@dataclass
class Server:
    """Answers every request with `status` and `parts`, one after the other; keeps what it was asked."""

    url: str = ""
    status: int = 200
    parts: tuple[bytes, ...] = (PCM[:4001], PCM[4001:])
    hang: bool = False
    asked: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    serving: set[asyncio.Task[None]] = field(default_factory=set)

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def aclose(self) -> None:
        for task in self.serving:
            task.cancel()
        await asyncio.gather(*self.serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        self.asked.append((head[0], headers, body))
        writer.write(f"HTTP/1.1 {self.status} X\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for part in self.parts:
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)
        if self.hang:
            await reader.read()
            self.gone.set()
        else:
            writer.write(b"0\r\n\r\n")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    answers = Server()
    listening = await asyncio.start_server(answers.connected, "127.0.0.1", 0)
    answers.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield answers
    listening.close()
    await answers.aclose()
    await listening.wait_closed()


def voices(url: str, **more: Any) -> dict[str, CloudVoice]:
    """Both voices, at the server's address."""
    settings = SpeakSettings(
        openai_base_url=f"{url}/v1/", elevenlabs_base_url=url, elevenlabs_api_key=SecretStr("key-2"),
        openai_api_key=SecretStr("key-1"), voice="some/voice", **more,
    )  # fmt: skip
    return {"openai": openai.make(settings), "elevenlabs": elevenlabs.make(settings)}


async def spoken(voice: CloudVoice, text: str = "Running the tests.") -> list[bytes]:
    try:
        async with aclosing(voice.synthesize(text)) as chunks:
            return [chunk async for chunk in chunks]
    finally:
        await voice.aclose()


@pytest.mark.parametrize(
    ("name", "line", "key", "text_field", "rate"),
    [
        ("openai", "POST /v1/audio/speech HTTP/1.1", ("authorization", "Bearer key-1"), "input", 24_000),
        (
            "elevenlabs",
            "POST /v1/text-to-speech/some%2Fvoice/stream?output_format=pcm_22050 HTTP/1.1",
            ("xi-api-key", "key-2"),
            "text",
            22_050,
        ),
    ],
)
async def test_the_sound_streams_in_whole_samples(
    server: Server, name: str, line: str, key: tuple[str, str], text_field: str, rate: int
) -> None:
    voice = voices(server.url)[name]
    chunks = await spoken(voice)
    assert b"".join(chunks) == PCM and len(chunks) > 1
    assert all(len(chunk) % 2 == 0 for chunk in chunks) and voice.sample_rate == rate
    (request,) = server.asked
    assert request[0] == line and request[1][key[0]] == key[1]
    assert request[2][text_field] == "Running the tests."


@pytest.mark.parametrize("name", ["openai", "elevenlabs"])
@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "voice_key_refused"), (429, "voice_limited"), (400, "voice_failed"), (503, "voice_failed")],
)
async def test_a_refusal_is_a_readable_error_without_the_text(
    server: Server, name: str, status: int, code: str
) -> None:
    server.status = status
    with pytest.raises(SpeakError) as caught:
        await spoken(voices(server.url)[name], "secret words")
    assert caught.value.code == code and "secret" not in str(caught.value)
    assert caught.value.retryable == (status in (429, 503))


@pytest.mark.parametrize("name", ["openai", "elevenlabs"])
async def test_a_server_that_hangs_is_given_up(server: Server, name: str) -> None:
    server.hang = True
    with pytest.raises(SpeakError, match="did not answer in time"):
        await spoken(voices(server.url, timeout_s=0.3)[name])


async def test_breaking_off_hangs_up(server: Server) -> None:
    server.hang = True
    voice = voices(server.url)["openai"]
    chunks = voice.synthesize("Running the tests.")
    await anext(chunks)
    await chunks.aclose()
    await asyncio.wait_for(server.gone.wait(), 10)
    await voice.aclose()


async def test_nobody_at_the_address_is_a_readable_error() -> None:
    with pytest.raises(SpeakError, match="the speech server cannot be reached"):
        await spoken(voices("http://127.0.0.1:9")["openai"])


async def test_an_empty_text_asks_nobody(server: Server) -> None:
    assert await spoken(voices(server.url)["openai"], "") == []
    assert server.asked == []


async def test_a_server_that_answers_with_a_wav_is_understood(server: Server) -> None:
    head = b"RIFF\0\0\0\0WAVEfmt " + (16).to_bytes(4, "little") + b"\1\0\1\0"
    head += (16_000).to_bytes(4, "little") + bytes(6) + (16).to_bytes(2, "little") + b"data\0\0\0\0"
    server.parts = (head + PCM[:100], PCM[100:])
    voice = voices(server.url)["openai"]
    assert b"".join(await spoken(voice)) == PCM and voice.sample_rate == 16_000


async def test_the_key_in_the_environment_goes_to_openai_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
    monkeypatch.setattr(openai, "OPENAI", server.url)
    await spoken(openai.make(SpeakSettings(openai_base_url=server.url)))
    await spoken(openai.make(SpeakSettings()))
    sent = [headers.get("authorization") for _, headers, _ in server.asked]
    assert sent == [None, "Bearer from-the-environment"]


def test_no_cloud_voice_is_chosen_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    monkeypatch.setenv("ELEVENLABS_API_KEY", "x")
    monkeypatch.setenv("PATH", "")
    assert not isinstance(choose(SpeakSettings(voice="x.onnx")).speaker, CloudVoice)
    assert isinstance(choose(SpeakSettings(backend="openai")).speaker, CloudVoice)
