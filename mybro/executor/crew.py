"""Several agents of one repository: the first in the person's own working tree, each other one in its own."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator
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
)  # fmt: skip
from mybro.executor.agents import Agent, find, nobody
from mybro.executor.coming import Coming, Line
from mybro.executor.hand import Report
from mybro.executor.jobs import Executor
from mybro.executor.merged import whose_work
from mybro.executor.signed import of_agent, of_all, signed
from mybro.executor.since import LastSpoken, moment
from mybro.executor.words import listed, listing_words
from mybro.executor.worktrees import Worktrees
from mybro.intent import Action, Intent
from mybro.naming import ORDINALS, agent_name

MOST_AGENTS = 9
Build = Callable[[Path, Report, Iterator[int]], Executor]
"""Makes the executor of a working tree; the numbers are those of its questions."""


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
        self._line = Line(emit)
        self._held = False
        self._last = LastSpoken(repo, data_dir() / "spoken")
        self._spoken = self._last.load()
        """When the person last had something done, in seconds since 1970."""

    async def recover(self) -> list[str]:
        """Finish what a crash cut off in the person's own working tree; see `Executor.recover`."""
        return await self._agents[0].executor.recover()

    async def start(self, job_number: int, turn: int, intent: Intent) -> None:
        """Queue a job with its agent and return at once; see `Executor.start`."""
        await self._hand_over(job_number, turn, intent)

    async def add(self, job_number: int, turn: int, intent: Intent) -> None:
        """Make something part of what its agent does, who else does it next; see `Executor.add`."""
        await self._hand_over(job_number, turn, intent, adds=True)

    async def stop(self, job: int | None = None) -> None:
        """Stop one job, or all of every agent; what is still to be handed over is not begun."""
        await self._line.stop(lambda coming: job is None or coming.job == job)
        await asyncio.gather(*(agent.executor.stop(job) for agent in self._agents))

    async def sweep(self) -> tuple[str, ...]:
        """End what finished jobs of any agent left running; tells what it was. Nothing is held any more."""
        self._held = False
        ended = await asyncio.gather(*(agent.executor.sweep() for agent in self._agents))
        return tuple(name for names in ended for name in names)

    async def stop_agent(self, name: str) -> Swept:
        """Stop what one agent does, and what it left running. Raises `ExecutorError` for a name of nobody."""
        agent = self._find(name)

        def theirs(coming: Coming) -> bool:
            found = self._focus if coming.agent is None else self._find(coming.agent)
            return coming.agent == name or (agent is not None and found is agent)

        coming = await self._line.stop(theirs)
        if agent is None and not coming:
            async with self._line.order:  # who comes now is meant, if called by a number
                agent = self._find(name)
        if agent is None:
            if coming:
                return Swept(coming)
            raise nobody(name, self._agents)
        running = len(agent.executor.running)
        await agent.executor.stop()
        await self._hold_again()
        return Swept(coming + running, await agent.executor.sweep())

    async def freeze(self, *, on: bool) -> None:
        """Hold the processes of all jobs where they are, or let them go on."""
        self._held = on
        await asyncio.gather(*(agent.executor.freeze(on=on) for agent in self._agents))

    async def _hold_again(self) -> None:
        """To end one agent's work lets all go on: in a pause the others' stands still."""
        if self._held:
            await self.freeze(on=True)

    async def answer(self, answer: Answered) -> None:
        """Pass an answer to whichever job asked the question."""
        await asyncio.gather(*(agent.executor.answer(answer) for agent in self._agents))

    async def undo(self, count: int = 1, agent: str | None = None, job: int | None = None) -> Outcome:
        """Take back the last work of this agent, else of the one that worked last; see `Executor.undo`.

        Raises `ExecutorError` also for a name of nobody; given_up where `job` is stopped before it begins.
        """
        return await self._take_back(lambda executor: executor.undo(count), agent, job)

    async def redo(self, count: int = 1, agent: str | None = None, job: int | None = None) -> Outcome:
        """Do the last undone work of that agent again."""
        return await self._take_back(lambda executor: executor.redo(count), agent, job)

    async def withdraw(self, job: int) -> Outcome:
        """Stop one job, and undo what that one has changed; see `Executor.withdraw`."""
        await self._line.stop(lambda coming: coming.job == job)
        done = [await agent.executor.withdraw(job) for agent in self._agents]
        return next((outcome for outcome in done if outcome.summary), Outcome(""))

    async def aclose(self) -> None:
        """Stop everything; the working trees stay."""
        self._line.close()
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
        with self._line.join(job, intent.agent) as coming:
            try:
                async with self._line.order:
                    if intent.action is not Action.CHANGES and not coming.stopped:
                        await self._note()
                        await self._begin(coming, job, turn, intent, adds=adds)
                if intent.action is Action.CHANGES:  # for which nobody waits
                    outcome = await self._changes(intent)
                    if coming.begin():
                        await self._finish(job, turn, "looking at what changed", outcome)
            except MybroError as error:
                if not coming.stopped:
                    await self._emit(JobFailed(job, error.problem))

    async def _begin(self, coming: Coming, job: int, turn: int, intent: Intent, *, adds: bool) -> None:
        if intent.action is Action.SWITCH_AGENT:
            if coming.begin():
                await self._finish(job, turn, "switching", self._switch(intent.arguments.name))
        elif intent.kind == "task" and (whose := whose_work(intent.text)):
            if coming.begin():
                await self._emit(JobStarted(job, turn, "merging"))
                await self._emit(JobFinished(job, await self._merge(whose)))
        else:
            agent = await self._addressed(intent)
            if adds and not coming.stopped and await self._add(coming, agent, job, turn, intent):
                self._latest = agent
            elif coming.begin():
                self._latest = agent
                await agent.executor.start(job, turn, intent)

    async def _add(self, coming: Coming, agent: Agent, job: int, turn: int, intent: Intent) -> bool:
        """Whether it has become part of what its agent does; else it is said to wait for that."""
        coming.joining = True
        if await agent.executor.add(job, turn, intent):
            return True
        coming.joining = False
        if coming.stopped:
            await self._emit(JobStopped(job))
        elif agent.executor.running:
            await self._emit(JobQueued(job))
        return False

    async def _take_back(
        self, what: Callable[[Executor], Awaitable[Outcome]], agent: str | None, job: int | None
    ) -> Outcome:
        """What is said next waits for it: it is neither taken back itself nor begun on what is."""
        with self._line.join(job, agent or "") as coming:
            async with self._line.order:
                if not coming.begin():
                    raise ExecutorError("given_up", "that was stopped before it began")
                worker = self._latest = self._named(agent) if agent else self._latest
                outcome = await what(worker.executor)
                await self._hold_again()
        return of_agent(worker.label, outcome) if agent else outcome

    async def _addressed(self, intent: Intent) -> Agent:
        """The agent that a job is for, made if need be. Raises `ExecutorError`."""
        found = self._focus if intent.agent is None else self._find(intent.agent)
        if found is not None:
            await self._keep_housed(found)
            return found
        assert intent.agent is not None  # noqa: S101 - somebody has the focus
        if intent.kind == "question":
            raise nobody(intent.agent, self._agents)
        return await self._make(intent.agent)

    async def _keep_housed(self, agent: Agent) -> None:
        """Another mybro may have merged what it did, and its working tree with that: it gets a new one."""
        if agent is not self._agents[0] and not agent.place.is_dir():
            await agent.executor.aclose()
            place = await asyncio.to_thread(lambda: Worktrees(self._repo).provide(agent.name))
            self._house(agent, place)

    def _find(self, name: str) -> Agent | None:
        return find(name, self._agents)

    def _named(self, spoken: str) -> Agent:
        name = agent_name(spoken) or spoken
        found = self._find(name)
        if found is None:
            raise nobody(name, self._agents)
        return found

    async def _make(self, name: str) -> Agent:
        """One more agent, in a working tree of its own; one that an earlier session left is taken up."""
        count = len(self._agents)
        if count == MOST_AGENTS:
            raise ExecutorError("too_many_agents", f"there are {MOST_AGENTS} agents, which is enough")
        if name == "all" or (name.isdigit() and int(name) != count + 1):
            raise nobody(name, self._agents)
        own = ORDINALS[count] if name.isdigit() or name == "new" else name
        place = await asyncio.to_thread(lambda: Worktrees(self._repo).provide(own))
        return self._join(own, place)

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
        if busy := next((one for one in (agent, self._agents[0]) if one.executor.running), None):
            raise ExecutorError("agent_busy", f"the {busy.label} is still at work", hint="Say stop first.")
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
        return of_all([(one.label, outcome) for one, outcome in found])

    async def _finish(self, job: int, turn: int, title: str, outcome: Outcome) -> None:
        await self._emit(JobStarted(job, turn, title))
        await self._emit(JobFinished(job, outcome))
