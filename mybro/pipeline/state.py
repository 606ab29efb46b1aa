"""What the pipeline knows: a few independent regions, each keyed by numbers that are never used twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from mybro.audio.wake import Wake
from mybro.errors import Problem
from mybro.events import Choice, Risk, Transcribed, Utterance
from mybro.intent import Intent
from mybro.pipeline.patience import Patience, unhurried
from mybro.pipeline.pauses import Pauses

if TYPE_CHECKING:
    from mybro.pipeline.budgets import Limits


class Ear(StrEnum):
    """What the ear is doing."""

    OFF = "off"
    IDLE = "idle"
    HEARING = "hearing"
    CLOSING = "closing"
    """Quiet after speech: the turn ends unless speech goes on."""


class Mouth(StrEnum):
    """What the voice is doing."""

    SILENT = "silent"
    SPEAKING = "speaking"
    DUCKED = "ducked"


class TurnPhase(StrEnum):
    """How far a turn has come. Accepted and dropped turns leave the state."""

    HEARD = "heard"
    TRANSCRIBED = "transcribed"
    UNDERSTOOD = "understood"
    ASKING = "asking"


class JobPhase(StrEnum):
    """How far a job has come. A job that has ended leaves the state."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    STOPPING = "stopping"


class QuestionPhase(StrEnum):
    """How far a question has come. One that is answered, expired or withdrawn leaves the state."""

    QUEUED = "queued"
    SPOKEN = "spoken"
    """Being asked, or asked and not yet answered."""


@dataclass(frozen=True, slots=True)
class Former:
    """A spoken turn that seemed to be over, which later speech may turn out to go on with."""

    turn: int
    text: str
    utterance: Utterance
    intent: Intent | None
    job: int | None
    """What it set in motion, if anything."""
    parts: int = 1
    """Of how many parts it consists."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One sentence of the person's, on its way to becoming work."""

    number: int
    phase: TurnPhase = TurnPhase.HEARD
    typed: bool = False
    start: int = 0
    """Sample index at which the speech began."""
    question: int | None = None
    """The question that was being asked when the person began: the only one that a yes answers."""
    over_voice: str = ""
    """What mybro was saying when the person began; the microphone may have heard that instead."""
    request: int | None = None
    """The transcription that counts; an answer to any other request is late."""
    request_speech_end: int = -1
    """The end of speech, as a sample index, that `request` covers."""
    trial: Transcribed | None = None
    """The answer to `request`, while the turn may still go on."""
    sound: Utterance | None = None
    """What `request` covers: with the former turn's sound, where this one may go on with it."""
    utterance: Utterance | None = None
    """Set once the speech has ended; what `sound` is of it."""
    by_quiet: bool = False
    """Whether quiet alone ended it, so that it may go on."""
    joins: Former | None = None
    """What it may go on with."""
    joined: bool = False
    """Whether it does, as far as known."""
    text: str = ""
    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work."""

    number: int
    turn: int
    intent: Intent
    phase: JobPhase = JobPhase.QUEUED
    title: str = ""
    step: str = ""
    """The newest thing it was seen doing."""
    agent: str = ""
    """Who does it, "parser agent"; empty while there is only one."""
    unsaid: bool = False
    """Whether the person has yet to hear what becomes of it."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something only the person can decide. It belongs to a job, or confirms a turn."""

    number: int
    text: str
    job: int | None = None
    turn: int | None = None
    phase: QuestionPhase = QuestionPhase.QUEUED
    risk: Risk = "write"
    object: str = ""
    agent: str = ""
    """Who asks; empty while there is only one agent."""
    timeout_s: float | None = None
    """How long it waits once it has been heard out."""
    choices: tuple[Choice, ...] = ()
    speech: int | None = None
    """The sentence that asks it."""
    heard_at: int | None = None
    """Sample index at which its playback had ended: a yes counts only for speech that began later."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything that decides what happens next. Owned by the pipeline, changed only by `transition`."""

    acting: bool = True
    """False where nothing is to be done with what is understood (`mybro hear`)."""
    ear: Ear = Ear.OFF
    live: bool = False
    """Whether the source is heard as it happens."""
    mouth: Mouth = Mouth.SILENT
    muted: bool = False
    paused: bool = False
    wake: Wake | None = None
    """The wake phrase, where one is needed."""
    cut: bool = False
    """Whether the voice is silent, in the middle of a sentence, because the person speaks."""
    holding: int | None = None
    """The turn that sounds like stop and is not over: until it is, the jobs are held where they are."""
    quitting: bool = False
    sample: int = 0
    """Audio time: the newest sample heard of."""
    generation: int = 0
    """Counts up with every stop."""
    sweeping: int = 0
    """Stops that are not carried out yet."""
    next_number: int = 2
    """Even numbers are given here; odd ones are left to the hands for their questions."""
    patience: Patience = field(default_factory=unhurried)
    """How long to wait for the end of a turn."""
    pauses: Pauses = field(default_factory=Pauses)
    """The person's, within sentences."""
    limits: Limits | None = None
    """What may be spent."""
    former: Former | None = None
    """The spoken turn accepted last."""
    withdrawing: int | None = None
    """The turn that waits until what its first part had begun is taken back."""
    turns: Mapping[int, Turn] = field(default_factory=dict)
    """In the order of speech."""
    jobs: Mapping[int, Job] = field(default_factory=dict)
    questions: Mapping[int, Question] = field(default_factory=dict)
    """In the order of asking."""
    saying: Mapping[int, str] = field(default_factory=dict)
    """Sentences being said, by speech number."""
    last_said: str = ""
    trouble: Problem | None = None
    """What is wrong with the source, while it is."""

    @property
    def asked(self) -> Question | None:
        """The one question that is being asked."""
        return next((q for q in self.questions.values() if q.phase is QuestionPhase.SPOKEN), None)

    @property
    def agents(self) -> frozenset[str]:
        """Who is at work."""
        return frozenset(job.agent for job in self.jobs.values() if job.phase is not JobPhase.QUEUED)

    @property
    def busy(self) -> bool:
        """Whether something is under way that goes on without the person."""
        working = any(job.phase is not JobPhase.WAITING for job in self.jobs.values())
        thinking = any(
            turn.phase is not TurnPhase.ASKING for turn in self.turns.values() if turn.utterance or turn.typed
        )
        return working or thinking
