"""What the pipeline needs of each stage: the narrowest Protocols that the wiring can live with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from mybro.brain.dialog import Dialog
from mybro.events import Answered, AudioBlock, Envelope, Outcome, Swept, Transcribed
from mybro.intent import Intent
from mybro.journal.records import JobCost


class Listens(Protocol):
    """The ear, as far as it is told something."""

    def end_after(self, turn: int, speech_end: int, quiet: int) -> None:
        """Close `turn` after `quiet` samples of quiet, unless it speaks on after sample `speech_end`."""
        ...


class JudgesTurns(Protocol):
    """Whether a turn is over, by its sound."""

    async def judge(self, audio: AudioBlock) -> float | None:
        """The probability that it is, None where that cannot be told."""
        ...


class Transcribes(Protocol):
    """Speech to text."""

    async def transcribe(
        self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False
    ) -> Transcribed | None:
        """None where the request was dropped meanwhile. Raises `TranscriptionError`."""
        ...

    def drop(self, request: int) -> None: ...

    async def aclose(self) -> None: ...


class Thinks(Protocol):
    """Text to intent."""

    async def understand(self, text: str, dialog: Dialog) -> Intent:
        """Never fails: what nothing understands is a task for the coding session."""
        ...

    async def aclose(self) -> None: ...


class Works(Protocol):
    """Intent to work. Reports `JobStarted` and exactly one of the events that end a job."""

    async def start(self, job_number: int, turn: int, intent: Intent) -> None: ...

    async def add(self, job_number: int, turn: int, intent: Intent) -> None:
        """Make it part of the work under way, which reports `JobAdded`; else `start` it, after `JobQueued`
        where that means to wait."""
        ...

    async def stop(self, job: int | None) -> None: ...

    async def sweep(self) -> tuple[str, ...]:
        """End what finished jobs left running; tells what it was."""
        ...

    async def stop_agent(self, name: str) -> Swept:
        """Raises `ExecutorError` where nobody has this name."""
        ...

    async def freeze(self, *, on: bool) -> None: ...

    async def answer(self, answer: Answered) -> None: ...

    async def undo(self, count: int, agent: str | None = None, job: int | None = None) -> Outcome:
        """Take back the last work of this agent, else of the one that worked last; what comes next waits.

        Raises `ExecutorError`: given_up where `job` was stopped before it began, which has been reported.
        """
        ...

    async def redo(self, count: int, agent: str | None = None, job: int | None = None) -> Outcome: ...

    async def withdraw(self, job: int) -> Outcome:
        """Stop one job, and undo what that one has changed."""
        ...

    async def aclose(self) -> None: ...


class Speaks(Protocol):
    """Sentences to sound. Reports `SayStarted` and `SayFinished`."""

    async def say(
        self, speech: int, text: str, urgency: Literal["answer", "question", "error", "news"]
    ) -> None: ...

    def interrupt(self) -> None: ...

    def duck(self, on: bool) -> None: ...

    def person_speaks(self, on: bool) -> None: ...

    def hold(self, on: bool) -> None: ...

    def mute(self, on: bool) -> None: ...

    async def chime(self, name: Literal["listening", "accepted", "stopped"]) -> None: ...

    async def aclose(self) -> None: ...


class Remembers(Protocol):
    """The journal: what `record` has returned from is on disk."""

    repo: str
    """What is said now is about."""

    async def record(self, envelope: Envelope) -> None:
        """Raises `JournalError`."""
        ...

    async def mark(self, turn: int, state: Literal["accepted", "dropped"]) -> None: ...

    async def job_costs(self) -> list[JobCost]:
        """What jobs have cost, oldest first, in whatever repository. Raises `JournalError`."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages of one session. One that is None is left out: nothing is done, said or remembered."""

    brain: Thinks
    transcription: Transcribes | None = None
    executor: Works | None = None
    mouth: Speaks | None = None
    journal: Remembers | None = None
    turn_judge: JudgesTurns | None = None
    speculate: bool = False
    """Whether a language model is asked while the turn may still go on."""
