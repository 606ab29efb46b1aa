"""What `transition` asks for: requests to the stages, carried out by the runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mybro.events import Answered, AudioBlock, Event
from mybro.intent import Action, Intent


@dataclass(frozen=True, slots=True)
class Post:
    """Put an event into the queue."""

    event: Event


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Recognise; answered by `Transcribed` or `TranscriptionFailed` with the same numbers."""

    turn: int
    request: int
    audio: AudioBlock
    trial: bool = False
    """Whether the turn may still go on: a newer trial replaces one that still waits."""


@dataclass(frozen=True, slots=True)
class DropTranscription:
    """The answer to a request is no longer wanted."""

    request: int


@dataclass(frozen=True, slots=True)
class EndAfter:
    """Close the turn after so much quiet, unless it speaks on."""

    turn: int
    speech_end: int
    """Sample index at which its speech has ended so far."""
    quiet_ms: int


@dataclass(frozen=True, slots=True)
class JudgeTurn:
    """Judge by the sound whether the turn is over; answered by `TurnJudged`, or not at all."""

    turn: int
    request: int
    audio: AudioBlock


@dataclass(frozen=True, slots=True)
class Guess:
    """Think about what a text would mean if the turn ended with it; nothing is done with that."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Stop a job and undo what it has changed; answered by `TakenBack`."""

    turn: int
    """The turn that the sentence goes on with."""
    job: int
    opposite_of: Action | None = None
    """Set where the job itself was an undo or a redo: the other one takes it back."""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Answered by `Recorded` once everything known of the turn so far is on disk."""

    turn: int


@dataclass(frozen=True, slots=True)
class Understand:
    """Answered by `Understood`."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class ForgetTurn:
    """The turn was dropped: stop thinking about it, and note it as dropped."""

    turn: int


@dataclass(frozen=True, slots=True)
class StartJob:
    """Do what the intent says; answered by the job's events."""

    job: int
    turn: int
    intent: Intent
    adds: bool = False
    """Whether it is to become part of what is being done, where that can be."""


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Undo or redo; answered like a job."""

    job: int
    turn: int
    which: Literal["undo", "redo"]
    count: int
    agent: str | None = None
    """Whose work it is; None for whoever worked last."""


@dataclass(frozen=True, slots=True)
class StopJobs:
    """Kill jobs with all their processes; answered by `JobStopped` of each."""

    jobs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sweep:
    """End also what finished jobs left running, once those being stopped are dead; answered by `Swept`."""

    stopping: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Pass an answer on to the job that asked."""

    answer: Answered


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a sentence; answered by `SayStarted` and `SayFinished`."""

    speech: int
    text: str
    urgency: Literal["answer", "question", "error", "news"] = "answer"


@dataclass(frozen=True, slots=True)
class Hush:
    """Cut the voice at once and forget what it was still to say."""


@dataclass(frozen=True, slots=True)
class Duck:
    """Lower the voice, or raise it again."""

    on: bool


@dataclass(frozen=True, slots=True)
class GiveWay:
    """Begin no sentence while the person speaks."""

    on: bool


@dataclass(frozen=True, slots=True)
class Mute:
    """Switch the voice off, or on again; text goes on being shown."""

    on: bool


@dataclass(frozen=True, slots=True)
class StopAgent:
    """Kill what one agent does and what it left running; answered by `JobStopped` of each of its jobs, and by
    `Swept`."""

    agent: str


@dataclass(frozen=True, slots=True)
class TellCosts:
    """Say what was spent, from the journal; answered by `Announce`."""

    asked: str
    """The question, which names a time or means the last work."""
    agent: str | None
    working: bool
    """Whether something is at work that is not in the journal yet."""


@dataclass(frozen=True, slots=True)
class FreezeJobs:
    """Hold every process of the jobs where it is, or let all go on."""

    on: bool


@dataclass(frozen=True, slots=True)
class HoldVoice:
    """Stop the voice where it is, or let it go on from there."""

    on: bool


@dataclass(frozen=True, slots=True)
class Chime:
    """Play a short sound."""

    name: Literal["listening", "accepted", "stopped"]


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Answered by `TimerFired` with the same name; setting it again starts it anew."""

    timer: str
    seconds: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    timer: str


@dataclass(frozen=True, slots=True)
class ShutDown:
    """End the session in order."""


Effect = (
    Post | Transcribe | DropTranscription | EndAfter | JudgeTurn | Guess | Acknowledge | Understand
    | ForgetTurn | Withdraw
    | StartJob | TakeBack | StopJobs | StopAgent | Sweep | TellCosts | FreezeJobs | Answer
    | Say | Hush | Duck | GiveWay | Mute | HoldVoice | Chime | SetTimer | CancelTimer | ShutDown
)  # fmt: skip
