"""Jobs in a real repository with real checkpoints: undone, redone, recovered."""

from __future__ import annotations

import asyncio

import pytest

from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import (
    JobFinished,
    JobProgressed,
    JobStopped,
    Outcome,
)
from mybro.executor.checkpoint import CheckpointStore, History, Limits
from mybro.executor.hand import Job, Report
from tests.executor_room import Room, never_ends, writes
from tests.executor_tools import write
from tests.fakes.audio import ManualClock
from tests.fakes.executor import git, image

pytestmark = pytest.mark.integration
pytest_plugins = ("tests.executor_room",)


# ---------------------------------------------------------------------------- undo and redo


async def test_undo_and_redo(room: Room) -> None:
    executor = room.executor
    assert (await executor.undo()).summary == "There is nothing to undo."
    assert (await executor.redo()).summary == "There is nothing to do again."
    before = image(room.repo)
    for name in "bcd":
        await room.do(f"write {name}", writes(**{f"{name}_py": name}))
    await room.do("look only", writes())
    after = image(room.repo)
    assert (await executor.undo(2)).changed == ("d.py", "c.py")
    assert (await executor.undo(5)).summary.endswith("There was no more to undo.")
    assert image(room.repo) == before
    assert (await executor.redo(3)).changed == ("b.py", "c.py", "d.py")
    assert image(room.repo) == after
    await executor.undo()
    await room.do("write e", writes(e_py="e"))
    assert (await executor.redo()).summary == "There is nothing to do again."


async def test_undo_stops_the_writer_first(room: Room) -> None:
    job = await room.start("wait", never_ends(a_py="changed"))
    await room.until(lambda event: isinstance(event, JobProgressed))
    undone = await room.executor.undo()
    assert isinstance(await room.end(job), JobStopped)
    assert undone.changed == ("a.py",)
    assert (room.repo / "a.py").read_text() == "a = 1\n"


async def test_what_the_person_changed_meanwhile_is_left(room: Room) -> None:
    await room.do("write both", writes(a_py="a = 2\n", b_py="b"))
    (room.repo / "a.py").write_text("mine\n")
    undone = await room.executor.undo()
    assert undone.summary == (
        "Undone: “write both”. b.py is back to what was. I left a.py alone, because you changed it meanwhile."
    )
    assert (room.repo / "a.py").read_text() == "mine\n"


async def test_a_commit_is_undone_too(room: Room) -> None:
    async def commit(job: Job, _: Report) -> Outcome:
        write(job.repo, {"a.py": "a = 2\n"})
        await asyncio.to_thread(git, job.repo, "commit", "-qam", "Two")
        return Outcome("Committed.")

    head = git(room.repo, "rev-parse", "HEAD")
    await room.do("commit", commit)
    undone = await room.executor.undo()
    assert git(room.repo, "rev-parse", "HEAD") == head
    assert "restored  branch main" in undone.detail
    assert git(room.repo, "status", "--short") == ""


async def test_without_checkpoints(room: Room) -> None:
    executor = room.new(checkpoints=False)
    assert isinstance(await room.do("write b", writes(b_py="b")), JobFinished)
    assert await executor.recover() == []
    for outcome in (await executor.undo(), await executor.redo(), await executor.changed_since()):
        assert outcome.summary.startswith("There are no checkpoints")
        assert not outcome.ok


# ---------------------------------------------------------------------------- others, crashes, the end


async def test_an_undo_waits_for_the_end_of_anothers(room: Room) -> None:
    await room.do("write b", writes(b_py="b"))
    other = History(CheckpointStore(room.root, room.repo))
    other.claim()
    asyncio.get_running_loop().call_later(0.3, other.close)
    assert (await room.executor.undo()).summary.startswith("Undone")


async def test_a_job_waits_for_another_mybro(room: Room) -> None:
    clock = room.clock = ManualClock()
    room.new()
    other = History(CheckpointStore(room.root, room.repo))
    other.claim()
    job = await room.start("write b", writes(b_py="b"))
    waiting = await room.until(lambda event: isinstance(event, JobProgressed))
    assert isinstance(waiting, JobProgressed)
    assert waiting.text.startswith("waiting: another mybro, process ")
    await clock.advance(1.0)
    with pytest.raises(ExecutorError) as raised:
        await room.executor.undo()
    assert raised.value.code == "repository_busy"
    assert await room.end(job) == JobStopped(job), "an undo stops what waits as well"
    second = await room.start("write b")
    await clock.advance(1.0)
    other.close()
    while room.executor.running:
        await clock.advance(1.0)
        await asyncio.sleep(0.01)
    assert isinstance(await room.end(second), JobFinished)
    told = [event for event in room.events if isinstance(event, JobProgressed) and event.job == second]
    assert len(told) == 1, "once is enough"


async def test_what_a_crash_cut_off_can_be_undone(room: Room) -> None:
    history = History(CheckpointStore(room.root, room.repo))
    history.begin("a job that was cut off")
    write(room.repo, {"a.py": "half"})
    history.close()
    assert await room.executor.recover() == ["a job that was cut off"]
    assert await room.executor.recover() == ["a job that was cut off"], "it is asked for more than once"
    assert (await room.executor.undo()).changed == ("a.py",)
    assert (room.repo / "a.py").read_text() == "a = 1\n"


async def test_damaged_checkpoints(room: Room) -> None:
    await room.executor.aclose()
    for file in room.root.glob("*/checkpoints.db*"):
        file.write_bytes(b"no database at all, of some length" * 100)
    with pytest.raises(ExecutorError) as raised:
        room.new()
    assert raised.value.code == "checkpoints_damaged"


async def test_recovery_is_tried_again_after_it_failed(room: Room) -> None:
    away = room.repo.with_name("away")
    room.repo.rename(away)
    history = History(CheckpointStore(room.root, room.repo))
    with history.store.exclusive():
        history.store.db.execute("INSERT INTO step (label, before, state) VALUES ('x', 1, 'open')")
    history.close()
    with pytest.raises(ExecutorError):
        await room.executor.recover()
    away.rename(room.repo)
    assert await room.executor.recover() == []
    assert isinstance(await room.do("write b", writes(b_py="b")), JobFinished)


async def test_a_closed_executor(room: Room) -> None:
    job = await room.start("wait", never_ends(b_py="b"))
    await room.until(lambda event: isinstance(event, JobProgressed))
    await room.executor.recover()
    await room.executor.aclose()
    await room.executor.aclose()
    assert isinstance(await room.end(job), JobStopped)
    assert room.hand.closed == 1
    with pytest.raises(ExecutorError) as raised:
        await room.start("write b", writes(b_py="b"))
    assert raised.value.code == "closed"
    again = room.new()
    assert (await again.undo()).changed == ("b.py",)


def test_what_the_settings_leave_out() -> None:
    settings = ExecutorSettings(checkpoint_max_file_mb=3, checkpoint_exclude=("x",), checkpoint_ignored=True)
    assert Limits.of(settings) == Limits(max_file_bytes=3 << 20, folders=("x",), ignored=True)
    assert Limits.of(ExecutorSettings()) == Limits()
