"""A whole session with the real CLI, typed to: what it says, how its jobs end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mybro import events as ev
from mybro.config import load_settings
from mybro.pipeline.session import Session, session
from tests.claude_fixtures import claude_api, claude_bin, claude_env
from tests.projects import shop

__all__ = ["claude_api", "claude_bin", "claude_env", "shop"]

SLOW = "import time, unittest\nclass Slow(unittest.TestCase):\n    def test(self):\n        time.sleep({})\n"
PATIENCE_S = 120
SILENCE_S = 10
"""What a model that hangs is given: also a busy machine starts the CLI within it."""


class Told:
    """Everything that a session told."""

    def __init__(self) -> None:
        self.events: list[ev.Event] = []

    def __call__(self, envelope: ev.Envelope) -> None:
        self.events.append(envelope.event)

    def said(self) -> str:
        return " ".join(event.text for event in self.events if isinstance(event, ev.SayStarted))

    def steps(self) -> str:
        return " ".join(event.text for event in self.events if isinstance(event, ev.JobProgressed))

    def end(self) -> ev.Event:
        """How the only job ended."""
        (end,) = (e for e in self.events if isinstance(e, ev.JobFinished | ev.JobFailed | ev.JobStopped))
        return end


@pytest.fixture
async def told() -> Told:
    return Told()


@pytest.fixture
def retries() -> str:
    """How often the CLI tries again what went wrong."""
    return "1"


@pytest.fixture
async def running(
    claude_bin: str, claude_env: dict[str, str], shop: Path, tmp_path: Path, told: Told, retries: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Session]:  # fmt: skip
    for name in list(os.environ):
        if name.startswith(("ANTHROPIC_", "CLAUDE", "MYBRO_", "GIT_", "OPENAI_")):
            monkeypatch.delenv(name)
    own = {"MYBRO_DATA_DIR": str(tmp_path / "data"), "MYBRO_CONFIG_FILE": str(tmp_path / "none.toml")}
    for name, value in {**claude_env, **own, "CLAUDE_CODE_MAX_RETRIES": retries}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(
        {
            "brain": {"provider": "none"}, "speak": {"backend": "none", "notify": False},
            "executor": {"claude_path": claude_bin, "turn_timeout_s": SILENCE_S},
        }
    )  # fmt: skip
    async with session(settings, shop, (told,), ears=False) as running:
        yield running


async def type_in(running: Session, words: str) -> None:
    await running.pipeline.post(ev.Typed(running.pipeline.next_turn(), words))


async def until(holds: Callable[[], object]) -> None:
    """Wait for what nothing tells of."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - as it says
            await asyncio.sleep(0.1)


async def do(running: Session, told: Told, words: str) -> ev.Event:
    """Type a sentence, wait for all that it sets in motion, and return how its job ended."""
    told.events.clear()
    await type_in(running, words)
    await running.pipeline.settled()
    assert running.pipeline.state.jobs == {}
    return told.end()
