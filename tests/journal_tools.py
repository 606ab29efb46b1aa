"""What the journal's tests say and do: one small conversation in many variations."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from mybro.config import JournalSettings
from mybro.events import (
    SAMPLE_RATE,
    AudioBlock,
    Envelope,
    Event,
    JobFinished,
    JobStarted,
    Outcome,
    SpeechEnded,
    Transcript,
    Typed,
    Understood,
    Utterance,
)
from mybro.intent import Action, Intent
from mybro.journal import Journal

REPO = Path("/home/ada/shop")
NOON = 1_760_000_000.0
"""Seconds since 1970, where a test needs a time."""


@dataclass
class Wall:
    """A clock on the wall that is set by hand."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Talk:
    """Sends events to a journal as a session would."""

    journal: Journal
    seq: int = 0
    at: float = 0.0
    sent: list[Envelope] = field(default_factory=list)

    def envelope(self, event: Event, cause: int | None = None) -> Envelope:
        self.seq += 1
        self.at += 0.25
        envelope = Envelope(self.seq, self.at, event, cause=cause)
        self.sent.append(envelope)
        return envelope

    async def send(self, *events: Event, cause: int | None = None) -> None:
        for event in events:
            await self.journal.record(self.envelope(event, cause))

    async def type(self, turn: int, text: str, *, accepted: bool = False) -> None:
        await self.send(Typed(turn, text), Understood(turn, task(text)))
        if accepted:
            await self.journal.mark(turn, "accepted")

    async def speak(self, turn: int, text: str, audio: AudioBlock | None = None) -> None:
        await self.send(SpeechEnded(turn, utterance(audio or tone())), Transcript(turn, text, True, 100))

    async def work(self, turn: int, job: int, summary: str = "done", **outcome: object) -> None:
        await self.send(JobStarted(job, turn, "working"))
        await self.send(JobFinished(job, Outcome(summary, **outcome)))  # type: ignore[arg-type]


async def begin(
    folder: Path, *, wall: Wall | None = None, settings: JournalSettings | None = None, repo: Path = REPO
) -> Talk:
    """A session in the journal of a folder."""
    journal = await Journal.open(folder / "journal.db", settings, wall or Wall())
    await journal.begin(repo)
    return Talk(journal)


def task(text: str) -> Intent:
    return Intent(kind="task", risk="write", text=text)


def run_tests(text: str = "run the tests") -> Intent:
    return Intent(kind="local", action=Action.TEST, text=text)


def tone(seconds: float = 0.3, start: int = 1600) -> AudioBlock:
    """A sound that is not silence, the same every time."""
    samples = np.arange(int(seconds * SAMPLE_RATE))
    return AudioBlock(start, (np.sin(samples / 7) * 9000).astype("<i2").tobytes())


def utterance(audio: AudioBlock) -> Utterance:
    return Utterance(audio, audio.start + 100, audio.end - 100)


def rows(folder: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    """What another program sees in the database at this moment."""
    connection = sqlite3.connect(folder / "journal.db")
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def everything(folder: Path) -> list[Path]:
    """All that lies in a folder, however deep."""
    return sorted(folder.rglob("*"))


def recordings(folder: Path) -> list[Path]:
    return [path for path in everything(folder) if path.suffix == ".flac"]


def bytes_on_disk(folder: Path) -> bytes:
    """Everything that lies in a folder, in one piece."""
    return b"\0".join(path.read_bytes() for path in everything(folder) if path.is_file())


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    talking = await begin(tmp_path)
    yield talking
    await talking.journal.aclose()
