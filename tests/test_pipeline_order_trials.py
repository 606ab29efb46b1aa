"""Sentences in quick succession to several agents: they are done as they were said, whatever waits."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest

from mybro import events as ev
from mybro.intent import Action
from tests.order_room import ENDS, FILE, World, world
from tests.trials import share

pytestmark = [pytest.mark.integration, pytest.mark.trial]

CLOSING_S = 10
NAMES = ("", "", "second agent, ", "parser agent, ", "docs agent, ")
SAYINGS = """
{who}write {file}|{who}write {file}|{who}write {file}|{who}ask me about {file}|{who}why is {file} like that
undo that|{who}undo that|redo that|stop|{agent} agent, stop|no, write {file} instead|and also write {file}
merge the {agent} agent's work|switch to the {agent} agent|what changed|what are you doing|yes|no|goodbye
{who}write {file}; undo that|{agent} agent, write {file}; {agent} agent, stop|undo that; {who}write {file}
{who}write {file}; first agent, stop|stop; {who}write {file}|{who}write {file}; and also write {file}
{agent} agent, write {file}; merge the {agent} agent's work|{who}ask me about {file}; no, write {file} instead
{agent} agent, stop; {agent} agent, write {file}|{agent} agent, write {file}; switch to the {agent} agent
"""
SPOKEN = [saying for line in SAYINGS.strip().splitlines() for saying in line.split("|")]
REASONS = ("stop", "undo", "redo", "instead", "goodbye")
"""What ends the work that was asked for before."""
REFUSALS = ("refused", "agent_busy", "no_such_agent", "no_worktree")


def script(dice: random.Random) -> list[tuple[float, str]]:
    """What is said, each after a gap in seconds."""
    said: list[tuple[float, str]] = []
    while len(said) < dice.randint(4, 12):
        agent = dice.choice(("first", "second", "parser", "docs"))
        for form in dice.choice(SPOKEN).split("; "):
            words = form.format(who=dice.choice(NAMES), file=f"f{len(said):02}", agent=agent)
            if words != "goodbye" or dice.random() < 0.2:
                said.append((dice.choice((0.0, 0.0, dice.random() * 0.3)), words))
    return said


def judge(told: World) -> None:
    """What holds whatever was said."""
    judge_ends(told)
    judge_order(told)
    judge_stops(told)
    judge_undone(told)


def judge_ends(told: World) -> None:
    """Each job ends once, nobody is stopped by what was said before, and nothing is left open."""
    state = told.pipeline.state
    ends = [event.job for event in told.of(*ENDS)]
    assert len(ends) == len(set(ends)), f"a job ended twice: {ends}"
    ended = told.pipeline.ended.is_set() and "goodbye" in told.spoken.values()
    if not ended:
        assert set(ends) == set(told.jobs)
        assert not (state.jobs or state.turns or state.questions or state.sweeping), state
    for event in told.of(ev.JobStopped) if not ended else ():
        turn = told.jobs[event.job].turn
        later = " ".join(words for number, words in told.spoken.items() if number > turn)
        assert any(reason in later for reason in REASONS), f"{told.spoken[turn]!r} was stopped for nothing"
    for event in told.of(ev.JobFailed, ev.StageFailed):
        assert event.problem.code in REFUSALS, event


def judge_order(told: World) -> None:
    """What writes in one place does so in the order of speech, and each agent in its own place."""
    last: dict[Path, int] = {}
    for deed in told.deeds:
        words = told.spoken[deed.turn]
        if told.jobs[deed.job].intent.kind == "task":  # what only reads goes beside
            assert last.get(deed.place, 0) < deed.turn, f"{words!r} came too late"
            last[deed.place] = deed.turn
        named = [name for name in ("parser", "docs") if words.startswith(f"{name} agent, ")]
        assert named in ([], [deed.place.name]), words


def judge_stops(told: World) -> None:
    """What was said before a stop neither begins nor writes once that is carried out."""
    for stop, swept in told.swept.items():
        who = told.spoken[stop].removesuffix("stop")
        for deed in told.deeds:
            words = told.spoken[deed.turn]
            if deed.turn < stop and words.startswith(who):
                late = [moment for moment in (deed.began, *deed.wrote) if moment > swept]
                assert not late, f"{words!r} went on after {told.spoken[stop]!r}"


def judge_undone(told: World) -> None:
    """An undo takes back what was said before it: not what comes after, and also what is not begun yet."""
    for event in told.of(ev.JobFinished):
        job = told.jobs[event.job]
        if job.intent.action is Action.UNDO:
            names = {name for path in event.outcome.changed for name in FILE.findall(path)}
            wanted = {turn for turn, words in told.spoken.items() if names & set(FILE.findall(words))}
            assert all(turn < job.turn for turn in wanted), f"undo {job.turn} took back {wanted}"
            before = told.spoken.get(job.turn - 1, "")
            if told.spoken[job.turn] == "undo that" and "write" in before:
                late = [d for d in told.deeds if d.turn == job.turn - 1 and d.began > told.ended[job.turn]]
                assert not late, f"{before!r} began after it was undone"


@pytest.mark.parametrize("seed", share(range(40), 3))
async def test_what_is_said_at_once_is_done_as_it_was_said(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    dice = random.Random(seed)
    async with world(tmp_path, seed, dice.choice((0.0, 0.03, 0.1))) as told:
        for gap, words in script(dice):
            await asyncio.sleep(gap)
            await told.say(words)
        await told.settle()
        closing = time.monotonic()
    assert time.monotonic() - closing < CLOSING_S
    judge(told)


@pytest.mark.parametrize("seed", share(range(20), 5))
async def test_two_sessions_in_one_repository(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    dice = random.Random(seed)

    async def tell(told: World, said: list[tuple[float, str]]) -> None:
        for gap, words in said:
            await asyncio.sleep(gap)
            if words != "goodbye":
                await told.say(words)
        await told.settle()

    async with world(tmp_path, seed, 0.03) as one, world(tmp_path, seed + 1000, 0.03) as other:
        await asyncio.gather(tell(one, script(dice)), tell(other, script(dice)))
    for told in (one, other):
        ends = [event.job for event in told.of(*ENDS)]
        assert sorted(ends) == sorted(told.jobs), "each job ends once"
        for event in told.of(ev.JobFailed, ev.StageFailed):
            others = ("worktree_busy", "repository_busy", "merge_refused")
            assert event.problem.code in (*REFUSALS, *others), event
