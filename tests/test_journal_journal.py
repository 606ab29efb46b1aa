from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from mybro.errors import Problem
from mybro.events import (
    Answered,
    AudioBlock,
    JobAsked,
    JobFailed,
    JobFinished,
    JobProgressed,
    JobStarted,
    JobStopped,
    LevelMeasured,
    Outcome,
    QuestionWithdrawn,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Typed,
    Understood,
)
from mybro.intent import Action, Intent
from mybro.journal import Filter
from tests.journal_tools import (
    NOON,
    REPO,
    Talk,
    Wall,
    begin,
    rows,
    run_tests,
    talk,
    task,
    tone,
    utterance,
)

__all__ = ["talk"]
pytestmark = pytest.mark.integration


async def test_a_spoken_sentence_and_all_that_came_of_it(talk: Talk) -> None:
    journal, audio = talk.journal, tone()
    await talk.send(
        SpeechStarted(1, 1700),
        SpeechEnded(1, utterance(audio)),
        Transcript(1, "run", False, 900),
        Transcript(1, "run the tests", True, 1900, "en", "faster-whisper/tiny.en", 212.0, 0.01, -0.2),
        Understood(1, run_tests(), 0.4),
    )
    assert (await journal.utterance(1)).state == "understood"
    await journal.mark(1, "accepted")
    assert (await journal.utterance(1)).state == "accepted"
    await talk.send(
        JobStarted(5, 1, "running the tests", "before"),
        JobProgressed(5, "pytest -q"),
        JobAsked(5, 9, "permission", "May it run npm install?", "npm install", risk="write"),
        Answered(9, True, by="key"),
    )
    assert (await journal.utterance(1)).state == "started"
    outcome = Outcome("3 passed", True, "3 passed in 2 s", ("a.py", "ü.py"), 0.02, 900, 30, "abc", "after")
    await talk.send(JobFinished(5, outcome))

    (found,) = await journal.recent()
    assert (found.id, found.turn, found.source, found.state) == (1, 1, "voice", "done")
    assert (found.text, found.repo, found.session) == ("run the tests", str(REPO), journal.session)
    assert (found.duration_s, found.speech_start, found.speech_end) == (audio.seconds, 100, 4700)
    assert [t.text for t in found.transcripts] == ["run", "run the tests"]
    assert found.intent is not None
    assert (found.intent.kind, found.intent.action) == ("local", "test")
    assert (await journal.recording(found)) == AudioBlock(0, audio.pcm)
    (job,) = found.jobs
    assert (job.number, job.title, job.state, job.ok) == (5, "running the tests", "done", True)
    assert (job.changed, job.detail) == (("a.py", "ü.py"), "3 passed in 2 s")
    assert (job.checkpoint_before, job.checkpoint_after, job.coding_session) == ("before", "after", "abc")
    assert (job.cost_usd, job.input_tokens, job.output_tokens) == (0.02, 900, 30)
    (asked,) = job.permissions
    assert (asked.text, asked.answer, asked.by) == ("May it run npm install?", "yes", "key")


async def test_what_record_returned_from_is_on_disk(talk: Talk, tmp_path: Path) -> None:
    await talk.send(Typed(1, "add a test"))
    assert rows(tmp_path, "SELECT text FROM transcript") == [("add a test",)]
    await talk.journal.mark(1, "accepted")
    assert rows(tmp_path, "SELECT state FROM utterance") == [("accepted",)]


async def test_every_commit_is_synced(talk: Talk) -> None:
    async with talk.journal._engine.connect() as connection:
        full = (await connection.exec_driver_sql("PRAGMA synchronous")).scalar()
        log = (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar()
        keys = (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar()
    assert (full, log, keys) == (2, "wal", 1)


async def test_an_event_is_taken_once(talk: Talk, tmp_path: Path) -> None:
    envelopes = [talk.envelope(e) for e in (Typed(1, "push it"), Understood(1, task("push it")))]
    outcome = Outcome("pushed", cost_usd=1.0)
    envelopes += [talk.envelope(e) for e in (JobStarted(2, 1, "pushing"), JobFinished(2, outcome))]
    for envelope in (*envelopes, *envelopes, envelopes[0]):
        await talk.journal.record(envelope)
    assert rows(tmp_path, "SELECT count(*) FROM event") == [(4,)]
    (found,) = await talk.journal.recent()
    assert (len(found.transcripts), len(found.jobs), found.cost_usd) == (1, 1, 1.0)


async def test_concurrent_records_share_commits_and_keep_their_order(talk: Talk) -> None:
    commits = 0

    def count(_connection: object) -> None:
        nonlocal commits
        commits += 1

    envelopes = [talk.envelope(Typed(turn, f"sentence {turn}")) for turn in range(1, 61)]
    event.listen(Engine, "commit", count)
    try:
        await asyncio.gather(*(talk.journal.record(envelope) for envelope in envelopes))
    finally:
        event.remove(Engine, "commit", count)
    assert 0 < commits < 10
    found = await talk.journal.recent(100)
    assert [each.text for each in found] == [f"sentence {turn}" for turn in range(60, 0, -1)]
    assert [e.event for e in await talk.journal.envelopes(talk.journal.session or "")] == [
        envelope.event for envelope in envelopes
    ]


async def test_events_before_the_recording_keep_their_place(talk: Talk, tmp_path: Path) -> None:
    """The sound takes longer to write than the words that follow it."""
    envelopes = [
        talk.envelope(SpeechEnded(1, utterance(tone(8.0)))),
        talk.envelope(Transcript(1, "undo that", True, 900)),
    ]
    await asyncio.gather(*(talk.journal.record(envelope) for envelope in envelopes))
    assert rows(tmp_path, "SELECT id, state, audio IS NOT NULL FROM utterance") == [(1, "transcribed", 1)]


async def test_noise_is_not_kept(talk: Talk, tmp_path: Path) -> None:
    await talk.send(LevelMeasured(1, -20.0, -9.0), JobProgressed(1, "words", "words"))
    assert rows(tmp_path, "SELECT count(*) FROM event") == [(0,)]


async def test_silence_is_dropped_and_only_listed_on_demand(talk: Talk) -> None:
    await talk.speak(1, " ")
    assert await talk.journal.recent() == []
    (found,) = await talk.journal.recent(5, Filter(wordless=True))
    assert (found.state, found.text) == ("dropped", " ")


async def test_a_state_never_goes_back(talk: Talk) -> None:
    await talk.type(1, "push it")
    await talk.journal.mark(1, "dropped")
    await talk.send(Understood(1, task("push it")))
    await talk.journal.mark(1, "accepted")
    assert (await talk.journal.utterance(1)).state == "dropped"


async def test_a_turn_of_which_nothing_was_heard_leaves_nothing(talk: Talk, tmp_path: Path) -> None:
    await talk.send(SpeechStarted(1, 900))
    await talk.journal.mark(1, "dropped")
    assert rows(tmp_path, "SELECT count(*) FROM utterance") == [(0,)]


async def test_numbers_used_twice_change_nothing(talk: Talk) -> None:
    await talk.type(1, "install it")
    await talk.send(JobStarted(1, 1, "installing"), JobAsked(1, 1, "permission", "First?"))
    await talk.send(JobStarted(1, 1, "again"), JobAsked(1, 1, "permission", "Second?"))
    (job,) = (await talk.journal.utterance(1)).jobs
    assert (job.title, [asked.text for asked in job.permissions]) == ("installing", ["First?"])


async def test_a_repository_belongs_to_the_words_said_before_it_changed(talk: Talk) -> None:
    recording = asyncio.create_task(talk.journal.record(talk.envelope(Typed(1, "here"))))
    await asyncio.sleep(0)
    talk.journal.switch(Path("/home/ada/other"))
    await recording
    assert (await talk.journal.utterance(1)).repo == str(REPO)


async def test_a_job_that_starts_counts_after_an_end(talk: Talk) -> None:
    await talk.type(1, "try again")
    await talk.work(1, 2)
    await talk.send(JobStarted(3, 1, "again"))
    assert (await talk.journal.utterance(1)).state == "started"
    await talk.send(JobStopped(3))
    found = await talk.journal.utterance(1)
    assert (found.state, [job.state for job in found.jobs]) == ("stopped", ["done", "stopped"])


async def test_the_last_of_several_jobs_ends_the_utterance(talk: Talk) -> None:
    await talk.type(1, "both")
    await talk.send(JobStarted(2, 1, "one"), JobStarted(3, 1, "two"), JobFinished(2, Outcome("one")))
    assert (await talk.journal.utterance(1)).state == "started"
    await talk.send(JobFailed(3, Problem("cli_died", "it died"), Outcome("", cost_usd=0.5)))
    found = await talk.journal.utterance(1)
    assert (found.state, found.jobs[1].summary, found.jobs[1].ok) == ("failed", "it died", False)
    assert found.cost_usd == 0.5


@pytest.mark.parametrize(
    ("intent", "state"),
    [
        (Intent(kind="control", action=Action.MUTE, text="mute"), "done"),
        (Intent(kind="control", action=Action.UNDO, text="undo"), "understood"),
        (Intent(kind="chat", reply="Hello", text="hello"), "done"),
        (Intent(kind="chat", text="hello"), "understood"),
        (Intent(kind="question", text="why"), "understood"),
    ],
)
async def test_what_starts_no_work_is_over_once_understood(talk: Talk, intent: Intent, state: str) -> None:
    await talk.send(Typed(1, intent.text), Understood(1, intent))
    assert (await talk.journal.utterance(1)).state == state


async def test_the_first_answer_stands(talk: Talk) -> None:
    await talk.type(1, "install it")
    await talk.send(JobStarted(1, 1, "installing"))
    await talk.send(*(JobAsked(1, number, "permission", f"question {number}?") for number in (1, 2, 3)))
    await talk.send(Answered(1, False), Answered(1, True), QuestionWithdrawn(1))
    await talk.send(QuestionWithdrawn(2), Answered(3, True, "the second", always=True))
    asked = (await talk.journal.utterance(1)).jobs[0].permissions
    assert [each.answer for each in asked] == ["no", "withdrawn", "always"]
    assert asked[2].choice == "the second"


async def test_a_job_whose_start_was_never_written_is_kept(talk: Talk, tmp_path: Path) -> None:
    await talk.send(JobFinished(7, Outcome("done", cost_usd=0.25)))
    assert rows(tmp_path, "SELECT number, summary FROM job") == [(7, "done")]
    (day,) = await talk.journal.costs()
    assert day.usd == 0.25


async def test_costs_by_day(tmp_path: Path) -> None:
    wall = Wall()
    talk = await begin(tmp_path, wall=wall)
    for day in range(3):
        wall.now = NOON + day * 86_400
        await talk.type(day, "work")
        await talk.work(day, day, cost_usd=0.5, input_tokens=10 * (day + 1), output_tokens=1)
        await talk.work(day, 10 + day, cost_usd=0.25)
    costs = await talk.journal.costs()
    assert [(c.usd, c.input_tokens, c.output_tokens) for c in costs] == [
        (0.75, 10, 1), (0.75, 20, 1), (0.75, 30, 1)
    ]  # fmt: skip
    assert [c.day for c in costs] == sorted(c.day for c in costs)
    assert len(await talk.journal.costs(NOON + 86_400)) == 2
    await talk.journal.aclose()


async def test_searching_and_turning_pages(talk: Talk) -> None:
    for turn, text in enumerate(["Füge einen TEST hinzu", "push it", "run the tests", "STRASSE"], 1):
        await talk.type(turn, text)
    await talk.work(2, 1, "pushed two commits")

    async def found(**wanted: object) -> list[int]:
        return [each.id for each in await talk.journal.recent(10, Filter(**wanted))]  # type: ignore[arg-type]

    assert await found(search="test") == [3, 1]
    assert await found(search="TESTS run") == [3]
    assert await found(search="füge") == [1]
    assert await found(search="straße") == [4]
    assert await found(search="commits") == [2]
    assert await found(search="100%") == []
    assert await found(before=3) == [2, 1]
    assert await found(after=2) == [3, 4]
    assert [each.id for each in await talk.journal.recent(2)] == [4, 3]
