"""The hand that lets the user's own Claude Code CLI do tasks and answer questions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from mybro.clock import Clock
from mybro.config import ExecutorSettings, data_dir
from mybro.events import Answered, Outcome
from mybro.executor.claude import faults, prompts
from mybro.executor.claude.process import environment
from mybro.executor.claude.questions import Questions
from mybro.executor.claude.session import Session, Setup
from mybro.executor.claude.status import find_claude
from mybro.executor.claude.store import FileSessionStore, SessionStore
from mybro.executor.claude.work import Work
from mybro.executor.hand import Job, Report
from mybro.intent import Intent

_MAX_WARM = 3
"""Repositories with a process at the same time; each takes some 200 MB."""


class ClaudeHand:
    """One session to a repository, kept warm, resumed after a restart."""

    def __init__(
        self,
        settings: ExecutorSettings,
        clock: Clock,
        *,
        env: Mapping[str, str] | None = None,
        store: SessionStore | None = None,
        trusts: Callable[[Path], bool] = lambda _: False,
    ) -> None:
        """`env` is the environment to start from (default: this process's own); `store` keeps session ids
        (default: files in the data directory); `trusts` says whether a repository's own hooks, settings and
        tool servers may run.
        """
        self._settings = settings
        self._clock = clock
        self._env = env
        self._store = store or FileSessionStore(data_dir() / "sessions")
        self._trusts = trusts
        self._sessions: dict[Path, Session] = {}
        self._always: dict[Path, set[str]] = {}
        self._work: Work | None = None
        self._task: asyncio.Task[Outcome] | None = None

    def handles(self, intent: Intent) -> bool:
        """Everything but control: what no other hand can do is put to the session in the person's words."""
        return intent.kind != "control"

    async def prewarm(self, repo: Path) -> None:
        """Start the repository's process, so that a command meets a warm one. Raises `ExecutorError`."""
        await (await self._session(repo)).warm()

    async def run(self, job: Job, report: Report) -> Outcome:
        """Do the job. Raises `TurnError` (an `ExecutorError`), whose `outcome` tells what it cost."""
        task = self._task = asyncio.create_task(self._run(job, report))
        try:
            return await task
        finally:
            self._task = None

    async def stop(self) -> None:
        """End the running job: its turn is interrupted, every process that it started is dead."""
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def answer(self, answer: Answered) -> None:
        """Pass on an answer; ignored where its question is no longer open."""
        if self._work is not None:
            self._work.questions.answer(answer)

    async def aclose(self) -> None:
        """End every session's process, within about a second; the sessions can be resumed."""
        await self.stop()
        sessions, self._sessions = self._sessions, {}
        await asyncio.gather(*(session.aclose() for session in sessions.values()))

    async def _run(self, job: Job, report: Report) -> Outcome:
        session = await self._session(job.repo)
        questions = Questions(job, report, self._clock, self._settings.permission_timeout_s)
        always = self._always.setdefault(job.repo, set())
        self._work = Work(job, report, session, questions, always)
        try:
            return await self._work.run()
        finally:
            self._work = None

    async def _session(self, repo: Path) -> Session:
        session = self._sessions.pop(repo, None) or self._new_session(repo)
        self._sessions[repo] = session  # the latest last
        while len(self._sessions) > _MAX_WARM:
            oldest = next(iter(self._sessions))
            await self._sessions.pop(oldest).aclose()
        return session

    def _new_session(self, repo: Path) -> Session:
        program = find_claude(self._settings, self._env)
        if program is None:
            raise faults.missing(self._settings.claude_path or "claude")
        trusted = self._trusts(repo)
        setup = Setup(
            program=program,
            env=environment(self._env),
            system_prompt=prompts.system_prompt(repo, trusted),
            model=self._settings.model,
            trusted=trusted,
            budget_usd=self._settings.budget_usd,
            tool_silence_s=self._settings.turn_timeout_s,
        )
        return Session(repo, setup, self._clock, self._store)
