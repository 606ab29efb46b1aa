"""Bodies of the API's requests and answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from mybro.intent import Intent


class Strict(BaseModel):
    """Takes nothing that it does not know."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Message(Strict):
    """A sentence, as if it were spoken."""

    text: str = Field(min_length=1, max_length=2000, pattern=r"\S")
    session_id: str = Field("", max_length=64, pattern=r"^[\w.-]*$", description="names a conversation")
    wait_s: float = Field(0.2, ge=0, le=60, description="longer work is answered with 202 and a task")


class AnswerBody(Strict):
    """An answer to a question."""

    yes: bool
    choice: str | None = Field(None, max_length=2000, description="for a question with choices")
    always: bool = Field(False, description="the answer holds for the rest of the session")
    object: str = Field("", max_length=500, description="repeats what a destructive question is about")


class ModelChoice(Strict):
    """A model, by its id or name."""

    model_id: str = Field(min_length=1, max_length=200)


class Login(Strict):
    """What a browser shows."""

    token: str | None = Field(None, max_length=200, description="the page's, as the terminal shows it")
    password: str | None = Field(None, max_length=200)


class NewToken(Strict):
    """A token for a program."""

    scope: Literal["read", "speak", "act"] = "read"
    days: float = Field(30.0, gt=0, le=366)
    name: str = Field("", max_length=64)


class TokenEntry(BaseModel):
    """A token, without the token."""

    id: str
    name: str
    scope: str
    created: float
    expires: float
    revoked: float | None


class IssuedToken(TokenEntry):
    """Shown this once."""

    token: str


class Session(BaseModel):
    """Who the caller is."""

    name: str
    scope: str
    by: str
    password_login: bool


class Job(BaseModel):
    """One piece of the session's work."""

    job: int
    turn: int
    title: str
    step: str
    phase: str
    agent: str | None = None


class JobDiff(BaseModel):
    """What a job changed, from its own checkpoints: no edit from before or after it is in it."""

    job: int
    diff: str = Field(description="unified, as git writes it")
    files: list[str]
    whole: bool = Field(description="false where something is no text, or too large to be shown")
    ended: bool = Field(description="false: what is different so far")


class Choice(BaseModel):
    """One possible answer."""

    label: str
    description: str = ""


class Question(BaseModel):
    """Something that only the person can decide."""

    number: int
    text: str
    detail: str = ""
    job: int | None
    turn: int | None
    phase: str
    risk: str
    object: str
    choices: list[Choice]


class Status(BaseModel):
    """What the session does; `seq` is the number of the newest event that it takes in."""

    says: str
    session: str
    seq: int
    generation: int
    ear: str
    live: bool
    mouth: str
    muted: bool
    paused: bool
    jobs: list[Job]
    questions: list[Question]
    asked: int | None = Field(description="the number of the question that is being asked")
    model: str
    repo: str
    version: str


class Page(BaseModel):
    """Some of the history; ask again with `before` = `next` for what is older."""

    items: list[dict[str, Any]]
    next: int | None


class ReplyBody(BaseModel):
    """What came of a sentence."""

    turn: int
    text: str
    state: Literal["working", "asking", "done", "failed", "stopped", "dropped"]
    intent: Intent | None
    reply: str
    job: int | None
    outcome: dict[str, Any] | None
    question: dict[str, Any] | None
    cached: bool


class VoiceReply(BaseModel):
    """What was heard, and what came of it."""

    transcript: str
    language: str
    model_id: str
    latency_ms: float
    result: ReplyBody | None = Field(description="None where no words were heard")


class Task(BaseModel):
    """Work that goes on in the background."""

    id: str
    kind: str
    state: Literal["queued", "running", "done", "failed", "interrupted"] = Field(
        description="queued: a worker has still to take it; interrupted: who did it died, what came of it "
        "is not known, and it is not begun again"
    )
    created: float
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    url: str


class Limits(Strict):
    """What may be spent, in dollars; null for any amount."""

    session_usd: float | None = Field(None, gt=0, le=1e6, description="by one coding session")
    day_usd: float | None = Field(None, gt=0, le=1e6, description="by all of a day together")


class Budget(BaseModel):
    """What may be spent, and what has been."""

    session_usd: float | None
    day_usd: float | None
    today_usd: float = Field(description="spent so far")


class FindingPlace(BaseModel):
    """Where a finding is."""

    path: str = Field(description="relative to the repository; empty: all of it")
    line: int = Field(description="from 1; 0: the whole file")


class Finding(BaseModel):
    """One check that found something."""

    number: int = Field(description='as it is spoken of: "fix number two"')
    id: str
    title: str
    why: str
    mend: str
    severity: Literal["low", "medium", "high"]
    message: str
    count: int
    mends: dict[str, int] = Field(description="how many mend themselves: safe, unsafe")
    places: list[FindingPlace]


class Gap(BaseModel):
    """What was not looked at."""

    what: str
    why: str
    partial: bool = Field(description="whether the examination is incomplete because of it")


class Checkup(BaseModel):
    """What the doctor found in the repository, the gravest first."""

    score: int
    grade: str
    counts: dict[str, int] = Field(description="severity to findings")
    complete: bool
    at: float
    findings: list[Finding]
    unexamined: list[Gap]


class Done(BaseModel):
    """It is done."""

    ok: bool = True
