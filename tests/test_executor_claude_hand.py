"""The real CLI, warm, against a scripted model: work, questions, stop, resume, cost."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from mybro.clock import Clock, MonotonicClock
from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import (
    Answered,
    Choice,
    Event,
    JobAsked,
    JobProgressed,
    Outcome,
    QuestionWithdrawn,
)
from mybro.executor.claude.hand import ClaudeHand
from mybro.executor.claude.store import FileSessionStore
from mybro.executor.hand import Job
from mybro.intent import Intent, Kind
from tests.claude_api import ScriptedServer, bash, text, tool, write
from tests.fakes.ops import silent, writers

pytest_plugins = ["tests.claude_fixtures"]
pytestmark = pytest.mark.integration

numbers = itertools.count(1)


class Desk:
    """A hand, a repository, and a person who answers as told."""

    def __init__(
        self, settings: ExecutorSettings, env: dict[str, str], repo: Path, folder: Path, clock: Clock
    ) -> None:
        self.settings, self.env, self.repo, self.folder, self.clock = settings, env, repo, folder, clock
        self.events: list[Event] = []
        self.reply: Callable[[JobAsked], Awaitable[Answered | None]] = self.yes
        self.hand = self.new_hand()

    def new_hand(self) -> ClaudeHand:
        """What a restarted program has: the same files, a new hand."""
        store = FileSessionStore(self.folder / "sessions")
        return ClaudeHand(self.settings, self.clock, env=self.env, store=store)

    async def do(self, words: str, kind: Kind = "task") -> Outcome:
        intent = Intent(kind=kind, text=words)
        job = Job(next(numbers), 1, intent, self.repo, lambda: next(numbers))
        return await self.hand.run(job, self.report)

    async def report(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, JobAsked):
            answer = await self.reply(event)
            if answer is not None:
                await self.hand.answer(answer)

    async def yes(self, asked: JobAsked) -> Answered | None:
        return Answered(asked.question, yes=True)

    async def no(self, asked: JobAsked) -> Answered | None:
        return Answered(asked.question, yes=False)

    async def nothing(self, asked: JobAsked) -> Answered | None:
        return None

    def asked(self) -> list[JobAsked]:
        return [event for event in self.events if isinstance(event, JobAsked)]

    def steps(self) -> list[str]:
        return [e.text for e in self.events if isinstance(e, JobProgressed) and e.kind == "step"]


@pytest.fixture
def settings(claude_bin: str) -> ExecutorSettings:
    return ExecutorSettings(claude_path=claude_bin)


@pytest.fixture
async def desk(
    settings: ExecutorSettings, claude_env: dict[str, str], claude_repo: Path, tmp_path: Path
) -> AsyncIterator[Desk]:
    desk = Desk(settings, claude_env, claude_repo, tmp_path, MonotonicClock())
    yield desk
    await desk.hand.aclose()
    await desk.hand.aclose()


async def test_a_prompt_becomes_a_file(desk: Desk, claude_api: ScriptedServer) -> None:
    file = desk.repo / "hello.py"
    claude_api.when(
        "hello world",
        [write(file, "print('hello')\n", say="I will write it."), text("I wrote **hello.py**. It greets.")],
    )
    await desk.hand.prewarm(desk.repo)
    outcome = await desk.do("write a hello world")
    assert file.read_text() == "print('hello')\n"
    assert outcome == Outcome(
        "I wrote hello.py. It greets.", detail="I wrote **hello.py**. It greets.", changed=("hello.py",),
        cost_usd=outcome.cost_usd, input_tokens=2000, output_tokens=100, session=outcome.session,
    )  # fmt: skip
    assert outcome.session
    assert outcome.cost_usd == pytest.approx(0.01)
    assert desk.asked() == []
    assert desk.steps() == ["writing hello.py"]
    words = "".join(e.text for e in desk.events if isinstance(e, JobProgressed) and e.kind == "words")
    assert words == "I will write it.I wrote **hello.py**. It greets."
    assert "dictated speech" in claude_api.requests[0].system
    assert claude_api.elsewhere == []
