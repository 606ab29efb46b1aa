"""Fixtures for tests of jobs in real git repositories: `pytest_plugins = ["tests.executor_tools"]`."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mybro.config import ExecutorSettings
from mybro.events import Answered, Event, JobAsked, JobProgressed, Outcome, QuestionWithdrawn
from mybro.executor.hand import Job
from mybro.executor.local import LocalHand
from mybro.intent import Action, Arguments, Intent
from tests.fakes.executor import git

_SAID = {
    Action.LINT: "check the code style", Action.FORMAT: "format the code", Action.COMMIT: "commit",
}  # fmt: skip


def write(repo: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text(text)


def new_repository(repo: Path, files: dict[str, str] | None = None) -> Path:
    """A git repository with one commit, or, without files, with none."""
    repo.mkdir(parents=True)
    git(repo, "init", "-q", "-b", "main")
    for name, value in (("user.name", "T"), ("user.email", "t@localhost"), ("commit.gpgsign", "false")):
        git(repo, "config", name, value)
    if files:
        write(repo, files)
        git(repo, "add", ".")
        git(repo, "commit", "-q", "-m", "Begin")
    return repo


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of this machine's configuration for the commands that a hand runs; returns a folder that
    is first on their PATH.
    """
    for name in list(os.environ):
        if name.startswith(("GIT_", "ANTHROPIC_", "CLAUDE", "GH_", "GITHUB_", "npm_")) or name in (
            "VIRTUAL_ENV", "PYTHONPATH", "OPENAI_API_KEY", "PYTEST_ADDOPTS",
        ):  # fmt: skip
            monkeypatch.delenv(name)
    for name in ("home", "programs"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}:{os.environ['PATH']}")
    return tmp_path / "programs"


@pytest.fixture
def repo(tmp_path: Path, bare_machine: Path) -> Path:
    """A repository with one commit of one Python file."""
    return new_repository(tmp_path / "shop", {"shop.py": "def price(item):\n    return item\n"})


@pytest.fixture
def stand_in(bare_machine: Path) -> Callable[[str, str], None]:
    """Puts a shell script on PATH under a program's name, where the program itself would take minutes."""

    def put(name: str, script: str) -> None:
        (bare_machine / name).write_text(f"#!/bin/sh\n{script}\n")
        (bare_machine / name).chmod(0o755)

    return put


def label(text: str) -> Callable[[JobAsked], Answered]:
    """The person who always chooses this."""
    return lambda asked: Answered(asked.question, yes=True, choice=text)


def refuse(asked: JobAsked) -> Answered:
    return Answered(asked.question, yes=False)


class Local:
    """A hand for a repository, with somebody who answers its questions."""

    def __init__(self, repo: Path, settings: ExecutorSettings | None = None) -> None:
        self.repo = repo
        self.hand = LocalHand(settings or ExecutorSettings())
        self.events: list[Event] = []
        self.reply: Callable[[JobAsked], Answered] | None = None
        self.happened = asyncio.Event()
        self._numbers = itertools.count(1)

    async def report(self, event: Event) -> None:
        self.events.append(event)
        self.happened.set()
        if isinstance(event, JobAsked) and self.reply is not None:
            await self.hand.answer(self.reply(event))

    async def do(self, action: Action, text: str = "", target: str | None = None, **said: object) -> Outcome:
        intent = Intent(
            kind="local", action=action, text=text or _SAID.get(action, action.value), target=target,
            arguments=Arguments.model_validate(said),
        )  # fmt: skip
        return await self.hand.run(self.job(intent), self.report)

    def job(self, intent: Intent) -> Job:
        number = next(self._numbers)
        return Job(number, number, intent, self.repo, lambda: next(self._numbers))

    async def until(self, wanted: Callable[[Event], bool]) -> None:
        async with asyncio.timeout(30):
            while not any(map(wanted, self.events)):
                self.happened.clear()
                await self.happened.wait()

    async def another_question(self) -> None:
        known = len(self.asked)
        await self.until(lambda _: len(self.asked) > known)

    @property
    def asked(self) -> list[JobAsked]:
        return [event for event in self.events if isinstance(event, JobAsked)]

    @property
    def withdrawn(self) -> list[int]:
        return [event.question for event in self.events if isinstance(event, QuestionWithdrawn)]

    @property
    def output(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, JobProgressed)]


@pytest.fixture
def local(repo: Path) -> Local:
    return Local(repo)
