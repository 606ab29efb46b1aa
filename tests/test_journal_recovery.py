"""What is left when a session was killed, and what the next one makes of it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mybro.errors import JournalError
from mybro.events import JobAsked, JobStarted, Recalled, Transcript, Typed, Understood
from mybro.journal import Filter, Journal
from tests.journal_tools import NOON, Talk, Wall, begin, rows, task

pytestmark = pytest.mark.integration

KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from mybro.events import JobAsked, JobProgressed, JobStarted, Outcome, SpeechEnded, Transcript, Typed
from tests.journal_tools import begin, tone, utterance

async def main():
    talk = await begin(Path(sys.argv[1]))
    await talk.send(SpeechEnded(1, utterance(tone())))
    await talk.send(Typed(2, "only typed"))
    await talk.type(3, "understood")
    await talk.type(4, "accepted", accepted=True)
    await talk.type(5, "started", accepted=True)
    await talk.send(JobStarted(1, 5, "working", "before"), JobAsked(1, 1, "permission", "May I?"))
    for usd in (0.1, 0.25):
        so_far = Outcome("", cost_usd=usd, input_tokens=9000, output_tokens=80, session="s1")
        await talk.send(JobProgressed(1, "editing", so_far=so_far))
    await talk.send(JobProgressed(1, "thinking"))
    await talk.type(6, "done", accepted=True)
    await talk.work(6, 2)
    await talk.type(7, "dropped")
    await talk.journal.mark(7, "dropped")
    if sys.argv[2] == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    print("ready", flush=True)
    sys.stdin.read()

asyncio.run(main())
"""


def session_in_a_process(folder: Path, what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder), what],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parent.parent, env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )  # fmt: skip


@pytest.fixture
async def after(tmp_path: Path) -> AsyncIterator[Talk]:
    """A session that follows on one that was killed."""
    killed = session_in_a_process(tmp_path, "dies")
    killed.communicate(timeout=60)
    assert killed.returncode == -9
    talk = await begin(tmp_path, wall=Wall(NOON + 60))
    yield talk
    await talk.journal.aclose()


async def test_what_was_not_begun_is_offered_and_what_was_begun_is_only_told(after: Talk) -> None:
    left = await after.journal.unfinished()
    assert [(each.utterance.turn, each.utterance.state, each.offered) for each in left] == [
        (1, "heard", True),
        (2, "transcribed", True),
        (3, "understood", True),
        (4, "accepted", True),
        (5, "interrupted", False),
    ]
    assert left[0].utterance.audio is not None
    assert left[3].utterance.intent is not None
    assert left[3].utterance.intent.body["text"] == "accepted"
    (job,) = left[4].utterance.jobs
    assert (job.state, job.checkpoint_before) == ("interrupted", "before")
    assert job.permissions[0].answer == "withdrawn"


async def test_what_was_begun_is_told_once_and_the_rest_until_it_is_dealt_with(after: Talk) -> None:
    first = await after.journal.unfinished()
    again = await after.journal.unfinished()
    assert [each.utterance.id for each in again] == [each.utterance.id for each in first if each.offered]
    for each in again:
        await after.journal.discard(each.utterance.id)
    assert await after.journal.unfinished() == []


async def test_what_was_cut_off_has_cost_what_it_had_told_of(after: Talk) -> None:
    done = await after.journal.job_costs()
    await after.journal.unfinished()
    (cost,) = (await after.journal.job_costs())[len(done) :]
    assert (cost.title, cost.session, cost.usd) == ("working", "s1", 0.25)
    assert (cost.input_tokens, cost.output_tokens) == (9000, 80)
    before = await after.journal.costs()
    await after.journal.unfinished()
    assert await after.journal.costs() == before


async def test_the_session_is_closed_with_its_last_sign_of_life(after: Talk, tmp_path: Path) -> None:
    assert len(list((tmp_path / "sessions").iterdir())) == 2
    await after.journal.unfinished()
    closed = rows(tmp_path, "SELECT ended, clean FROM session ORDER BY started")
    assert closed == [(NOON, 0), (None, 0)]
    assert len(list((tmp_path / "sessions").iterdir())) == 1


async def test_a_sentence_taken_up_again_keeps_its_number(after: Talk) -> None:
    accepted = next(e.utterance for e in await after.journal.unfinished() if e.utterance.state == "accepted")
    await after.send(Typed(1, "something new"))
    await after.journal.adopt(accepted.id, 2)
    await after.send(Recalled(2, task("accepted")))
    await after.work(2, 1, "did it at last")
    found = await after.journal.utterance(accepted.id)
    assert (found.session, found.turn, found.state) == (after.journal.session, 2, "done")
    assert (found.text, found.jobs[0].summary) == ("accepted", "did it at last")
    events = await after.journal.events(accepted.id)
    assert [e.name for e in events] == ["Typed", "Understood", "Recalled", "JobStarted", "JobFinished"]
    assert events[0].session != events[-1].session


async def test_adopting_is_for_one_and_for_what_is_open(after: Talk, tmp_path: Path) -> None:
    left = {each.utterance.state: each.utterance.id for each in await after.journal.unfinished()}
    await after.send(Typed(1, "something new"))
    done = next(each.id for each in await after.journal.recent(9) if each.state == "done")
    with pytest.raises(JournalError) as taken_turn:
        await after.journal.adopt(left["accepted"], 1)
    await after.journal.adopt(left["accepted"], 2)
    other = await begin(tmp_path)
    refused = []
    for number in (left["accepted"], done, 999):
        for attempt in (other.journal.adopt(number, 1), other.journal.discard(number)):
            with pytest.raises(JournalError) as caught:
                await attempt
            refused.append(caught.value.code)
    await other.journal.aclose()
    assert taken_turn.value.code == "turn_taken"
    assert refused == ["not_unfinished"] * 6


async def test_what_was_interrupted_can_be_taken_up_when_asked(after: Talk) -> None:
    left = [each for each in await after.journal.unfinished() if not each.offered]
    await after.journal.discard(left[0].utterance.id)
    assert (await after.journal.utterance(left[0].utterance.id)).state == "interrupted"
    await after.journal.adopt(left[0].utterance.id, 1)
    assert (await after.journal.utterance(left[0].utterance.id)).state == "accepted"


async def test_offered_but_killed_again_it_is_offered_again(after: Talk, tmp_path: Path) -> None:
    accepted = next(e.utterance for e in await after.journal.unfinished() if e.utterance.state == "accepted")
    code = (
        "import asyncio, os, sys; from pathlib import Path; from tests.journal_tools import begin\n"
        "async def main():\n"
        " talk = await begin(Path(sys.argv[1])); await talk.journal.adopt(int(sys.argv[2]), 1); os._exit(0)\n"
        "asyncio.run(main())"
    )
    adopter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), str(accepted.id), cwd=Path(__file__).parent.parent
    )
    assert await adopter.wait() == 0
    assert accepted.id in [each.utterance.id for each in await after.journal.unfinished() if each.offered]


async def test_a_running_session_is_left_alone(tmp_path: Path) -> None:
    running = session_in_a_process(tmp_path, "waits")
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    talk = await begin(tmp_path)
    assert await talk.journal.unfinished() == []
    assert [each.state for each in await talk.journal.recent(9)][2] == "started"
    assert await talk.journal.recent(9, Filter(failed=True)) == []
    running.kill()
    running.communicate()
    # Nobody has recovered it yet, and history says so all the same.
    (lost,) = await talk.journal.recent(9, Filter(failed=True))
    assert (lost.state, lost.jobs[0].state) == ("interrupted", "interrupted")
    assert len(await talk.journal.unfinished()) == 5
    await talk.journal.aclose()


async def test_a_session_that_ended_in_order_leaves_only_what_it_had_accepted(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    await talk.send(Transcript(1, "mute", True, 5), Understood(1, task("mute")))
    await talk.type(2, "accepted", accepted=True)
    await talk.type(3, "started", accepted=True)
    await talk.send(JobStarted(1, 3, "working"), JobAsked(1, 1, "permission", "May I?"))
    await talk.journal.aclose()
    journal = await Journal.open(tmp_path / "journal.db")
    left = await journal.unfinished()
    assert [(each.utterance.turn, each.offered) for each in left] == [(2, True), (3, False)]
    await journal.aclose()
