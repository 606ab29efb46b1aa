"""A transcription address: what is sent, what comes back, and what goes wrong, over real HTTP."""

from __future__ import annotations

import io
import socket
import wave
from collections.abc import Iterator

import pytest

from mybro.errors import TranscriptionError
from mybro.transcribe.openai_server import OpenAIServer
from mybro.transcribe.recogniser import Hints, Setup
from mybro.transcribe.service import Transcription
from tests.fakes.transcribe import Server, transcription_server
from tests.transcribe_scene import block, clip, settings, sound

pytestmark = pytest.mark.integration

SPEECH = sound(clip("01_piper_joe"))
LONG = {
    "text": " Run the tests. ",
    "language": "english",
    "segments": [{"no_speech_prob": 0.1, "avg_logprob": -0.2}, {"no_speech_prob": 0.3, "avg_logprob": -0.4}],
}


@pytest.fixture
def server() -> Iterator[Server]:
    with transcription_server() as running:
        yield running


def client(server: Server, key: str = "k3y", timeout_s: float = 20.0) -> OpenAIServer:
    made = OpenAIServer(
        Setup("openai", "whisper-x", base_url=server.address, api_key=key, timeout_s=timeout_s)
    )
    made.load()
    return made


def test_sound_prompt_and_language_reach_the_server_and_its_answer_comes_back(server: Server) -> None:
    server.says(LONG)
    heard = client(server).recognise(SPEECH, Hints("pytest", language=None))
    assert (heard.text, heard.language, heard.no_speech_probability) == ("Run the tests.", "en", 0.1)
    assert heard.average_logprob == pytest.approx(-0.3) and heard.timings_ms["server"] > 0
    (got,) = server.got
    assert (got.path, got.key) == ("/v1/audio/transcriptions", "Bearer k3y")
    assert got.fields == {
        "model": "whisper-x", "response_format": "verbose_json", "temperature": "0.0", "prompt": "pytest"
    }  # fmt: skip
    with wave.open(io.BytesIO(got.wav)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        assert file.getnframes() == len(SPEECH)


def test_a_server_without_the_long_form_is_asked_for_the_short_one_from_then_on(server: Server) -> None:
    server.says({"error": "unsupported"}, status=400)
    server.says({"text": "Undo that."})
    asking = client(server, key="")
    for _ in range(2):
        heard = asking.recognise(SPEECH, Hints(language="en"))
        assert (heard.text, heard.language, heard.average_logprob) == ("Undo that.", "en", 0.0)
    assert [got.fields["response_format"] for got in server.got] == ["verbose_json", "json", "json"]
    assert server.got[0].key == "" and server.got[0].fields["language"] == "en"


def test_a_busy_server_is_asked_again_after_the_time_it_wants(server: Server) -> None:
    server.says({}, status=429, Retry_After="0")
    server.says(LONG)
    assert client(server).recognise(SPEECH, Hints()).text == "Run the tests."
    assert len(server.got) == 2


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (401, "key_refused", False),
        (403, "key_refused", False),
        (404, "server_unknown", False),
        (413, "server_failed", False),
        (503, "server_failed", True),
    ],
)
def test_a_refusal_is_a_sentence_without_what_was_said(
    server: Server, status: int, code: str, retryable: bool
) -> None:
    server.says({"error": "you said SECRET"}, status=status, Retry_After="0")
    with pytest.raises(TranscriptionError) as refused:
        client(server).recognise(SPEECH, Hints())
    problem = refused.value.problem
    assert (problem.code, problem.retryable) == (code, retryable)
    assert "SECRET" not in f"{problem} {refused.value}"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"text": "a", "segments": [1]}'])
def test_an_answer_that_makes_no_sense_is_said(server: Server, body: bytes) -> None:
    server.says(body)
    with pytest.raises(TranscriptionError) as odd:
        client(server).recognise(SPEECH, Hints())
    assert odd.value.code == "server_answer_odd" and odd.value.retryable


def test_nobody_at_the_address_is_said() -> None:
    with socket.socket() as taken:
        # Bound, but nobody listens: no other process can take the port meanwhile.
        taken.bind(("127.0.0.1", 0))
        nobody = Server(f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        with pytest.raises(TranscriptionError) as unreachable:
            client(nobody).recognise(SPEECH, Hints())
    assert unreachable.value.code == "server_unreachable" and nobody.address in unreachable.value.hint


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("ftp://x/v1", "k3y"),
        ("api.groq.com/v1", "k3y"),
        ("http:///v1", "k3y"),
        ("http://[::1", "k3y"),
        ("http://x/v1", "schlüssel"),
    ],
)
def test_an_address_or_key_that_cannot_be_used_is_said(address: str, key: str) -> None:
    with pytest.raises(TranscriptionError) as bad:
        client(Server(address), key)
    assert bad.value.code == "bad_address" and key not in bad.value.message


async def test_the_whole_way_through_the_worker(server: Server) -> None:
    server.says(LONG)
    service = Transcription(
        settings(backend="openai", model="whisper-x", language="auto", openai_base_url=server.address)
    )
    try:
        await service.start()
        heard = await service.transcribe(3, 1, block("01_piper_joe"))
        assert heard and (heard.turn, heard.text, heard.model) == (3, "Run the tests.", "openai/whisper-x")
        assert "pytest" in server.got[0].fields["prompt"] and "language" not in server.got[0].fields
        server.answers.clear()
        server.says({}, status=401)
        with pytest.raises(TranscriptionError) as refused:
            await service.transcribe(4, 2, block("01_piper_joe"))
        assert refused.value.code == "key_refused" and service.ready
    finally:
        await service.aclose()
