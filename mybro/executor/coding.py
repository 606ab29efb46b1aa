"""What every coding hand has in common, whatever protocol its agent speaks: one session to a repository."""

from __future__ import annotations

import abc
import asyncio
import dataclasses
from pathlib import Path

from mybro.clock import Clock
from mybro.config import ExecutorSettings
from mybro.events import Answered, Outcome
from mybro.executor import rulings, strays
from mybro.executor.checkpoint.entry import Limits
from mybro.executor.checkpoint.git import Git
from mybro.executor.claude.questions import Questions
from mybro.executor.claude.work import CodingSession, Work
from mybro.executor.hand import Job, Report
from mybro.intent import Intent

_MAX_WARM = 3
"""Repositories with a process at the same time; each takes some 200 MB."""


class CodingHand(abc.ABC):
    """An agent does tasks and answers questions; its sessions are kept warm and survive a restart."""

    def __init__(self, settings: ExecutorSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._sessions: dict[Path, CodingSession] = {}
        self._always: dict[Path, set[str]] = {}
        self._work: Work | None = None
        self._questions: Questions | None = None
        self._task: asyncio.Task[Outcome] | None = None
        self._warned: set[Path] = set()

    @abc.abstractmethod
    def new_session(self, repo: Path) -> CodingSession:
        """A session that has no process yet. Raises `ExecutorError` where there is no agent."""

    def trusts(self, repo: Path) -> bool:
        """Whether the person lets the repository's own hooks, settings and tool servers run; a further
        working tree of it is trusted as it is.
        """
        git = Git.at(repo)
        top = git.main if git is not None else repo
        trusted = (Path(folder).expanduser().resolve() for folder in self._settings.trusted)
        return top.resolve() in trusted

    async def admit(self, job: Job, questions: Questions) -> None:  # noqa: B027 - most have nothing to ask
        """Ask what is to be asked before the agent may work at all. Raises `ExecutorError`."""

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

    async def stop(self) -> tuple[str, ...]:
        """End the running job: its turn is interrupted, every process that any job started is dead."""
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        families = [session.family for session in self._sessions.values()]
        ended = await asyncio.gather(*(strays.end(family) for family in families if family is not None))
        return tuple(name for names in ended for name in names)

    async def add(self, more: Job) -> bool:
        """Make something part of the running job; False where its agent takes nothing now."""
        return self._work is not None and await self._work.add(more)

    async def answer(self, answer: Answered) -> None:
        """Pass on an answer; ignored where its question is no longer open."""
        if self._questions is not None:
            self._questions.answer(answer)

    async def aclose(self) -> None:
        """End every session's process, within about a second; the sessions can be resumed."""
        await self.stop()
        sessions, self._sessions = self._sessions, {}
        await asyncio.gather(*(session.aclose() for session in sessions.values()))

    async def _run(self, job: Job, report: Report) -> Outcome:
        questions = Questions(job, report, self._settings.permission_timeout_s)
        self._questions = questions
        try:
            await self.admit(job, questions)
            session = await self._session(job.repo)
            always = self._always.setdefault(job.repo, set())
            settings = self._settings
            kept = Limits.of(settings)
            self._work = Work(job, report, session, questions, always, settings.rules, kept)
            return await self._with_warning(job.repo, await self._work.run())
        finally:
            self._work = self._questions = None

    async def _with_warning(self, repo: Path, outcome: Outcome) -> Outcome:
        """Once for each repository: that its rules cannot be read."""
        if self._settings.rules == "off" or repo in self._warned:
            return outcome
        trouble = await asyncio.to_thread(rulings.trouble, repo)
        if not trouble:
            return outcome
        self._warned.add(repo)
        summary = f"{outcome.summary} I worked without your rules, which cannot be read."
        return dataclasses.replace(outcome, summary=summary, detail=f"{outcome.detail}\n\n{trouble}")

    async def _session(self, repo: Path) -> CodingSession:
        session = self._sessions.pop(repo, None) or self.new_session(repo)
        self._sessions[repo] = session  # the latest last
        while len(self._sessions) > _MAX_WARM:
            oldest = next(iter(self._sessions))
            await self._sessions.pop(oldest).aclose()
        return session
