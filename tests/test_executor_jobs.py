"""Jobs in a real repository: queued, stopped, failed, frozen."""

from __future__ import annotations

import asyncio
import shutil
import threading
from pathlib import Path

import pytest

from mybro.errors import ExecutorError
from mybro.events import (
    Answered,
    JobFailed,
    JobFinished,
    JobProgressed,
    JobStarted,
    JobStopped,
    Outcome,
    QuestionWithdrawn,
)
from mybro.executor.checkpoint import Checkpoint, CheckpointStore
from mybro.executor.hand import Job, JobError, Report
from mybro.intent import Action, Arguments, Intent
from mybro.ops.tree import run_command
from tests.executor_room import Deed, Room, Scripted, fails, never_ends, writes
from tests.executor_tools import write
from tests.fakes.ops import silent, written

pytestmark = pytest.mark.integration
pytest_plugins = ("tests.executor_room",)


# ---------------------------------------------------------------------------- one job


async def test_a_job_between_its_checkpoints(room: Room) -> None:
    ended = await room.do("write b", writes(b_py="b"))
    started = room.events[0]
    assert isinstance(started, JobStarted)
    assert (started.job, started.turn, started.title) == (1, 11, "“write b”")
    assert isinstance(ended, JobFinished)
    assert (ended.outcome.summary, ended.outcome.changed) == ("Written.", ("b.py",))
    assert started.checkpoint is not None
    assert ended.outcome.checkpoint is not None
    assert room.executor.running == ()
    numbers = [room.hand.jobs[0].next_question() for _ in range(3)]
    assert numbers == [1, 3, 5], "the even ones are the state machine's"


async def test_writers_wait_for_each_other_and_readers_for_nobody(room: Room) -> None:
    go = asyncio.Event()

    async def slow(job: Job, report: Report) -> Outcome:
        await go.wait()
        return await writes(b_py="b")(job, report)

    async def looks(job: Job, _: Report) -> Outcome:
        return Outcome("b" if (job.repo / "b.py").exists() else "nothing")

    first = await room.start("slow", slow)
    second = await room.start("write c", looks)
    await room.began(first)
    reader = await room.do("look", looks, Action.DIFF)
    assert reader == JobFinished(3, Outcome("nothing"))
    started = next(e for e in room.events if isinstance(e, JobStarted) and e.job == 3)
    assert started.checkpoint is None
    assert room.executor.running == (first, second)
    go.set()
    ended = await room.end(second)
    assert isinstance(ended, JobFinished)
    assert ended.outcome.summary == "b"


async def test_a_failed_job_can_be_undone_and_tells_its_cost(room: Room) -> None:
    costly = JobError("turn_failed", "it did not work", retryable=True)
    costly.outcome = Outcome("it did not work.", cost_usd=0.25)
    failed = await room.do("fail", fails(costly, b_py="b"))
    assert isinstance(failed, JobFailed)
    assert failed.problem == costly.problem
    assert failed.outcome is not None
    assert (failed.outcome.cost_usd, failed.outcome.changed) == (0.25, ("b.py",))
    assert (await room.executor.undo()).summary == "Undone: “fail”. b.py is back to what was."
    assert not (room.repo / "b.py").exists()
    room.hand.deeds["look"] = fails(costly)
    looked = await room.do("look", action=Action.DIFF)
    assert looked == JobFailed(2, costly.problem, costly.outcome)


@pytest.mark.parametrize("action", [None, Action.DIFF])
async def test_an_error_of_our_own_is_an_error_like_others(room: Room, action: Action | None) -> None:
    failed = await room.do("break", fails(RuntimeError("secret words")), action)
    assert isinstance(failed, JobFailed)
    assert (failed.problem.code, failed.problem.message) == (
        "internal", "that went wrong inside mybro: RuntimeError",
    )  # fmt: skip
    assert isinstance(await room.do("write b", writes(b_py="b")), JobFinished)


async def test_names_that_are_not_utf_8_can_be_printed(room: Room) -> None:
    async def odd(job: Job, _: Report) -> Outcome:
        (job.repo / "odd\udcff.py").write_text("x")
        return Outcome("odd\udcff.py", detail="\udcfe")

    ended = await room.do("odd", odd)
    assert isinstance(ended, JobFinished)
    assert (ended.outcome.summary, ended.outcome.detail) == ("odd\\udcff.py", "\\udcfe")
    assert ended.outcome.changed == ("odd\\xff.py",)


async def test_a_job_after_which_no_checkpoint_can_be_taken(room: Room) -> None:
    async def destroy(job: Job, _: Report) -> Outcome:
        await asyncio.to_thread(shutil.rmtree, job.repo)
        return Outcome("Gone.")

    ended = await room.do("destroy", destroy)
    assert isinstance(ended, JobFinished)
    assert ended.outcome.summary.startswith("Gone. It cannot be undone, because no checkpoint could be made")
    refused = await room.do("write b", writes(b_py="b"))
    assert isinstance(refused, JobFailed)
    assert refused.problem.code == "checkpoint_failed"


# ---------------------------------------------------------------------------- hands


async def test_what_one_hand_cannot_do_goes_to_the_next_as_a_task(room: Room) -> None:
    local, agent = Scripted(only_local=True), Scripted()
    room.new(None, local, agent)
    local.deeds["rename"] = fails(ExecutorError("needs_agent", "not Python"))
    agent.deeds["rename"] = writes(b_py="b")
    await room.executor.start(
        1, 1, Intent(kind="local", action=Action.RENAME, text="rename", target="x", arguments=Arguments()),
    )  # fmt: skip
    assert isinstance(await room.end(1), JobFinished)
    (job,) = agent.jobs
    assert (job.intent.kind, job.intent.action, job.intent.target) == ("task", None, "x")
    agent.deeds["rename"] = fails(ExecutorError("needs_agent", "nobody can"))
    await room.executor.start(2, 2, Intent(kind="task", text="rename"))
    failed = await room.end(2)
    assert isinstance(failed, JobFailed)
    assert failed.problem.code == "needs_agent"


async def test_without_an_agent_it_is_told_why_one_was_wanted(room: Room) -> None:
    local, agent = Scripted(only_local=True), Scripted()
    room.new(None, local, agent)
    local.deeds["rename"] = fails(ExecutorError("needs_agent", "that is not Python"))
    agent.deeds["rename"] = fails(ExecutorError("claude_missing", "claude is not installed", hint="Get it"))
    await room.executor.start(1, 1, Intent(kind="local", action=Action.RENAME, text="rename"))
    failed = await room.end(1)
    assert isinstance(failed, JobFailed)
    assert failed.problem.message == "that is not Python, and claude is not installed"
    assert (failed.problem.code, failed.problem.hint) == ("claude_missing", "Get it")


async def test_nobody_can_do_it(room: Room) -> None:
    room.new(None, Scripted(only_local=True))
    failed = await room.do("write b")
    assert isinstance(failed, JobFailed)
    assert failed.problem.code == "no_hand"


async def test_an_answer_reaches_the_hand_that_works(room: Room) -> None:
    await room.executor.answer(Answered(1, yes=True))
    job = await room.start("wait", never_ends())
    await room.until(lambda event: isinstance(event, JobProgressed))
    await room.executor.answer(Answered(3, yes=True))
    await room.executor.stop(job)
    assert room.hand.answers == [Answered(3, yes=True)]


async def test_what_undo_will_not_bring_back_is_listed_before_the_job(room: Room) -> None:
    write(room.repo, {".gitignore": "*.log\n", "run.log": "x\n", "node_modules/m.js": "m\n"})

    async def look(job: Job, report: Report) -> Outcome:
        await report(JobProgressed(job.number, "at work"))
        return Outcome("Looked.")

    await room.do("look", look)
    told = [event.text for event in room.events if isinstance(event, JobProgressed)]
    words = "undo will not bring back node_modules (excluded by setting) and run.log (git ignores it)"
    assert told == [words, "at work"]
    (room.repo / "more.log").write_text("x\n")
    await room.do("look", look)
    told = [event.text for event in room.events if isinstance(event, JobProgressed)]
    assert told[2:] == ["undo will not bring back more.log (git ignores it)", "at work"]


# ---------------------------------------------------------------------------- stop


async def test_stop_reports_what_was_written_and_nothing_late(room: Room) -> None:
    job = await room.start("wait", never_ends(b_py="b"))
    queued = await room.start("write c", writes(c_py="c"))
    await room.until(lambda event: isinstance(event, JobProgressed))
    await room.executor.stop()
    assert room.executor.running == ()
    first, second = await room.end(job), await room.end(queued)
    assert isinstance(first, JobStopped)
    assert first.outcome is not None
    assert first.outcome.changed == ("b.py",)
    assert second == JobStopped(queued), "it had not begun"
    assert [e.text for e in room.events if isinstance(e, JobProgressed)] == ["written"]
    assert QuestionWithdrawn(1) in room.events
    assert (await room.executor.undo()).changed == ("b.py",)
    assert not (room.repo / "c.py").exists()


async def test_stop_one_of_two(room: Room) -> None:
    job = await room.start("wait", never_ends())
    queued = await room.start("write c", writes(c_py="c"))
    await room.until(lambda event: isinstance(event, JobProgressed))
    await room.executor.stop(99)
    await room.executor.stop(job)
    assert isinstance(await room.end(queued), JobFinished)
    assert (room.repo / "c.py").exists()


class Slow(CheckpointStore):
    """A store whose checkpoints begin when they are given up."""

    def __init__(self, root: Path, repo: Path) -> None:
        super().__init__(root, repo)
        self.entered = threading.Event()

    def take(self, label: str, give_up: threading.Event | None = None) -> Checkpoint:
        self.entered.set()
        if give_up is not None:
            give_up.wait(30)
        return super().take(label, give_up)


async def test_a_checkpoint_under_way_is_given_up(room: Room) -> None:
    store = Slow(room.root, room.repo)
    room.new(store)
    job = await room.start("write b", writes(b_py="b"))
    assert await asyncio.to_thread(store.entered.wait, 30)
    await room.executor.stop(job)
    assert await room.end(job) == JobStopped(job)
    assert room.hand.jobs == []
    assert not (room.repo / "b.py").exists()


# ------------------------------------------------------------------------ frozen


def counts(file: Path) -> Deed:
    """A command that writes without end, in a process of its own and in one that leaves it."""
    script = (
        f"(while :; do echo x >> {file}; sleep 0.02; done) & while :; do echo x >> {file}; sleep 0.02; done"
    )

    async def deed(job: Job, _: Report) -> Outcome:
        await run_command(["sh", "-c", script], cwd=job.repo)
        return Outcome("never")

    return deed


async def test_a_pause_holds_every_process_where_it_is(room: Room, tmp_path: Path) -> None:
    file = tmp_path / "count"
    file.touch()
    job = await room.start("count", counts(file))
    assert await asyncio.to_thread(written, file)
    await room.executor.freeze(on=True)
    # A write that was under way may still end; who is not held writes many times in each of these waits.
    assert any([await asyncio.to_thread(silent, file, 0.4) for _ in range(3)])
    await room.executor.freeze(on=False)
    assert await asyncio.to_thread(written, file)
    await room.executor.freeze(on=True)
    await room.executor.stop(job)
    assert isinstance(await room.end(job), JobStopped)
    assert await asyncio.to_thread(silent, file, 0.2)


async def test_a_pause_of_nothing_holds_nothing(room: Room) -> None:
    await room.executor.freeze(on=True)
    assert isinstance(await room.do("write", writes(a_py="1")), JobFinished)
