"""The tables as SQLModel sees them; `migrations` makes them. Times are seconds since 1970."""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class SessionRow(SQLModel, table=True):
    """One run of the program."""

    __tablename__ = "session"
    id: str = Field(primary_key=True)
    started: float
    ended: float | None = None
    clean: bool = False
    """Whether it ended in order."""
    repo: str
    version: str


class UtteranceRow(SQLModel, table=True):
    """One thing said or typed. `session` and `turn` are where it is being worked on."""

    __tablename__ = "utterance"
    id: int | None = Field(default=None, primary_key=True)
    session: str = Field(foreign_key="session.id")
    turn: int
    repo: str
    source: str
    state: str
    said: float
    accepted: float | None = None
    started: float | None = None
    ended: float | None = None
    audio: str | None = None
    """Path of the FLAC file, relative to the recordings' folder."""
    audio_sha256: str | None = None
    duration_s: float = 0.0
    speech_start: int = 0
    """Sample index inside the recording, as is `speech_end`."""
    speech_end: int = 0


class TranscriptRow(SQLModel, table=True):
    """One reading of an utterance's words."""

    __tablename__ = "transcript"
    id: int | None = Field(default=None, primary_key=True)
    utterance: int = Field(foreign_key="utterance.id")
    text: str
    final: bool
    language: str
    model: str
    processing_ms: float
    average_logprob: float
    no_speech_probability: float


class IntentRow(SQLModel, table=True):
    """What an utterance was understood as; `body` is the whole intent as JSON."""

    __tablename__ = "intent"
    id: int | None = Field(default=None, primary_key=True)
    utterance: int = Field(foreign_key="utterance.id")
    kind: str
    action: str | None
    risk: str
    body: str
    processing_ms: float


class JobRow(SQLModel, table=True):
    """One piece of work; `changed` is a JSON list of paths."""

    __tablename__ = "job"
    id: int | None = Field(default=None, primary_key=True)
    session: str = Field(foreign_key="session.id")
    number: int
    utterance: int | None = Field(default=None, foreign_key="utterance.id")
    title: str = ""
    state: str
    ok: bool = True
    started: float
    ended: float | None = None
    problem: str | None = None
    """Code of the error that ended it."""
    summary: str = ""
    detail: str = ""
    changed: str = "[]"
    checkpoint_before: str | None = None
    checkpoint_after: str | None = None
    coding_session: str | None = None
    agent: str = ""


class PermissionRow(SQLModel, table=True):
    """A question that a job asked, and its answer."""

    __tablename__ = "permission"
    id: int | None = Field(default=None, primary_key=True)
    session: str = Field(foreign_key="session.id")
    question: int
    job: int | None = Field(default=None, foreign_key="job.id")
    kind: str
    text: str
    detail: str
    object: str
    risk: str
    asked: float
    answer: str | None = None
    choice: str | None = None
    answered_by: str | None = None
    answered: float | None = None


class CostRow(SQLModel, table=True):
    """What a job cost; it outlives what was said, since it holds no words."""

    __tablename__ = "cost"
    id: int | None = Field(default=None, primary_key=True)
    day: str
    """YYYY-MM-DD, local time."""
    session: str | None = Field(default=None, foreign_key="session.id")
    job: int | None = Field(default=None, foreign_key="job.id")
    usd: float
    input_tokens: int
    output_tokens: int
    agent: str = ""
    """Who spent it; empty where there was only one."""
    coding_session: str | None = None
    repo: str = ""
    seconds: float = 0.0


class EventRow(SQLModel, table=True):
    """One event, as `codec` writes it. `utterance` is filled in as soon as it is known."""

    __tablename__ = "event"
    session: str = Field(primary_key=True, foreign_key="session.id")
    seq: int = Field(primary_key=True)
    at: float
    wall: float
    sample: int
    name: str
    body: str
    cause: int | None
    generation: int
    turn: int | None
    utterance: int | None = Field(default=None, foreign_key="utterance.id")
