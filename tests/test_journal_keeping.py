"""What the journal keeps and where, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mybro.config import JournalSettings
from mybro.errors import JournalError
from mybro.events import (
    Envelope,
    JobFinished,
    JobStarted,
    Outcome,
    SayStarted,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Typed,
)
from mybro.journal import Filter, Journal
from mybro.journal.writer import MAX_GROUP
from tests.journal_tools import (
    NOON,
    REPO,
    Talk,
    begin,
    everything,
    recordings,
    rows,
    talk,
    tone,
    utterance,
)

__all__ = ["talk"]
pytestmark = pytest.mark.integration


async def test_each_repository_has_its_own(talk: Talk) -> None:
    await talk.type(1, "here")
    talk.journal.switch(Path("/home/ada/other"))
    await talk.type(2, "there")
    (there,) = await talk.journal.recent(5, Filter(repo="/home/ada/other"))
    assert there.text == "there"


async def test_without_audio_no_sound_is_kept(tmp_path: Path) -> None:
    talk = await begin(tmp_path, settings=JournalSettings(keep_audio=False))
    await talk.speak(1, "stop")
    found = await talk.journal.utterance(1)
    assert found.audio is None
    assert found.duration_s == pytest.approx(0.3)
    with pytest.raises(JournalError, match="without its sound"):
        await talk.journal.recording(found)
    await talk.journal.aclose()
    assert recordings(tmp_path) == []


async def test_a_recording_that_is_gone_or_was_changed(talk: Talk) -> None:
    await talk.speak(1, "stop")
    await talk.send(Typed(2, "go"))
    found = await talk.journal.utterance(1)
    assert found.audio is not None
    found.audio.write_bytes(found.audio.read_bytes()[:-1])
    with pytest.raises(JournalError) as damaged:
        await talk.journal.recording(found)
    found.audio.unlink()
    with pytest.raises(JournalError) as gone:
        await talk.journal.recording(found)
    with pytest.raises(JournalError) as typed:
        await talk.journal.recording(await talk.journal.utterance(2))
    assert [c.value.code for c in (damaged, gone, typed)] == [
        "recording_damaged", "recording_gone", "no_recording"
    ]  # fmt: skip


async def test_words_are_kept_where_their_sound_cannot_be(talk: Talk, tmp_path: Path) -> None:
    (tmp_path / "recordings" / (talk.journal.session or "")).write_text("in the way")
    with pytest.raises(JournalError):
        await talk.send(SpeechEnded(1, utterance(tone())))
    await talk.send(Transcript(1, "keep this", True, 900))
    found = await talk.journal.utterance(1)
    assert (found.text, found.audio) == ("keep this", None)


async def test_only_the_owner_can_read_it(talk: Talk, tmp_path: Path) -> None:
    await talk.speak(1, "a secret")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in everything(tmp_path)}
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
    assert modes["1.flac"] == 0o600


async def test_events_of_an_utterance_include_what_was_said_in_reply(talk: Talk) -> None:
    await talk.send(SpeechStarted(1, 50))
    await talk.speak(1, "run the tests")
    await talk.send(JobStarted(4, 1, "running"), JobFinished(4, Outcome("done")))
    await talk.send(SayStarted(1, "All tests pass"), cause=talk.seq)
    await talk.type(2, "something else")
    names = [each.name for each in await talk.journal.events(1)]
    assert names == ["SpeechStarted", "SpeechEnded", "Transcript", "JobStarted", "JobFinished", "SayStarted"]


async def test_a_cancelled_caller_does_not_take_the_write_back(talk: Talk) -> None:
    task_ = asyncio.create_task(talk.journal.record(talk.envelope(Typed(1, "keep me"))))
    await asyncio.sleep(0)
    task_.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task_
    await talk.send(Typed(2, "next"))
    assert (await talk.journal.utterance(1)).text == "keep me"


async def test_wrong_use_is_an_error_with_a_code(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db")
    envelope = Envelope(1, 0.0, Typed(1, "hello"))
    with pytest.raises(JournalError) as early:
        await journal.record(envelope)
    await journal.begin(REPO)
    with pytest.raises(JournalError) as twice:
        await journal.begin(REPO)
    with pytest.raises(JournalError) as unknown:
        await journal.utterance(12)
    await journal.aclose()
    await journal.aclose()
    for late in (journal.record(envelope), journal.recent(), journal.mark(1, "done"), journal.delete([1])):
        with pytest.raises(JournalError) as closed:
            await late
        assert closed.value.code == "journal_closed"
    assert [c.value.code for c in (early, twice, unknown)] == [
        "no_session", "session_running", "no_such_utterance"
    ]  # fmt: skip


async def test_a_session_that_ends_in_order_says_so(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    assert rows(tmp_path, "SELECT ended, clean FROM session") == [(None, 0)]
    await talk.journal.aclose()
    assert rows(tmp_path, "SELECT ended, clean, repo FROM session") == [(NOON, 1, str(REPO))]
    assert list((tmp_path / "sessions").iterdir()) == []


async def test_what_waits_is_written_at_the_end(tmp_path: Path) -> None:
    talk = await begin(tmp_path)
    writes = [asyncio.create_task(talk.journal.record(talk.envelope(Typed(n, "x")))) for n in range(300)]
    await asyncio.sleep(0)
    await talk.journal.aclose()
    results = await asyncio.gather(*writes, return_exceptions=True)
    written = sum(result is None for result in results)
    assert all(result is None for result in results[:written])
    assert all(isinstance(result, JournalError) for result in results[written:])
    assert rows(tmp_path, "SELECT count(*) FROM event") == [(written,)]
    assert written >= MAX_GROUP


async def test_no_log_line_holds_what_was_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    talk = await begin(tmp_path)
    await talk.speak(1, "my xylophone secret")
    await talk.type(2, "another xylophone secret")
    await talk.journal.recent(5, Filter(search="xylophone"))
    await talk.journal.delete([1])
    await talk.journal.aclose()
    assert "xylophone" not in caplog.text


def test_to_import_the_journal_loads_no_database() -> None:
    code = "import sys, mybro.journal, mybro.cli.history, mybro.cli.replay; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"sqlalchemy", "sqlmodel", "numpy", "soundfile", "rich"} & set(done.stdout.split()) == set()
