"""Stages that answer at once and remember what they were asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from mybro import events as ev
from mybro.brain.dialog import Dialog
from mybro.errors import JournalError
from mybro.intent import Action, Intent
from mybro.journal import JobCost

Emit = Callable[[ev.Event], Awaitable[None]]

RUN_TESTS = Intent(kind="local", action=Action.TEST, text="run the tests")


class FakeBrain:
    """Gives one intent for each sentence it knows; every other one is a task."""

    def __init__(self, known: dict[str, Intent] | None = None) -> None:
        self.known = known or {"run the tests": RUN_TESTS}
        self.asked: list[str] = []
        self.dialogs: list[Dialog] = []
        self.thinking = asyncio.Event()
        self.hold = asyncio.Event()
        self.hold.set()

    async def understand(self, text: str, dialog: Dialog) -> Intent:
        self.asked.append(text)
        self.dialogs.append(dialog)
        self.thinking.set()
        await self.hold.wait()
        return self.known.get(text, Intent(kind="task", text=text))

    async def aclose(self) -> None:
        self.hold.set()


class FakeTranscription:
    """Hears prepared texts, one for each request."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.dropped: list[int] = []

    async def transcribe(
        self, turn: int, request: int, audio: ev.AudioBlock, *, speculative: bool = False
    ) -> ev.Transcribed | None:
        return ev.Transcribed(turn, request, self.texts.pop(0), "fake")

    def drop(self, request: int) -> None:
        self.dropped.append(request)

    async def aclose(self) -> None:
        pass


class FakeExecutor:
    """Runs each job until it is told to finish."""

    def __init__(self, emit: Emit, *, patience_s: float = 0.0) -> None:
        self._emit = emit
        self._patience_s = patience_s
        self.running: dict[int, Intent] = {}
        self.answers: list[ev.Answered] = []
        self.taken_back: list[tuple[str, int]] = []
        self.taken_from: list[str | None] = []
        self.started = asyncio.Event()
        self.closed = False
        self.frozen = False
        self.stopped_agents: list[str] = []
        self.withdrawn: list[int] = []
        self.left_running: tuple[str, ...] = ()
        self.takes_more = True
        self.added: list[tuple[int, Intent]] = []

    async def start(self, job_number: int, turn: int, intent: Intent) -> None:
        self.running[job_number] = intent
        await self._emit(ev.JobStarted(job_number, turn, "working", "before"))
        self.started.set()

    async def add(self, job_number: int, turn: int, intent: Intent) -> None:
        if self.takes_more and self.running:
            into = next(iter(self.running))
            self.added.append((job_number, intent))
            await self._emit(ev.JobAdded(job_number, into))
        else:
            await self._emit(ev.JobQueued(job_number))
            await self.start(job_number, turn, intent)

    async def finish(self, job: int) -> None:
        del self.running[job]
        await self._emit(ev.JobFinished(job, ev.Outcome("Done")))

    async def stop(self, job: int | None) -> None:
        for number in list(self.running):
            del self.running[number]
            await self._emit(ev.JobStopped(number))

    async def sweep(self) -> tuple[str, ...]:
        left, self.left_running = self.left_running, ()
        return left

    async def stop_agent(self, name: str) -> ev.Swept:
        self.stopped_agents.append(name)
        return ev.Swept(1)

    async def freeze(self, *, on: bool) -> None:
        self.frozen = on

    async def answer(self, answer: ev.Answered) -> None:
        self.answers.append(answer)

    async def undo(self, count: int, agent: str | None = None, job: int | None = None) -> ev.Outcome:
        self.taken_back.append(("undo", count))
        self.taken_from.append(agent)
        return ev.Outcome("Undone")

    async def withdraw(self, job: int) -> ev.Outcome:
        await self.stop(job)
        self.withdrawn.append(job)
        return ev.Outcome("Undone.")

    async def redo(self, count: int, agent: str | None = None, job: int | None = None) -> ev.Outcome:
        self.taken_back.append(("redo", count))
        self.taken_from.append(agent)
        return ev.Outcome("Redone")

    async def aclose(self) -> None:
        await asyncio.sleep(self._patience_s)
        await self.stop(None)
        self.closed = True


class FakeJournal:
    """Remembers in a list; `broken` makes it refuse."""

    def __init__(self) -> None:
        self.repo = "/home/ada/shop"
        self.costs: list[JobCost] = []
        self.recorded: list[ev.Envelope] = []
        self.marks: list[tuple[int, str]] = []
        self.broken = False
        self.closed = False

    async def record(self, envelope: ev.Envelope) -> None:
        await asyncio.sleep(0)
        if self.broken:
            raise JournalError("disk_full", "The disk is full")
        self.recorded.append(envelope)

    async def mark(self, turn: int, state: str) -> None:
        self.marks.append((turn, state))

    async def job_costs(self) -> list[JobCost]:
        if self.broken:
            raise JournalError("disk_full", "The disk is full")
        return self.costs

    async def aclose(self) -> None:
        self.closed = True

    @property
    def events(self) -> list[ev.Event]:
        return [envelope.event for envelope in self.recorded]
