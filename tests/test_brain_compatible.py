"""An OpenAI-compatible server as the brain's language model: real HTTP against a scripted one."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from mybro.brain.brain import Brain
from mybro.clock import MonotonicClock
from mybro.config import BrainSettings
from mybro.errors import Problem
from mybro.intent import Action, Intent
from tests.fakes.brain import Bytes, Drops, Hangs, Says, Status, intent, model_server

pytestmark = pytest.mark.integration

SENTENCE = "the thing with the dates is kind of odd"
QUESTION = Says(intent("question", target="the dates"))


async def understand(url: str, text: str = SENTENCE, **settings: Any) -> tuple[Intent, list[str]]:
    """What a brain makes of a sentence, and the codes of the problems that it noted."""
    problems: list[Problem] = []
    options: dict[str, Any] = {"timeout_s": 20.0, "retries": 0, "openai_model": "llama", **settings}
    brain = Brain(
        BrainSettings(provider="openai", openai_base_url=f"{url}/v1/", **options),
        MonotonicClock(),
        note=problems.append,
    )
    try:
        return await brain.understand(text), [problem.code for problem in problems]
    finally:
        await brain.aclose()


async def test_a_structured_answer_becomes_an_intent() -> None:
    with model_server(QUESTION) as server:
        found, codes = await understand(server.url, openai_api_key=SecretStr("k-1"))
    assert (found.kind, found.target, found.source, codes) == ("question", "the dates", "openai", [])
    (request,) = server.requests
    assert request["model"] == "llama"
    assert request["response_format"]["type"] == "json_schema"
    assert server.headers[0]["authorization"] == "Bearer k-1"


async def test_a_server_of_ones_own_needs_no_key() -> None:
    with model_server(QUESTION) as server:
        await understand(server.url)
    assert "authorization" not in server.headers[0]


async def test_the_schema_is_given_up_for_json_and_json_for_words() -> None:
    refusal = Status(400, "response_format json_schema is not supported")
    other = Status(422, "response_format json_object is not supported")
    answer = Says(f"<think>A question, I guess {{}}</think>Here it is:\n```json\n{intent('question')}\n```")
    with model_server(refusal, other, answer) as server:
        found, codes = await understand(server.url)
    assert (found.kind, found.source, codes) == ("question", "openai", [])
    formats = [request.get("response_format", {}).get("type") for request in server.requests]
    assert formats == ["json_schema", "json_object", None]


async def test_a_sloppy_answer_is_taken_as_far_as_it_goes() -> None:
    sloppy = '{"kind": "control", "action": "test", "arguments": {"path": "", "mood": "good"}, "extra": 1}'
    with model_server(Says(sloppy)) as server:
        found, _ = await understand(server.url)
    assert (found.kind, found.action, found.arguments.path) == ("local", Action.TEST, None)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no idea",
        "[]",
        '{"kind": "verb"}',
        '{"kind": "local"}',
        "{" * 2000,
        '{"kind": "task", "confidence": 7}',
    ],
)
async def test_an_answer_without_an_intent_is_tried_once_more(answer: str) -> None:
    with model_server(Says(answer)) as server:
        found, codes = await understand(server.url)
    assert (found.kind, found.source, codes) == ("task", "fallback", ["bad_answer"])
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Status(401), "bad_key"),
        (Status(404, "model not found"), "unknown_model"),
        (Status(429), "model_busy"),
        (Status(503), "model_busy"),
        (Status(409), "model_failed"),
        (Says("", stop_reason="content_filter"), "refused"),
        (Drops(), "model_unreachable"),
        (Bytes(b"<html>hello</html>", "text/html"), "bad_answer"),
        (Bytes(b'{"choices": []}', "application/json"), "bad_answer"),
    ],
)
async def test_whatever_fails_the_sentence_is_read_plainly(reply: Any, code: str) -> None:
    with model_server(reply) as server:
        found, codes = await understand(server.url)
    assert (found.kind, found.source, codes) == ("task", "fallback", [code])


async def test_a_busy_server_is_asked_again() -> None:
    with model_server(Status(503), QUESTION) as server:
        found, codes = await understand(server.url, retries=1)
    assert (found.source, codes) == ("openai", [])


async def test_a_broken_connection_is_tried_again() -> None:
    with model_server(Drops(), QUESTION) as server:
        found, codes = await understand(server.url, retries=1)
    assert (found.source, codes) == ("openai", [])


async def test_a_server_that_hangs_is_given_up() -> None:
    with model_server(Hangs()) as server:
        found, codes = await understand(server.url, timeout_s=0.3)
    assert (found.source, codes) == ("fallback", ["model_timeout"])


async def test_nobody_listens_at_the_address() -> None:
    with model_server(QUESTION) as server:
        url = server.url
    found, codes = await understand(url)
    assert (found.source, codes) == ("fallback", ["model_unreachable"])


@pytest.mark.parametrize("url", ["not an address", "http://[::1", "ftp://127.0.0.1/x"])
async def test_an_address_that_is_none(url: str) -> None:
    found, codes = await understand(url)
    assert found.source == "fallback"
    assert codes in (["bad_address"], ["model_unreachable"])


async def test_an_unset_server_is_said() -> None:
    problems: list[Problem] = []
    brain = Brain(BrainSettings(provider="openai"), MonotonicClock(), note=problems.append)
    assert (await brain.understand(SENTENCE)).source == "fallback"
    assert (await brain.understand(SENTENCE)).source == "fallback"
    assert [problem.code for problem in problems] == ["no_model"]
    assert "openai_base_url" in problems[0].hint
