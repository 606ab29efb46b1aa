"""Everything that crosses a queue, in the order in which it flows.

Facts are in the past tense, requests are verbs. `turn`, `job`, `question` and `speech` are numbers that
are never used twice in a session: code compares them and never asks for "the current one".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mybro.events.ear import (
    BYTES_PER_SAMPLE,
    SAMPLE_RATE,
    AudioBlock,
    LevelMeasured,
    ListeningStarted,
    Ready,
    SourceClosed,
    SourceOpened,
    SourceTroubled,
    SpeechContinued,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechSustained,
    TalkPressed,
    TalkReleased,
    TurnJudged,
    Utterance,
)
from mybro.events.hands import (
    Answered,
    Choice,
    JobAdded,
    JobAnswered,
    JobAsked,
    JobFailed,
    JobFinished,
    JobProgressed,
    JobQueued,
    JobStarted,
    JobStopped,
    Outcome,
    QuestionWithdrawn,
    Risk,
    TakenBack,
)
from mybro.events.session import (
    Announce,
    Quit,
    SayFinished,
    SayStarted,
    StageFailed,
    StopAll,
    Swept,
    TimerFired,
)
from mybro.events.words import (
    ModelSwitched,
    Recalled,
    Recorded,
    RecordingFailed,
    Transcribed,
    Transcript,
    TranscriptionFailed,
    TurnJoined,
    TurnTimed,
    Typed,
    Understood,
)

__all__ = [
    "BYTES_PER_SAMPLE",
    "SAMPLE_RATE",
    "Announce",
    "Answered",
    "AudioBlock",
    "Choice",
    "Envelope",
    "Event",
    "JobAdded",
    "JobAnswered",
    "JobAsked",
    "JobFailed",
    "JobFinished",
    "JobProgressed",
    "JobQueued",
    "JobStarted",
    "JobStopped",
    "LevelMeasured",
    "ListeningStarted",
    "ModelSwitched",
    "Outcome",
    "QuestionWithdrawn",
    "Quit",
    "Ready",
    "Recalled",
    "Recorded",
    "RecordingFailed",
    "Risk",
    "SayFinished",
    "SayStarted",
    "SourceClosed",
    "SourceOpened",
    "SourceTroubled",
    "SpeechContinued",
    "SpeechEnded",
    "SpeechPaused",
    "SpeechResumed",
    "SpeechStarted",
    "SpeechSustained",
    "StageFailed",
    "StopAll",
    "Swept",
    "TakenBack",
    "TalkPressed",
    "TalkReleased",
    "TimerFired",
    "Transcribed",
    "Transcript",
    "TranscriptionFailed",
    "TurnJoined",
    "TurnJudged",
    "TurnTimed",
    "Typed",
    "Understood",
    "Utterance",
]

Event = (
    SourceOpened | ListeningStarted | SourceTroubled | SourceClosed | LevelMeasured
    | SpeechStarted | SpeechSustained | SpeechContinued | SpeechPaused | SpeechResumed | SpeechEnded
    | Ready | TalkPressed | TalkReleased
    | Transcribed | TranscriptionFailed | ModelSwitched | Transcript | Typed
    | TurnJudged | TurnJoined | TurnTimed | TakenBack
    | Recorded | RecordingFailed | Understood | Recalled
    | JobStarted | JobAdded | JobQueued | JobAnswered
    | JobProgressed | JobAsked | QuestionWithdrawn | JobFinished | JobFailed | JobStopped
    | Answered
    | SayStarted | SayFinished
    | Announce | StopAll | Swept | Quit | TimerFired | StageFailed
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event on its way, with what every event has."""

    seq: int
    """Counts up by one from 1 in a session."""
    at: float
    """Seconds on the pipeline's clock since the session began."""
    event: Event
    sample: int = 0
    """Audio time: index of the newest sample when the event entered the queue."""
    cause: int | None = None
    """The `seq` of the event that led to this one."""
    generation: int = 0
    """Counts up with every stop: what belongs to an earlier one is late."""
    wall: float = field(default=0.0, compare=False)
    """Seconds since 1970, for the journal."""
