"""What to build with, answered without an agent: from a sentence to what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro.brain.brain import Brain
from mybro.clock import MonotonicClock
from mybro.config import BrainSettings, ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import Event
from mybro.executor.deciding import DecidingHand
from mybro.executor.hand import Job
from mybro.intent import Intent

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def no_rules_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(tmp_path / "settings" / "config.toml"))


async def silent(_: Event) -> None:
    raise AssertionError


def job(repo: Path, text: str) -> Job:
    return Job(1, 1, Intent(kind="question", text=text), repo, lambda: 1)


async def test_a_question_what_to_use_is_answered_from_the_rules(tmp_path: Path) -> None:
    brain = Brain(BrainSettings(provider="none"), MonotonicClock())
    hand = DecidingHand(ExecutorSettings(), tmp_path)
    intent = await brain.understand("What do we use for payments?")
    assert (intent.kind, intent.source, intent.risk) == ("question", "grammar", "read")
    assert hand.handles(intent)
    outcome = await hand.run(job(tmp_path, intent.text), silent)
    assert outcome.summary == "Stripe: card data never touches your servers."
    await brain.aclose()


async def test_the_repositorys_own_rule_comes_first(tmp_path: Path) -> None:
    rules = tmp_path / ".mybro" / "rules.toml"
    rules.parent.mkdir()
    rules.write_text('[[rule]]\nid = "payments"\nuse = ["Paddle"]\nwhy = "we chose it"\n')
    hand = DecidingHand(ExecutorSettings(), tmp_path)
    asked = job(tmp_path, "what do we use for payments")
    assert (await hand.run(asked, silent)).summary == "Paddle: we chose it."
    rules.write_text("[[rule]\n")
    assert not hand.handles(asked.intent)
    with pytest.raises(ExecutorError, match="nothing about that"):
        await hand.run(asked, silent)


def test_what_is_left_to_an_agent(tmp_path: Path) -> None:
    hand = DecidingHand(ExecutorSettings(), tmp_path)
    assert not hand.handles(Intent(kind="question", text="why do we use the parser"))
    assert not hand.handles(Intent(kind="task", text="what do we use for payments"))
    off = DecidingHand(ExecutorSettings(rules="off"), tmp_path)
    assert not off.handles(Intent(kind="question", text="what do we use for payments"))


async def test_a_hand_without_processes_ends_at_once(tmp_path: Path) -> None:
    hand = DecidingHand(ExecutorSettings(), tmp_path)
    assert await hand.stop() == ()
    await hand.aclose()
    await hand.aclose()
