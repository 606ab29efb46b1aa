"""Jobs, undo and stops reach the executor in the order of speech; a stop ends what was said before."""

from __future__ import annotations

import asyncio

import pytest

from mybro import events as ev
from mybro.errors import ExecutorError
from mybro.intent import Action, Intent
from mybro.pipeline.ports import Stages
from tests.fakes.pipeline import FakeBrain, FakeExecutor, FakeJournal
from tests.test_pipeline_pipeline import Session

pytestmark = pytest.mark.unit

STOP_IT = Intent(kind="control", action=Action.STOP, agent="parser", text="stop")
UNDO = Intent(kind="control", action=Action.UNDO, text="undo that")


class SlowJournal(FakeJournal):
    """Takes long over what was accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = asyncio.Event()

    async def mark(self, turn: int, state: str) -> None:
        await self.disk.wait()
        await super().mark(turn, state)


class SlowToStop(FakeExecutor):
    """Its sweep takes a while, and ends whatever it finds; it knows only agents that have something to do."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.pipeline.post)
        self.swept = asyncio.Event()

    async def stop(self, job: int | None) -> None:
        for number in [number for number in self.running if job in (None, number)]:
            del self.running[number]
            await self._emit(ev.JobStopped(number))

    async def sweep(self) -> tuple[str, ...]:
        await self.swept.wait()
        await self.stop(None)
        return ()

    async def stop_agent(self, name: str) -> ev.Swept:
        if not self.running:
            raise ExecutorError("no_such_agent", f"there is no {name} agent")
        await self.stop(None)
        return ev.Swept(1)


def scene(journal: FakeJournal) -> tuple[Session, SlowToStop]:
    session = Session(brain=FakeBrain({"parser agent, stop": STOP_IT, "undo that": UNDO}))
    executor = SlowToStop(session)
    session.pipeline.attach(Stages(session.brain, None, executor, None, journal))
    return session, executor


async def test_what_is_said_after_a_stop_is_not_ended_by_it() -> None:
    session, executor = scene(FakeJournal())
    async with session.pipeline:
        await session.type("write a readme")
        await asyncio.wait_for(executor.started.wait(), 5)
        await session.type("stop")
        await session.type("write a test")
        for _ in range(200):
            await asyncio.sleep(0)
        executor.swept.set()
        await session.settled()
        assert [intent.text for intent in executor.running.values()] == ["write a test"]
        assert [job.intent.text for job in session.pipeline.state.jobs.values()] == ["write a test"]


async def test_an_agent_is_stopped_that_has_not_begun() -> None:
    journal = SlowJournal()
    session, executor = scene(journal)
    async with session.pipeline:
        await session.type("parser agent, write a readme")
        await session.type("parser agent, stop")
        for _ in range(200):
            await asyncio.sleep(0)
        journal.disk.set()
        await session.settled()
        assert executor.running == {}
        assert session.pipeline.state.jobs == {}
        assert not [e.event for e in session.seen if isinstance(e.event, ev.StageFailed)]


async def test_an_agent_at_work_is_stopped_before_what_waits_for_the_disk() -> None:
    journal = SlowJournal()
    session, executor = scene(journal)
    executor.running[99] = STOP_IT
    async with session.pipeline:
        await session.type("write a readme")
        await session.type("parser agent, stop")
        for _ in range(200):
            await asyncio.sleep(0)
        assert executor.running == {}
        journal.disk.set()
        await session.settled()


async def test_who_has_nothing_to_do_is_told_of() -> None:
    session, _ = scene(FakeJournal())
    async with session.pipeline:
        await session.type("parser agent, stop")
        await session.settled()
        assert session.said() == ["there is no parser agent"]


async def test_a_stop_reaches_an_undo_that_has_not_begun() -> None:
    journal = SlowJournal()
    session, executor = scene(journal)
    executor.swept.set()
    async with session.pipeline:
        await session.type("write a readme")
        await session.type("undo that")
        for _ in range(200):
            await asyncio.sleep(0)
        await session.type("stop")
        for _ in range(200):
            await asyncio.sleep(0)
        journal.disk.set()
        await session.settled()
        assert executor.taken_back == []
        assert len([e for e in session.seen if isinstance(e.event, ev.JobStopped)]) == 2
        assert session.pipeline.state.jobs == {}
