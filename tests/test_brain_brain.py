"""The brain's order: the grammar, a language model, the plain reading; and where its key comes from."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType
from typing import Any

import pytest
from pydantic import SecretStr

from mybro.brain import keys
from mybro.brain.brain import REST_S, Brain
from mybro.brain.dialog import Dialog
from mybro.config import BrainSettings
from mybro.errors import Problem
from mybro.intent import Action
from tests.fakes.brain import Hangs, Says, Status, intent, model_server

pytestmark = pytest.mark.unit

SENTENCE = "the thing with the dates is kind of odd"


class HandClock:
    """Time that moves when the test says so; whoever sleeps wakes at once, or never."""

    def __init__(self, *, wakes: bool) -> None:
        self.time = 0.0
        self.wakes = wakes

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        if not self.wakes:
            await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def no_key_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", keychain(None))


def keychain(password: str | None, *, locked: bool = False) -> Any:
    """A keychain that holds one key."""
    module = ModuleType("keyring")

    def get_password(service: str, name: str) -> str | None:
        if locked:
            raise RuntimeError("locked")
        return password if (service, name) == ("mybro", "anthropic") else None

    module.get_password = get_password  # type: ignore[attr-defined]
    return module


async def test_without_a_model_a_sentence_is_a_task_or_a_question() -> None:
    brain = Brain(BrainSettings(provider="none"), HandClock(wakes=False))
    task = await brain.understand("add type hints to the parser module", Dialog())
    question = await brain.understand("why is the build failing", Dialog())
    assert (task.kind, task.source) == ("task", "fallback")
    assert (question.kind, question.source) == ("question", "fallback")
    await brain.aclose()


async def test_automatic_without_a_key_asks_nobody_and_says_nothing() -> None:
    problems: list[Problem] = []
    brain = Brain(BrainSettings(), HandClock(wakes=False), note=problems.append)
    assert (await brain.understand(SENTENCE)).source == "fallback"
    assert problems == []


async def test_automatic_takes_a_compatible_server_that_is_set() -> None:
    with model_server(Says(intent("question"))) as server:
        settings = BrainSettings(openai_base_url=server.url, openai_model="llama")
        brain = Brain(settings, HandClock(wakes=False))
        assert (await brain.understand(SENTENCE)).source == "openai"
        await brain.aclose()


async def test_a_chosen_provider_without_a_key_is_said_once() -> None:
    problems: list[Problem] = []
    brain = Brain(BrainSettings(provider="claude"), HandClock(wakes=False), note=problems.append)
    for _ in range(2):
        assert (await brain.understand(SENTENCE)).source == "fallback"
    assert [problem.code for problem in problems] == ["no_key"]
    assert "ANTHROPIC_API_KEY" in problems[0].hint


async def test_silence_asks_nobody() -> None:
    with model_server(Says(intent("task"))) as server:
        brain = Brain(BrainSettings(openai_base_url=server.url, openai_model="m"), HandClock(wakes=False))
        found = await brain.understand("  ...  ")
        assert (found.kind, found.confidence) == ("chat", 0.0)
        assert server.requests == []


async def test_the_injected_clock_bounds_the_wait() -> None:
    problems: list[Problem] = []
    with model_server(Hangs()) as server:
        settings = BrainSettings(openai_base_url=server.url, openai_model="m", timeout_s=600)
        brain = Brain(settings, HandClock(wakes=True), note=problems.append)
        assert (await brain.understand(SENTENCE)).source == "fallback"
        await brain.aclose()
    assert [problem.code for problem in problems] == ["model_timeout"]


async def test_a_model_out_of_reach_is_asked_again_after_a_rest() -> None:
    clock = HandClock(wakes=False)
    with model_server(Status(503), Says(intent("question"))) as server:
        settings = BrainSettings(openai_base_url=server.url, openai_model="m", retries=0)
        brain = Brain(settings, clock)
        assert (await brain.understand(SENTENCE)).source == "fallback"
        clock.time = REST_S - 1
        assert (await brain.understand(SENTENCE)).source == "fallback"
        assert len(server.requests) == 1
        clock.time = REST_S
        assert (await brain.understand(SENTENCE)).source == "openai"
        await brain.aclose()


async def test_a_closed_brain_still_knows_its_grammar() -> None:
    brain = Brain(BrainSettings(provider="none"), HandClock(wakes=False))
    await brain.warm_up()
    await brain.aclose()
    await brain.aclose()
    assert (await brain.understand("stop")).action is Action.STOP
    assert (await brain.understand(SENTENCE)).source == "fallback"


async def test_what_a_sentence_points_back_to_is_put_in() -> None:
    brain = Brain(BrainSettings(provider="none"), HandClock(wakes=False))
    first = await brain.understand("rename user id to account id")
    second = await brain.understand("find usages of it", Dialog().add(first.text, first))
    assert second.arguments.symbol == "account id"
    assert second.text == "find usages of account id"


def test_the_key_comes_from_the_settings_then_the_environment_then_the_keychain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert keys.anthropic(BrainSettings()) is None
    monkeypatch.setitem(sys.modules, "keyring", keychain("from the keychain"))
    assert keys.anthropic(BrainSettings()) == "from the keychain"
    monkeypatch.setenv("ANTHROPIC_API_KEY", "from the environment")
    assert keys.anthropic(BrainSettings()) == "from the environment"
    assert keys.anthropic(BrainSettings(anthropic_api_key=SecretStr("set"))) == "set"


def test_a_locked_or_missing_keychain_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", keychain(None, locked=True))
    assert keys.anthropic(BrainSettings()) is None
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert keys.anthropic(BrainSettings()) is None
