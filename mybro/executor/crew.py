"""Several agents of one repository: the first in the person's own working tree, each other one in its own."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mybro.config import data_dir
from mybro.errors import ExecutorError, MybroError
from mybro.events import (
    Answered,
    Event,
    JobFailed,
    JobFinished,
    JobQueued,
    JobStarted,
    JobStopped,
    Outcome,
    Swept,
)
from mybro.executor.hand import Report
from mybro.executor.jobs import Executor
from mybro.executor.signed import of_agent, signed
from mybro.executor.since import LastSpoken, moment
from mybro.executor.words import listed, listing_words
from mybro.executor.worktrees import Worktrees
from mybro.intent import Action, Intent
from mybro.naming import ORDINALS, agent_label, agent_name

MOST_AGENTS = 9
_MERGE = re.compile(
    r"(?:please\s+)?merge\s+(?:the\s+)?(?P<one>[\w-]+)\s+agent(?:['’]?s)?(?:\s+(?:work|changes|branch))?[.!]?"
    r"|(?:please\s+)?merge\s+the\s+(?:work|changes)\s+of\s+(?:the\s+)?(?P<other>[\w-]+)\s+agent[.!]?",
    re.IGNORECASE,
)

Build = Callable[[Path, Report, Iterator[int]], Executor]
"""Makes the executor of a working tree; the numbers are those of its questions."""


class Agent:
    """One of the crew."""

    def __init__(self, name: str) -> None:
        self.name = name
        """What it is called: "second", "parser"."""
        self.place: Path
        self.executor: Executor

    @property
    def label(self) -> str:
        return agent_label(self.name)


class Crew:
    """Gives each job to the agent that it is addressed to, or to the one in focus."""

    def __init__(self, repo: Path, emit: Report, build: Build) -> None:
        self._repo = repo
        self._emit = emit
        self._build = build
        # Odd numbers: the even ones are the state machine's own.
        self._questions = itertools.count(1, 2)
        self._agents: list[Agent] = []
        self._focus = self._latest = self._join(ORDINALS[0], repo)
        self._order = asyncio.Lock()
        """What is said first is handed over first: "second agent" counts those who were named before."""
        self._coming: dict[int, str | None] = {}
        """Jobs that are not handed over yet, and whom they are for: a stop reaches them here."""
        self._last = LastSpoken(repo, data_dir() / "spoken")
        self._spoken = self._last.load()
        """When the person last had something done, in seconds since 1970."""

    async def recover(self) -> list[str]:
        """Finish what a crash cut off in the person's own working tree; see `Executor.recover`."""
        return await self._agents[0].executor.recover()

    async def start(self, job_number: int, turn: int, intent: Intent) -> None:
        """Queue a job with its agent and return at once; see `Executor.start`."""
        self._coming[job_number] = intent.agent
        try:
            if intent.action is Action.CHANGES:
                await self._finish(job_number, turn, "looking at what changed", await self._changes(intent))
                return
            async with self._order:
                await self._note()
                if intent.action is Action.SWITCH_AGENT:
                    await self._finish(job_number, turn, "switching", self._switch(intent.arguments.name))
                elif intent.kind == "task" and (merge := _MERGE.fullmatch(intent.text.strip())):
                    await self._emit(JobStarted(job_number, turn, "merging"))
                    merged = await self._merge(merge["one"] or merge["other"])
                    await self._emit(JobFinished(job_number, merged))
                else:
                    await self._hand_over(job_number, turn, intent)
        except MybroError as error:
            await self._emit(JobFailed(job_number, error.problem))
        finally:
            self._coming.pop(job_number, None)

    async def add(self, job_number: int, turn: int, intent: Intent) -> None:
        """Make something part of what its agent does, who else does it next; see `Executor.add`."""
        self._coming[job_number] = intent.agent
        try:
            async with self._order:
                await self._note()
                await self._hand_over(job_number, turn, intent, adds=True)
        except MybroError as error:
            await self._emit(JobFailed(job_number, error.problem))
        finally:
            self._coming.pop(job_number, None)

    async def stop(self, job: int | None = None) -> None:
        """Stop one job, or all of every agent; what is still to be handed over is not begun."""
        for coming in list(self._coming) if job is None else [job]:
            self._coming.pop(coming, None)
        await asyncio.gather(*(agent.executor.stop(job) for agent in self._agents))

    async def sweep(self) -> tuple[str, ...]:
        """End what finished jobs of any agent left running; tells what it was."""
        ended = await asyncio.gather(*(agent.executor.sweep() for agent in self._agents))
        return tuple(name for names in ended for name in names)

    async def stop_agent(self, name: str) -> Swept:
        """Stop what one agent does, and what it left running. Raises `ExecutorError` for a name of nobody."""
        agent = self._find(name)
        called = (name, agent.name if agent else name)
        coming = [job for job, spoken in self._coming.items() if spoken in called]
        for job in coming:
            del self._coming[job]
        if agent is None:
            if coming:
                return Swept(len(coming))
            raise self._unknown(name)
        running = len(agent.executor.running)
        await agent.executor.stop()
        return Swept(len(coming) + running, await agent.executor.sweep())

    async def freeze(self, *, on: bool) -> None:
        """Hold the processes of all jobs where they are, or let them go on."""
        await asyncio.gather(*(agent.executor.freeze(on=on) for agent in self._agents))

    async def answer(self, answer: Answered) -> None:
        """Pass an answer to whichever job asked the question."""
        await asyncio.gather(*(agent.executor.answer(answer) for agent in self._agents))

    async def undo(self, count: int = 1, agent: str | None = None) -> Outcome:
        """Take back the last work of this agent, else of the one that worked last; see `Executor.undo`.

        Raises `ExecutorError` also for a name of nobody.
        """
        worker = self._latest = self._named(agent) if agent else self._latest
        outcome = await worker.executor.undo(count)
        return of_agent(worker.label, outcome) if agent else outcome

    async def withdraw(self, job: int) -> Outcome:
        """Stop one job, and undo what that one has changed; see `Executor.withdraw`."""
        done = [await agent.executor.withdraw(job) for agent in self._agents]
        return next((outcome for outcome in done if outcome.summary), Outcome(""))

    async def redo(self, count: int = 1, agent: str | None = None) -> Outcome:
        """Do the last undone work of that agent again."""
        worker = self._latest = self._named(agent) if agent else self._latest
        outcome = await worker.executor.redo(count)
        return of_agent(worker.label, outcome) if agent else outcome

    async def aclose(self) -> None:
        """Stop everything; the working trees of the agents stay."""
        await asyncio.gather(*(agent.executor.aclose() for agent in self._agents))

    # ------------------------------------------------------------------------ who

    def _join(self, name: str, place: Path) -> Agent:
        agent = Agent(name)
        self._house(agent, place)
        self._agents.append(agent)
        return agent

    def _house(self, agent: Agent, place: Path) -> None:
        async def report(event: Event) -> None:
            await self._emit(signed(event, agent.label) if len(self._agents) > 1 else event)

        agent.place, agent.executor = place, self._build(place, report, self._questions)

    async def _hand_over(self, job: int, turn: int, intent: Intent, *, adds: bool = False) -> None:
        if job in self._coming:
            agent = self._latest = await self._addressed(intent)
            if job in self._coming:
                if adds and await agent.executor.add(job, turn, intent):
                    return
                if adds and agent.executor.running:
                    await self._emit(JobQueued(job))
                await agent.executor.start(job, turn, intent)
                return
        await self._emit(JobStopped(job))

    async def _addressed(self, intent: Intent) -> Agent:
        """The agent that a job is for, made if need be. Raises `ExecutorError`."""
        found = self._focus if intent.agent is None else self._find(intent.agent)
        if found is not None:
            await self._keep_housed(found)
            return found
        assert intent.agent is not None  # noqa: S101 - somebody has the focus
        if intent.kind == "question":
            raise self._unknown(intent.agent)
        return await self._make(intent.agent)

    async def _keep_housed(self, agent: Agent) -> None:
        """Another mybro may have merged what it did, and its working tree with that: it gets a new one."""
        if agent is not self._agents[0] and not agent.place.is_dir():
            await agent.executor.aclose()
            place = await asyncio.to_thread(lambda: Worktrees(self._repo).provide(agent.name))
            self._house(agent, place)

    def _find(self, name: str) -> Agent | None:
        if name.isdigit():
            return self._agents[int(name) - 1] if 0 < int(name) <= len(self._agents) else None
        return next((agent for agent in self._agents if agent.name == name), None)

    def _named(self, spoken: str) -> Agent:
        name = agent_name(spoken) or spoken
        found = self._find(name)
        if found is None:
            raise self._unknown(name)
        return found

    async def _make(self, name: str) -> Agent:
        """One more agent, in a working tree of its own; one that an earlier session left is taken up."""
        count = len(self._agents)
        if count == MOST_AGENTS:
            raise ExecutorError("too_many_agents", f"there are {MOST_AGENTS} agents, which is enough")
        if name == "all" or (name.isdigit() and int(name) != count + 1):
            raise self._unknown(name)
        own = ORDINALS[count] if name.isdigit() or name == "new" else name
        place = await asyncio.to_thread(lambda: Worktrees(self._repo).provide(own))
        return self._join(own, place)

    def _unknown(self, name: str) -> ExecutorError:
        there = listed([agent.label for agent in self._agents], MOST_AGENTS)
        return ExecutorError(
            "no_such_agent", f"there is no {agent_label(name)}", hint=f"There is the {there}."
        )

    def _switch(self, spoken: str | None) -> Outcome:
        after = (self._agents.index(self._focus) + 1) % len(self._agents)
        self._focus = self._latest = self._named(spoken) if spoken else self._agents[after]
        return Outcome(f"The {self._focus.label} listens now.")

    # ------------------------------------------------------------------------ merging

    async def _merge(self, spoken: str) -> Outcome:
        """Bring an agent's work into the person's own working tree; the agent then is no more."""
        agent = self._named(spoken)
        if agent is self._agents[0]:
            return Outcome("The first agent works in your own files: there is nothing to merge.", ok=False)
        if agent.executor.running:
            raise ExecutorError("agent_busy", f"the {agent.label} is still at work", hint="Say stop first.")
        merged = await asyncio.to_thread(lambda: Worktrees(self._repo).merge(agent.name))
        if merged.conflicts:
            both = f"Not merged: you and the {agent.label} both changed {listed(merged.conflicts)}."
            return Outcome(both, ok=False, detail="\n".join(merged.conflicts))
        await agent.executor.aclose()
        self._agents.remove(agent)
        moved = self._focus is agent
        self._focus = self._latest = self._agents[0]
        said = f"Merged the work of the {agent.label}, {merged.words}."
        listens = f" The {self._focus.label} listens now." if moved else ""
        return Outcome(said + listens, detail=merged.shown, changed=merged.files)

    # ------------------------------------------------------------------------ what changed

    async def _note(self) -> None:
        self._spoken = time.time()
        await asyncio.to_thread(self._last.save, self._spoken)

    async def _changes(self, intent: Intent) -> Outcome:
        """What changed: of one agent, or of all, each named."""
        since = intent.arguments.since
        when = moment(since, time.time(), self._spoken)
        if intent.agent not in (None, "all"):
            agent = self._named(intent.agent or "")
            if since is None and agent is not self._agents[0]:
                changed = await asyncio.to_thread(lambda: Worktrees(self._repo).changed(agent.name))
                return of_agent(agent.label, listing_words(changed))
            return of_agent(agent.label, await agent.executor.changed_since(when))
        found = [(agent, await agent.executor.changed_since(when)) for agent in list(self._agents)]
        told = [of_agent(a.label, o) if len(found) > 1 else o for a, o in found if o.changed] or [found[0][1]]
        return Outcome(
            " ".join(outcome.summary for outcome in told),
            detail="\n".join(outcome.detail for outcome in told),
            changed=tuple(path for outcome in told for path in outcome.changed),
        )

    async def _finish(self, job: int, turn: int, title: str, outcome: Outcome) -> None:
        await self._emit(JobStarted(job, turn, title))
        await self._emit(JobFinished(job, outcome))
