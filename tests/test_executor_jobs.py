"""Jobs in a real repository with real checkpoints: queued, stopped, failed, undone, recovered."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from mybro.clock import Clock, MonotonicClock
from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import (
    Answered,
    Event,
    JobFailed,
    JobFinished,
    JobProgressed,
    JobStarted,
    JobStopped,
    Outcome,
    QuestionWithdrawn,
)
from mybro.executor.checkpoint import Checkpoint, CheckpointStore, History, Limits
from mybro.executor.hand import Job, JobError, Report
from mybro.executor.jobs import Executor, limits
from mybro.intent import Action, Arguments, Intent
from mybro.ops.tree import run_command
from tests.executor_tools import new_repository, write
from tests.fakes.audio import ManualClock
from tests.fakes.executor import git, image
from tests.fakes.ops import silent, written

pytestmark = pytest.mark.integration

Deed = Callable[[Job, Report], Awaitable[Outcome]]


class Scripted:
    """A hand that does what the test says, by the sentence of the job."""

    def __init__(self, *, only_local: bool = False) -> None:
        self.deeds: dict[str, Deed] = {}
        self.jobs: list[Job] = []
        self.answers: list[Answered] = []
        self.closed = 0
        self.at_work = 0
        self.left_running: tuple[str, ...] = ()
        self._only_local = only_local

    def handles(self, intent: Intent) -> bool:
        return intent.kind == "local" or not self._only_local

    async def run(self, job: Job, report: Report) -> Outcome:
        self.jobs.append(job)
        self.at_work += 1
        try:
            return await self.deeds[job.intent.text](job, report)
        finally:
            self.at_work -= 1

    async def stop(self) -> tuple[str, ...]:
        assert not self.at_work, "an executor stops its jobs itself"
        left, self.left_running = self.left_running, ()
        return left

    async def answer(self, answer: Answered) -> None:
        self.answers.append(answer)

    async def aclose(self) -> None:
        self.closed += 1


class Room:
    """An executor with its hands, and everything that it emits."""

    def __init__(self, repo: Path, root: Path) -> None:
        self.repo, self.root = repo, root
        self.hand = Scripted()
        self.events: list[Event] = []
        self.clock: Clock = MonotonicClock()
        self.executor = self.new()
        self._number = 0
        self._happened = asyncio.Event()

    def new(
        self, store: CheckpointStore | None = None, *hands: Scripted, checkpoints: bool = True
    ) -> Executor:
        store = store or (CheckpointStore(self.root, self.repo) if checkpoints else None)
        self.executor = Executor(
            ExecutorSettings(), self.repo, self.emit, hands or (self.hand,), store, self.clock
        )
        return self.executor

    async def emit(self, event: Event) -> None:
        self.events.append(event)
        self._happened.set()

    async def start(self, text: str, deed: Deed | None = None, action: Action | None = None) -> int:
        if deed is not None:
            self.hand.deeds[text] = deed
        self._number += 1
        intent = Intent(kind="local" if action else "task", action=action, text=text)
        await self.executor.start(self._number, 10 + self._number, intent)
        return self._number

    async def do(self, text: str, deed: Deed | None = None, action: Action | None = None) -> Event:
        return await self.end(await self.start(text, deed, action))

    async def end(self, job: int) -> Event:
        def over(event: Event) -> bool:
            return isinstance(event, JobFinished | JobFailed | JobStopped) and event.job == job

        return await self.until(over)

    async def until(self, wanted: Callable[[Event], bool]) -> Event:
        async with asyncio.timeout(30):
            while True:
                found = [event for event in self.events if wanted(event)]
                if found:
                    return found[0]
                self._happened.clear()
                await self._happened.wait()

    async def began(self, job: int) -> None:
        await self.until(lambda event: isinstance(event, JobStarted) and event.job == job)


def writes(**files: str) -> Deed:
    async def deed(job: Job, _: Report) -> Outcome:
        write(job.repo, {name.replace("_py", ".py"): text for name, text in files.items()})
        return Outcome("Written.")

    return deed


def never_ends(**files: str) -> Deed:
    async def deed(job: Job, report: Report) -> Outcome:
        await writes(**files)(job, report)
        await report(JobProgressed(job.number, "written"))
        try:
            await asyncio.Event().wait()
        finally:
            await report(JobProgressed(job.number, "too late"))
            await report(QuestionWithdrawn(1))
        return Outcome("never")

    return deed


def fails(error: Exception, **files: str) -> Deed:
    async def deed(job: Job, report: Report) -> Outcome:
        await writes(**files)(job, report)
        raise error

    return deed


@pytest.fixture
async def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    room = Room(new_repository(tmp_path / "shop", {"a.py": "a = 1\n"}), tmp_path / "checkpoints")
    yield room
    await room.executor.aclose()


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
    assert limits(settings) == Limits(max_file_bytes=3 << 20, folders=("x",), ignored=True)
    assert limits(ExecutorSettings()) == Limits()


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
