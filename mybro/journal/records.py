"""What the journal gives back: plain values, newest state, no database behind them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

State = Literal[
    "heard", "transcribed", "understood", "accepted", "started",
    "done", "failed", "stopped", "dropped", "interrupted",
]  # fmt: skip
"""How far an utterance has come. The last five are ends; `interrupted` means: outcome unknown."""

RANK: dict[State, int] = {
    "heard": 0, "transcribed": 1, "understood": 2, "accepted": 3, "started": 4,
    "done": 5, "failed": 5, "stopped": 5, "dropped": 5, "interrupted": 5,
}  # fmt: skip
"""A state only ever gives way to one of a higher rank; a job that starts is the exception."""

ENDS: tuple[State, ...] = tuple(state for state, rank in RANK.items() if rank == RANK["done"])


@dataclass(frozen=True, slots=True)
class TranscriptRecord:
    """One reading of an utterance's words."""

    text: str
    final: bool
    language: str
    model: str
    """Backend and model; empty for typed text."""
    processing_ms: float
    average_logprob: float


@dataclass(frozen=True, slots=True)
class IntentRecord:
    """What an utterance was understood as."""

    kind: str
    action: str | None
    risk: str
    body: dict[str, Any]
    """The whole intent, as the version of that day wrote it."""
    processing_ms: float


@dataclass(frozen=True, slots=True)
class PermissionRecord:
    """A question that a job asked, and its answer."""

    question: int
    kind: str
    text: str
    detail: str
    risk: str
    asked: float
    """Seconds since 1970."""
    answer: str | None
    """yes, no, always, withdrawn; None while it is open."""
    choice: str | None
    by: str | None
    answered: float | None


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One piece of work."""

    number: int
    """The session's own count."""
    title: str
    state: str
    """running, done, failed, stopped or interrupted."""
    ok: bool
    """False where the work was done but its result is bad."""
    started: float
    ended: float | None
    summary: str
    detail: str
    changed: tuple[str, ...]
    checkpoint_before: str | None
    checkpoint_after: str | None
    coding_session: str | None
    permissions: tuple[PermissionRecord, ...] = ()
    cost_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class UtteranceRecord:
    """One thing that a person said or typed, and all that came of it."""

    id: int
    """What people see as #17; never used twice."""
    session: str
    turn: int
    source: str
    """voice or typed."""
    state: State
    repo: str
    said: float
    """Seconds since 1970, as the three below."""
    accepted: float | None
    started: float | None
    ended: float | None
    text: str
    """The newest final transcript; empty where there is none."""
    audio: Path | None
    """A FLAC file, mono, 16 bits, 16 kHz; it may have been removed by hand."""
    audio_sha256: str | None
    duration_s: float
    speech_start: int
    """Sample index inside the recording, as is `speech_end`."""
    speech_end: int
    transcripts: tuple[TranscriptRecord, ...] = ()
    intent: IntentRecord | None = None
    jobs: tuple[JobRecord, ...] = ()

    @property
    def cost_usd(self) -> float:
        return sum(job.cost_usd for job in self.jobs)


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event as it was logged."""

    session: str
    """A sentence that was taken up again has events of two sessions."""
    seq: int
    at: float
    """Seconds on the pipeline's clock since the session began."""
    wall: float
    sample: int
    name: str
    body: dict[str, Any]
    cause: int | None
    generation: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An utterance of a session that is gone, whose work was not brought to an end."""

    utterance: UtteranceRecord
    offered: bool
    """True: it is to be offered again. False: it had started, so its outcome is unknown, and it is never
    run again unasked."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a deletion did."""

    deleted: int
    busy: tuple[int, ...] = ()
    """Utterances that a running session is still working on: they were left alone."""
    missing: tuple[int, ...] = ()
    """Numbers that the journal does not know."""
    left_over: tuple[Path, ...] = ()
    """Files that may still hold the words: copies set aside, or a log that another process keeps open."""


@dataclass(frozen=True, slots=True)
class DayCost:
    """What one day cost."""

    day: str
    """YYYY-MM-DD, local time."""
    usd: float
    input_tokens: int
    output_tokens: int
    seconds: float = 0.0
    """How long the jobs took, all together."""
    jobs: int = 0


@dataclass(frozen=True, slots=True)
class SessionCost:
    """What one coding session cost."""

    repo: str
    agent: str
    """Empty where there was only one."""
    session: str | None
    """The coding session's own id."""
    first_day: str
    last_day: str
    usd: float
    input_tokens: int
    output_tokens: int
    seconds: float
    jobs: int


@dataclass(frozen=True, slots=True)
class JobCost:
    """What one job cost."""

    day: str
    utterance: int | None
    """What asked for it; None once that was deleted."""
    title: str | None
    repo: str
    agent: str
    session: str | None
    usd: float
    input_tokens: int
    output_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Filter:
    """Which utterances to list; every condition given must hold."""

    before: int | None = None
    """Only numbers below this one: how to turn a page."""
    after: int | None = None
    """Only numbers above this one, and then the oldest first."""
    search: str = ""
    """Words, in any order, each somewhere in what was said or came of it; case is ignored."""
    repo: str | None = None
    since: float | None = None
    """Seconds since 1970."""
    failed: bool = False
    wordless: bool = False
    """Also those in which no words were found."""
    ids: tuple[int, ...] = ()
