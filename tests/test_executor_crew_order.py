"""Things said at once to several agents, in one real repository: undone, stopped and begun in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mybro.clock import MonotonicClock
from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import JobFailed, JobFinished, JobStarted, JobStopped, Outcome
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.checkpoint.lock import FileLock
from mybro.executor.crew import Crew
from mybro.executor.hand import Job, Report
from mybro.executor.held_clock import HeldClock
from mybro.executor.jobs import Executor
from mybro.executor.worktrees import Worktrees
from mybro.intent import Intent
from tests.executor_room import Scripted
from tests.projects import shop
from tests.test_executor_crew import Room, room

__all__ = ["room", "shop"]
pytestmark = pytest.mark.integration


@pytest.fixture
def busy(room: Room, tmp_path: Path) -> FileLock:
    """Another program makes a working tree: who needs one waits."""
    first = Worktrees(room.repo).provide("old")
    lock = FileLock(first.parent / ".lock")
    assert lock.acquire()
    return lock


async def test_an_undo_is_of_what_was_said_last_also_where_that_is_not_begun(room: Room) -> None:
    await room.do("one")
    second = asyncio.create_task(room.start("two", "2"))
    await asyncio.sleep(0)
    await room.crew.undo()
    await second
    await room.end(2)
    assert (room.repo / "one.txt").exists()
    assert not (Worktrees(room.repo).get("second").path / "two.txt").exists()


async def test_what_is_said_after_an_undo_is_not_undone(room: Room) -> None:
    await room.start("wait")
    undoing = asyncio.create_task(room.crew.undo())
    await asyncio.sleep(0)
    await room.start("one")
    undone = await undoing
    assert isinstance(await room.end(2), JobFinished)
    assert undone.changed == ()
    assert (room.repo / "one.txt").exists()


async def test_a_stop_does_not_wait_for_a_working_tree(room: Room, busy: FileLock) -> None:
    await room.do("one")
    said = [("two", "2"), ("merge the second agent's work", None), ("one", None)]
    handed = [asyncio.create_task(room.start(text, agent)) for text, agent in said]
    await asyncio.sleep(0)
    undoing = asyncio.create_task(room.crew.undo(1, None, 5))
    await asyncio.sleep(0.1)
    await room.crew.stop()
    assert [event.job for event in room.events if isinstance(event, JobStopped)] == [2, 3, 4, 5]
    busy.release()
    await asyncio.gather(*handed)
    with pytest.raises(ExecutorError, match="stopped before it began"):
        await undoing
    assert (room.repo / "one.txt").exists(), "the undo was stopped, too"
    assert [event.job for event in room.events if isinstance(event, JobStarted)] == [1]
    assert len([event for event in room.events if isinstance(event, JobStopped)]) == 4


async def test_who_has_the_focus_is_stopped_by_name_before_it_begins(room: Room, busy: FileLock) -> None:
    handed = [asyncio.create_task(room.start(text, agent)) for text, agent in (("two", "2"), ("one", None))]
    await asyncio.sleep(0)
    undoing = asyncio.create_task(room.crew.undo())
    await asyncio.sleep(0.1)
    assert (await room.crew.stop_agent("1")).stopped == 1
    busy.release()
    await asyncio.gather(*handed, undoing)
    assert isinstance(await room.end(1), JobFinished | JobStopped)
    assert await room.end(2) == JobStopped(2)
    assert not (room.repo / "one.txt").exists()


async def test_the_others_stay_held_in_a_pause_in_which_one_is_stopped(room: Room, tmp_path: Path) -> None:
    clock = HeldClock(MonotonicClock())

    def build(place: Path, report: Report, questions: Iterator[int]) -> Executor:
        hand = Scripted()

        async def wait(job: Job, report: Report) -> Outcome:
            await asyncio.Event().wait()
            raise AssertionError

        hand.deeds = {"wait": wait}
        store = CheckpointStore(tmp_path / "data" / "checkpoints", place)
        return Executor(ExecutorSettings(), place, report, (hand,), store, clock, questions)

    room.crew = Crew(room.repo, room.emit, build)
    await room.start("wait")
    await room.start("wait", "2")
    await room.crew.freeze(on=True)
    held = clock.now()
    assert (await room.crew.stop_agent("2")).stopped == 1
    then = clock.now()
    await asyncio.sleep(0.05)
    assert clock.now() == then >= held
    await room.crew.undo(1, "2")
    then = clock.now()
    await asyncio.sleep(0.05)
    assert clock.now() == then
    await room.crew.stop()
    assert await room.crew.sweep() == ()
    await room.crew.stop_agent("2")
    assert clock.now() > then, "what is stopped altogether is not held"


async def test_who_comes_only_now_is_stopped_by_number(room: Room, busy: FileLock) -> None:
    handed = asyncio.create_task(room.start("wait", "parser"))
    await asyncio.sleep(0.1)
    stopping = asyncio.create_task(room.crew.stop_agent("2"))
    await asyncio.sleep(0.1)
    busy.release()
    assert (await stopping).stopped == 1
    await handed
    assert await room.end(1) == JobStopped(1)


async def test_what_is_taken_back_before_it_begins_never_does(room: Room, busy: FileLock) -> None:
    handed = [asyncio.create_task(room.start(text, agent)) for text, agent in (("two", "2"), ("one", None))]
    await asyncio.sleep(0.1)
    assert (await room.crew.withdraw(2)).summary == ""
    busy.release()
    await asyncio.gather(*handed)
    assert isinstance(await room.end(1), JobFinished)
    assert await room.end(2) == JobStopped(2)
    assert not (room.repo / "one.txt").exists()


async def test_what_is_not_begun_at_the_end_has_no_end(room: Room, busy: FileLock) -> None:
    """Accepted and never begun: the next session offers it."""
    handed = [asyncio.create_task(room.start(text, agent)) for text, agent in (("two", "2"), ("one", None))]
    await asyncio.sleep(0.1)
    await room.crew.aclose()
    busy.release()
    await asyncio.gather(*handed)
    assert room.events == []


async def test_nothing_is_merged_while_somebody_works_in_the_persons_own_files(room: Room) -> None:
    await room.do("one", "2")
    await room.start("wait")
    refused = await room.do("merge the second agent's work")
    assert isinstance(refused, JobFailed)
    assert (refused.problem.code, refused.problem.message) == (
        "agent_busy",
        "the first agent is still at work",
    )


async def test_what_is_added_is_stopped_before_it_begins_and_that_is_told_once(
    room: Room, busy: FileLock
) -> None:
    handed = asyncio.create_task(room.crew.add(7, 7, Intent(kind="task", text="one", agent="2")))
    await asyncio.sleep(0.1)
    await room.crew.stop()
    busy.release()
    await handed
    assert room.events == [JobStopped(7)]
