"""Several agents in one real repository, each in its own working tree."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from mybro.clock import MonotonicClock
from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import (
    Event,
    JobAsked,
    JobFailed,
    JobFinished,
    JobQueued,
    JobStarted,
    JobStopped,
    Outcome,
    Swept,
)
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.crew import MOST_AGENTS, Crew
from mybro.executor.hand import Job, Report
from mybro.executor.jobs import Executor
from mybro.executor.worktrees import Worktrees
from mybro.intent import Action, Arguments, Intent
from tests.executor_room import Scripted
from tests.projects import git, shop

__all__ = ["shop"]
pytestmark = pytest.mark.integration

LIMIT_S = 120


class Room:
    """A crew whose hands write a file that is named like the sentence."""

    def __init__(self, repo: Path, root: Path) -> None:
        self.repo, self._root = repo, root
        self.events: list[Event] = []
        self.questions: list[int] = []
        self._happened = asyncio.Event()
        self.crew = Crew(repo, self.emit, self.build)
        self._number = 0

    async def emit(self, event: Event) -> None:
        self.events.append(event)
        self._happened.set()

    def build(self, place: Path, report: Report, questions: Iterator[int]) -> Executor:
        hand = Scripted()

        async def write(job: Job, report: Report) -> Outcome:
            (job.repo / f"{job.intent.text.replace(' ', '_')}.txt").write_text("done\n")
            return Outcome("Written.")

        async def ask(job: Job, report: Report) -> Outcome:
            number = job.next_question()
            self.questions.append(number)
            await report(JobAsked(job.number, number, "permission", "May I?"))
            return Outcome("Asked.")

        async def wait(job: Job, report: Report) -> Outcome:
            await asyncio.Event().wait()
            raise AssertionError

        hand.deeds = {"one": write, "two": write, "three": write, "ask": ask, "wait": wait}
        store = CheckpointStore(self._root, place)
        return Executor(ExecutorSettings(), place, report, (hand,), store, MonotonicClock(), questions)

    async def start(self, text: str, agent: str | None = None, **more: object) -> int:
        self._number += 1
        fields = {"kind": "task", "text": text, "agent": agent, **more}
        await self.crew.start(self._number, self._number, Intent.model_validate(fields))
        return self._number

    async def do(self, text: str, agent: str | None = None, **more: object) -> Event:
        number = await self.start(text, agent, **more)
        return await self.end(number)

    async def end(self, job: int) -> Event:
        async with asyncio.timeout(LIMIT_S):
            while True:
                for event in self.events:
                    if isinstance(event, JobFinished | JobFailed | JobStopped) and event.job == job:
                        return event
                self._happened.clear()
                await self._happened.wait()

    def titles(self) -> list[str]:
        return [event.title for event in self.events if isinstance(event, JobStarted)]


def summary(event: Event) -> str:
    assert isinstance(event, JobFinished), event
    return event.outcome.summary


@pytest.fixture
async def room(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    made = Room(shop, tmp_path / "data" / "checkpoints")
    yield made
    await made.crew.aclose()


async def test_one_agent_is_not_named(room: Room) -> None:
    assert summary(await room.do("one")).startswith("Written")
    assert (room.repo / "one.txt").exists()
    assert not any("agent" in title for title in room.titles())


async def test_each_agent_works_in_its_own_tree_and_its_work_is_merged(room: Room) -> None:
    assert summary(await room.do("one", "2")).startswith("Second agent: Written")
    assert summary(await room.do("two", "docs")).startswith("Docs agent: Written")
    assert summary(await room.do("three", "2")).startswith("Second agent: ")
    assert not list(room.repo.glob("*.txt"))
    merged = summary(await room.do("merge the second agent's work"))
    assert "2 files" in merged
    assert {path.name for path in room.repo.glob("*.txt")} == {"one.txt", "three.txt"}
    assert "1 file" in summary(await room.do("merge the work of the docs agent"))
    assert (room.repo / "two.txt").exists()
    assert "mybro/" not in git(room.repo, "branch")
    await room.crew.undo()
    assert not (room.repo / "two.txt").exists()


async def test_an_agent_whose_working_tree_another_program_merged_gets_a_new_one(room: Room) -> None:
    await room.do("one", "2")
    await room.do("two", "docs")
    Worktrees(room.repo).merge("second")
    refused = await room.do("merge the second agent's work")
    assert isinstance(refused, JobFailed)
    assert refused.problem.code == "no_worktree"
    assert summary(await room.do("three", "2")).startswith("Second agent: Written")
    assert not (room.repo / "three.txt").exists()
    assert "1 file" in summary(await room.do("merge the second agent's work"))
    assert (room.repo / "three.txt").exists()
    assert summary(await room.do("two", "docs")).startswith("Docs agent: ")


async def test_agents_work_at_the_same_time_and_one_is_stopped_alone(room: Room) -> None:
    first, second = await room.start("wait"), await room.start("wait", "new")
    third = await room.do("one", "new")
    assert summary(third).startswith("Third agent")
    assert await room.crew.stop_agent("2") == Swept(1)
    assert isinstance(await room.end(second), JobStopped)
    assert not [event for event in room.events if isinstance(event, JobStopped) and event.job == first]
    with pytest.raises(ExecutorError, match="there is no nobody agent"):
        await room.crew.stop_agent("nobody")
    await room.crew.stop()
    assert isinstance(await room.end(first), JobStopped)
    assert await room.crew.sweep() == ()


async def test_what_changed_is_told_of_one_agent_and_of_all(room: Room) -> None:
    def changes(since: str | None = None) -> dict[str, Any]:
        return {"kind": "local", "action": Action.CHANGES, "arguments": Arguments(since=since)}

    assert summary(await room.do("x", **changes())) == "Nothing has changed since."
    await room.do("one")
    assert summary(await room.do("x", **changes())) == "1 file changed: one.txt."
    await room.do("two", "docs")
    await room.do("three", "docs")
    told = await room.do("x", "docs", **changes())
    assert isinstance(told, JobFinished)
    assert told.outcome.summary == "Docs agent: 2 files changed: three.txt and two.txt."
    assert told.outcome.detail == "added    three.txt\nadded    two.txt"
    assert summary(await room.do("x", "docs", **changes("my last command"))) == (
        "Docs agent: 1 file changed: three.txt."
    )
    both = summary(await room.do("x", **changes("this morning")))
    assert both.startswith("First agent: 1 file changed: one.txt.")
    assert "Docs agent: 2 files changed" in both
    nobody = await room.do("x", "nobody", **changes())
    assert isinstance(nobody, JobFailed)


async def test_what_changed_while_nobody_was_there_is_told_after_a_restart(room: Room) -> None:
    """A person has something done, leaves, and mybro is started anew before they are back."""
    await room.do("one")
    await room.crew.aclose()
    (room.repo / "meanwhile.txt").write_text("by somebody else\n")
    room.crew = Crew(room.repo, room.emit, room.build)
    left: dict[str, Any] = {"kind": "local", "action": Action.CHANGES, "arguments": Arguments(since="I left")}
    told = await room.do("x", **left)
    assert summary(told) == "2 files changed: meanwhile.txt and one.txt."


async def test_what_is_added_comes_next_where_the_hand_takes_nothing(room: Room) -> None:
    host = await room.start("wait")
    await room.crew.add(50, 50, Intent(kind="task", text="one"))
    assert [event for event in room.events if isinstance(event, JobQueued)] == [JobQueued(50)]
    await room.crew.stop(host)
    await room.end(host)
    assert summary(await room.end(50)) == "Written."
    await room.crew.add(51, 51, Intent(kind="task", text="two"))
    assert summary(await room.end(51)) == "Written."
    assert len([event for event in room.events if isinstance(event, JobQueued)]) == 1


async def test_the_focus_moves_by_name_and_by_turns(room: Room) -> None:
    await room.do("one", "docs")
    switch = {"kind": "local", "action": Action.SWITCH_AGENT}
    said = await room.do("x", **switch, arguments=Arguments(name="docs"))
    assert summary(said) == "The docs agent listens now."
    assert summary(await room.do("two")).startswith("Docs agent")
    assert summary(await room.do("x", **switch)) == "The first agent listens now."
    assert (
        summary(await room.do("x", **switch, arguments=Arguments(name="two")))
        == "The docs agent listens now."
    )
    gone = await room.do("x", **switch, arguments=Arguments(name="codex"))
    assert isinstance(gone, JobFailed) and "no codex agent" in gone.problem.message


async def test_undo_takes_back_what_was_done_last_whoever_did_it(room: Room, tmp_path: Path) -> None:
    await room.do("one")
    await room.do("two", "2")
    tree = next((tmp_path / "data" / "worktrees").glob("*/second"))
    assert (tree / "two.txt").exists()
    await room.crew.undo()
    assert not (tree / "two.txt").exists()
    assert (room.repo / "one.txt").exists()


async def test_an_agent_that_is_named_has_its_own_work_taken_back(room: Room, tmp_path: Path) -> None:
    await room.do("one")
    await room.do("two", "2")
    await room.do("three", "3")
    folder = next((tmp_path / "data" / "worktrees").iterdir())
    undone = await room.crew.undo(1, "2")
    assert undone.summary.startswith("Second agent: Undone")
    assert not (folder / "second" / "two.txt").exists()
    assert (folder / "third" / "three.txt").exists()
    assert (await room.crew.redo()).changed == ("two.txt",)
    await room.crew.undo(1, "1")
    assert not (room.repo / "one.txt").exists()
    with pytest.raises(ExecutorError, match="no codex agent"):
        await room.crew.undo(1, "codex")


async def test_who_is_named_first_is_second_and_a_stop_reaches_what_is_not_handed_over(room: Room) -> None:
    said = [("two", "2"), ("one", None), ("three", "parser"), ("two", "3"), ("one", "docs"), ("two", "docs")]
    handed = [asyncio.create_task(room.start(text, agent)) for text, agent in said]
    await asyncio.sleep(0)
    assert (await room.crew.stop_agent("docs")).stopped == 2
    assert [type(await room.end(job)) for job in range(1, 7)] == [JobFinished] * 4 + [JobStopped] * 2
    await asyncio.gather(*handed)
    begun = {event.job: event.title for event in room.events if isinstance(event, JobStarted)}
    assert begun[1].startswith("Second agent"), begun
    assert begun[4].startswith("Parser agent"), begun
    assert [tree.name for tree in Worktrees(room.repo).all()] == ["parser", "second"]


async def test_questions_of_all_agents_are_counted_together(room: Room) -> None:
    await room.do("ask")
    await room.do("ask", "2")
    await room.do("ask", "3")
    assert room.questions == [1, 3, 5]
    asked = [event.text for event in room.events if isinstance(event, JobAsked)]
    assert asked == ["May I?", "Second agent: May I?", "Third agent: May I?"]


async def test_nobody_is_made_up(room: Room) -> None:
    for text, fields in (
        ("why", {"agent": "parser", "kind": "question"}),
        ("one", {"agent": "7"}),
        ("one", {"agent": "all"}),
        ("merge the ninth agent's work", {}),
    ):
        failed = await room.do(text, **fields)
        assert isinstance(failed, JobFailed) and failed.problem.code == "no_such_agent", text
    assert summary(await room.do("one", "new")).startswith("Second")
    refused = await room.do("merge the first agent's work")
    assert isinstance(refused, JobFinished) and not refused.outcome.ok


async def test_an_agent_at_work_is_not_merged_and_there_are_not_too_many(room: Room) -> None:
    await room.start("wait", "2")
    busy = await room.do("merge the second agent's work")
    assert isinstance(busy, JobFailed) and busy.problem.code == "agent_busy"
    await room.crew.stop()
    for _ in range(MOST_AGENTS - 2):
        await room.do("one", "new")
    many = await room.do("one", "new")
    assert isinstance(many, JobFailed) and many.problem.code == "too_many_agents"


async def test_conflicts_are_told_and_the_agent_stays(room: Room) -> None:
    await room.do("one", "2")
    (room.repo / "one.txt").write_text("mine\n")
    git(room.repo, "add", ".")
    git(room.repo, "commit", "-qm", "mine")
    told = await room.do("merge the second agent's work")
    assert isinstance(told, JobFinished) and not told.outcome.ok
    assert "one.txt" in told.outcome.summary
    assert summary(await room.do("two", "2")).startswith("Second agent")
