"""What has become part of a job ends with it, once, however close the two come."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro.errors import Problem
from mybro.events import Event, JobAdded, JobFailed, JobFinished, JobStarted, JobStopped, Outcome
from mybro.executor import adding
from mybro.executor.hand import Job
from mybro.executor.running import Running
from mybro.intent import Intent

pytestmark = pytest.mark.unit


def job(number: int) -> Job:
    return Job(number, number, Intent(kind="task", text="x"), Path("/repo"), lambda: 1)


class Taker:
    """Takes more, or not."""

    def __init__(self, takes: bool = True) -> None:
        self.takes = takes

    async def add(self, more: Job) -> bool:
        return self.takes


def running(hand: object) -> Running:
    made = Running(job(1), reads=False)
    made.hand = hand  # type: ignore[assignment]
    return made


@pytest.mark.parametrize(
    ("end", "same"),
    [
        (JobFinished(1, Outcome("Done", cost_usd=0.5)), JobFinished(2, Outcome("Done"))),
        (JobFailed(1, Problem("x", "bad")), JobFailed(2, Problem("x", "bad"))),
        (JobStopped(1), JobStopped(2)),
    ],
)
async def test_it_ends_as_the_job_does(end: Event, same: Event) -> None:
    told: list[Event] = []

    async def emit(event: Event) -> None:
        told.append(event)

    host = running(Taker())
    assert await adding.add(job(2), host, emit)
    await adding.end(host, end, emit)
    assert told == [JobAdded(2, 1), JobStarted(2, 2, "\u201cx\u201d"), end, same]


@pytest.mark.parametrize("moment", [JobAdded, JobStarted])
async def test_a_job_that_ends_while_something_is_added_ends_it_once(moment: type[Event]) -> None:
    told: list[Event] = []
    host = running(Taker())

    async def emit(event: Event) -> None:
        told.append(event)
        if isinstance(event, moment) and host.ended is None:
            await adding.end(host, JobStopped(1), emit)

    assert await adding.add(job(2), host, emit)
    assert told.count(JobStopped(2)) == 1
    assert told[-1] == JobStopped(2)


async def test_who_is_stopping_or_takes_nothing_is_not_added_to() -> None:
    async def emit(event: Event) -> None:
        raise AssertionError(event)

    assert not await adding.add(job(2), running(Taker(takes=False)), emit)
    assert not await adding.add(job(2), running(object()), emit)
    host = running(Taker())
    host.stopping = True
    assert not await adding.add(job(2), host, emit)


def test_what_is_to_be_done_comes_after_what_was_said_before() -> None:
    first, last, looks = running(Taker()), running(Taker()), Running(job(3), reads=True)
    assert adding.hosts(Intent(kind="task", text="and also y"), [first, last, looks]) == [last]
    assert adding.hosts(Intent(kind="question", text="why"), [first, last]) == [first, last]
    assert adding.hosts(Intent(kind="task", text="and also y"), []) == []
