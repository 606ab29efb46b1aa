"""Claude as the brain's language model: the real client against a scripted Messages API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pydantic import SecretStr

from mybro.brain.brain import Brain
from mybro.brain.dialog import Dialog
from mybro.clock import MonotonicClock
from mybro.config import BrainSettings
from mybro.errors import Problem
from mybro.intent import Action, Intent
from tests.fakes.brain import Bytes, Drops, Hangs, ModelServer, Says, Status, intent, model_server

pytestmark = pytest.mark.integration

SENTENCE = "the thing with the dates is kind of odd"
"""Matches no local rule, so that the model is asked."""
TASK = Says(intent("task", target="the date parser"))

Ask = Callable[..., Any]


class Noted:
    """A brain on a scripted server, and what it noted."""

    def __init__(self, server: ModelServer, **settings: Any) -> None:
        self.problems: list[Problem] = []
        options: dict[str, Any] = {"timeout_s": 20.0, "retries": 0, **settings}
        self.brain = Brain(
            BrainSettings(
                provider="claude",
                anthropic_api_key=SecretStr("sk-test"),
                anthropic_base_url=server.url,
                **options,
            ),
            MonotonicClock(),
            note=self.problems.append,
        )

    @property
    def codes(self) -> list[str]:
        return [problem.code for problem in self.problems]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    made: list[Noted] = []

    async def ask(server: ModelServer, *, text: str = SENTENCE, **settings: Any) -> tuple[Intent, Noted]:
        noted = Noted(server, **settings)
        made.append(noted)
        return await noted.brain.understand(text, Dialog()), noted

    yield ask
    for noted in made:
        await noted.brain.aclose()


async def test_a_structured_answer_becomes_an_intent(ask: Ask) -> None:
    with model_server(TASK) as server:
        found, noted = await ask(server)
    assert (found.kind, found.target, found.source, found.text) == (
        "task",
        "the date parser",
        "claude",
        SENTENCE,
    )
    assert noted.problems == []


async def test_the_request_asks_for_the_schema_and_caches_the_prompt(ask: Ask) -> None:
    with model_server(TASK) as server:
        await ask(server, effort="medium", model="claude-haiku-5-5")
    (request,) = server.requests
    assert request["model"] == "claude-haiku-5-5"
    assert request["stream"] is True
    assert request["output_config"]["effort"] == "medium"
    schema = request["output_config"]["format"]["schema"]
    assert schema["required"] == ["kind", "action", "arguments", "target", "risk", "confidence", "reply"]
    assert request["system"][0]["cache_control"]["type"] == "ephemeral"
    assert any("sk-test" in value for value in server.headers[0].values())


async def test_the_earlier_turns_are_given_to_the_model() -> None:
    with model_server(TASK) as server:
        noted = Noted(server)
        before = Intent(kind="task", text="add a parser for dates")
        dialog = Dialog().add(before.text, before, "Done, one file changed.")
        await noted.brain.understand(SENTENCE, dialog)
        await noted.brain.aclose()
    sent = server.requests[0]["messages"][0]["content"]
    assert "add a parser for dates" in sent
    assert "one file changed" in sent


async def test_a_local_command_asks_no_model(ask: Ask) -> None:
    with model_server(TASK) as server:
        found, _ = await ask(server, text="run the tests")
    assert found.action is Action.TEST
    assert server.requests == []


async def test_an_unsure_answer_goes_to_the_harder_model(ask: Ask) -> None:
    sure = Says(intent("question", confidence=0.95))
    with model_server(Says(intent("task", confidence=0.3)), sure) as server:
        found, _ = await ask(server)
    assert [request["model"] for request in server.requests] == ["claude-haiku-5-5", "claude-opus-5-5"]
    assert found.kind == "question"


async def test_an_unsure_answer_counts_where_the_harder_model_fails(ask: Ask) -> None:
    with model_server(Says(intent("question", confidence=0.3)), Status(500)) as server:
        found, noted = await ask(server)
    assert (found.kind, found.source) == ("question", "claude")
    assert noted.codes == ["model_busy"]


async def test_malformed_json_is_asked_again_of_the_harder_model(ask: Ask) -> None:
    with model_server(Says('{"kind": "tas'), TASK) as server:
        found, noted = await ask(server)
    assert found.source == "claude"
    assert noted.problems == []


async def test_an_answer_that_stays_malformed_is_noted_and_read_plainly(ask: Ask) -> None:
    with model_server(Says("I would call it a task.")) as server:
        found, noted = await ask(server)
    assert (found.kind, found.source) == ("task", "fallback")
    assert noted.codes == ["bad_answer"]
    assert len(server.requests) == 2


async def test_a_refusal_is_no_intent(ask: Ask) -> None:
    with model_server(Says("", stop_reason="refusal")) as server:
        found, noted = await ask(server)
    assert found.source == "fallback"
    assert noted.codes == ["refused"]


async def test_a_rate_limit_is_waited_out(ask: Ask) -> None:
    with model_server(Status(429, headers={"retry-after-ms": "10"}), TASK) as server:
        found, noted = await ask(server, retries=1)
    assert found.source == "claude"
    assert noted.problems == []


async def test_a_wrong_key_is_said_once_and_not_tried_again(ask: Ask) -> None:
    with model_server(Status(401, "invalid x-api-key")) as server:
        first, noted = await ask(server)
        second = await noted.brain.understand(SENTENCE)
    assert (first.source, second.source) == ("fallback", "fallback")
    assert noted.codes == ["bad_key"]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Status(404, "model: claude-nope"), "unknown_model"),
        (Status(529, "Overloaded"), "model_busy"),
        (Status(400, "Your credit balance is too low"), "no_credit"),
        (Status(418, "teapot"), "model_failed"),
        (Drops(), "model_unreachable"),
        (Bytes(b"<html>captive portal</html>", "text/html"), "model_failed"),
        (Bytes(b"event: message_start\ndata: {nonsense\n\n"), "model_failed"),
    ],
)
async def test_whatever_fails_the_sentence_is_read_plainly(ask: Ask, reply: Any, code: str) -> None:
    with model_server(reply) as server:
        found, noted = await ask(server)
    assert (found.kind, found.source) == ("task", "fallback")
    assert noted.codes == [code]
    assert SENTENCE not in "".join(problem.line() for problem in noted.problems)


async def test_a_model_that_hangs_is_left_alone_for_a_while(ask: Ask) -> None:
    with model_server(Hangs()) as server:
        found, noted = await ask(server, timeout_s=0.3)
        again = await noted.brain.understand(SENTENCE)
        assert (found.source, again.source) == ("fallback", "fallback")
        assert noted.codes == ["model_timeout"]
        assert len(server.requests) == 1


async def test_an_option_that_a_model_does_not_know_is_left_out(ask: Ask) -> None:
    refusal = Status(400, "output_config.effort: this model does not support effort")
    with model_server(refusal, TASK) as server:
        found, noted = await ask(server)
        await noted.brain.understand(SENTENCE)
    assert found.source == "claude"
    assert [("effort" in request["output_config"]) for request in server.requests] == [True, False, False]


async def test_a_model_cannot_talk_the_risk_down(ask: Ask) -> None:
    harmless = Says(intent("task", risk="read", target="the database"))
    with model_server(harmless) as server:
        found, _ = await ask(
            server, text="get that production database out of my sight, drop the whole database"
        )
    assert found.source == "claude"
    assert (found.risk, found.needs_confirmation) == ("destructive", True)


async def test_a_model_can_raise_the_risk(ask: Ask) -> None:
    with model_server(Says(intent("task", risk="destructive"))) as server:
        found, _ = await ask(server)
    assert (found.risk, found.needs_confirmation) == ("destructive", True)


async def test_the_address_of_the_environment_is_not_used(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    with model_server(TASK) as server, model_server(Status(500)) as other:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", other.url)
        found, _ = await ask(server)
        assert other.requests == []
    assert found.source == "claude"


async def test_warming_up_sends_nothing(ask: Ask) -> None:
    with model_server(TASK) as server:
        noted = Noted(server)
        await noted.brain.warm_up()
        assert server.requests == []
        await noted.brain.aclose()
        await noted.brain.aclose()
