"""Jobs, their questions and their ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mybro.errors import Problem

Risk = Literal["read", "write", "destructive"]


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A job began; where it may write, its checkpoint stands."""

    job: int
    turn: int
    title: str
    """A few words: "running the tests"."""
    checkpoint: str | None = None
    """The checkpoint from before the job; None for a job that only reads."""
    agent: str = ""
    """Who does it, "parser agent"; empty while there is only one."""


@dataclass(frozen=True, slots=True)
class JobAdded:
    """What was to be a job has become part of one that is at work, and ends with that."""

    job: int
    into: int


@dataclass(frozen=True, slots=True)
class JobQueued:
    """What was to be part of a job at work waits until that is done."""

    job: int


@dataclass(frozen=True, slots=True)
class JobAnswered:
    """A question that was put to a job at work has its answer; the work goes on."""

    job: int
    """Of the question."""
    text: str
    """One or two short sentences to speak."""


@dataclass(frozen=True, slots=True)
class JobProgressed:
    """A sign of life from a job."""

    job: int
    text: str
    """One short line: "editing parser.py"."""
    kind: Literal["step", "output", "words"] = "step"
    """A step worth showing, a line of a tool's output, or words of the model as they stream."""
    so_far: Outcome | None = None
    """What the job has cost by then, where it costs anything: it counts if the job is cut off."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible answer to a question."""

    label: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class JobAsked:
    """A job waits for an answer."""

    job: int
    """0 where it is not known whose job it is."""
    question: int
    kind: Literal["permission", "choice", "plan"]
    text: str
    """One sentence to speak, naming the effect: "It wants to run npm install. Yes or no?"."""
    detail: str = ""
    """The whole command, plan or file, to show."""
    object: str = ""
    """What a destructive yes must repeat: "build"."""
    risk: Risk = "write"
    choices: tuple[Choice, ...] = ()
    agent: str = ""
    """Who asks; empty while there is only one agent."""
    timeout_s: float | None = None
    """How long it waits for its answer once it has been heard out; None for as long as it takes."""


@dataclass(frozen=True, slots=True)
class QuestionWithdrawn:
    """The job no longer waits for an answer."""

    question: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job."""

    summary: str
    """One or two short sentences to speak."""
    ok: bool = True
    """False where the work was done but its result is bad: a failing test run."""
    detail: str = ""
    """Everything worth showing: output, a diff, a list."""
    changed: tuple[str, ...] = ()
    """Paths relative to the repository."""
    cost_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    session: str | None = None
    """The coding session's id, where there was one."""
    checkpoint: str | None = None
    """The checkpoint from after the job."""


@dataclass(frozen=True, slots=True)
class JobFinished:
    """A job did what it was to do."""

    job: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class JobFailed:
    """A job could not do what it was to do; what it wrote can be undone."""

    job: int
    problem: Problem
    outcome: Outcome | None = None
    """What is known of it all the same: cost, changed files."""


@dataclass(frozen=True, slots=True)
class JobStopped:
    """A job was stopped: every process of it is dead and it writes nothing more."""

    job: int
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What an earlier turn had begun was stopped and undone, because the sentence went on."""

    turn: int
    """The turn that the sentence went on with."""
    job: int
    outcome: Outcome
    """What was restored; not ok where that failed."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A person answered a question."""

    question: int
    yes: bool
    choice: str | None = None
    """The label chosen, for a question with choices."""
    always: bool = False
    """Whether the answer holds for the rest of the session."""
    by: Literal["voice", "key", "page", "timeout"] = "voice"
