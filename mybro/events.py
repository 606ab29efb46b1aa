"""Everything that crosses a queue, in the order in which it flows.

Facts are in the past tense, requests are verbs. `turn`, `job`, `question` and `speech` are numbers that
are never used twice in a session: code compares them and never asks for "the current one".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mybro.errors import Problem
from mybro.intent import Intent

SAMPLE_RATE = 16_000
"""Hertz. Every sound inside mybro is mono, 16 bits, little-endian, at this rate."""

BYTES_PER_SAMPLE = 2


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """A run of samples from a source."""

    start: int
    """Index of the first sample since the source was opened: audio time."""
    pcm: bytes
    """Mono 16-bit little-endian samples at SAMPLE_RATE."""

    @property
    def end(self) -> int:
        """Index of the first sample after the block."""
        return self.start + len(self.pcm) // BYTES_PER_SAMPLE

    @property
    def seconds(self) -> float:
        return len(self.pcm) / (BYTES_PER_SAMPLE * SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of sound that holds one thing a person said."""

    audio: AudioBlock
    """From the pre-roll to the end of the quiet that closed it."""
    speech_start: int
    """Sample index of the detected onset; inside `audio`."""
    speech_end: int
    """Sample index just after the last detected speech; inside `audio`."""


# ---------------------------------------------------------------------------- the ear


@dataclass(frozen=True, slots=True)
class SourceOpened:
    """A source began to deliver blocks."""

    name: str
    """What a person would call it: a device's or a file's name."""
    live: bool
    """Whether it is heard as it happens (a microphone), not read (a file)."""


@dataclass(frozen=True, slots=True)
class ListeningStarted:
    """The first block that is not all zeros arrived: from here on nothing said is lost."""

    sample: int
    """Sample index."""


@dataclass(frozen=True, slots=True)
class SourceTroubled:
    """A source delivers nothing useful; it will be tried again until it does or is closed."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class SourceClosed:
    """A source ended: a file was read to its end, or the microphone was let go."""

    name: str
    dropped_blocks: int = 0
    """Blocks that were lost because nobody took them in time."""


@dataclass(frozen=True, slots=True)
class LevelMeasured:
    """How loud it is: about ten times a second, for meters."""

    sample: int
    """Index of the last sample measured."""
    rms_dbfs: float
    """Decibels relative to full scale, root mean square; -120 for silence."""
    peak_dbfs: float
    """The same, of the largest sample."""
    speech_probability: float = 0.0
    """Of the last frame, 0 to 1."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak: a turn begins."""

    turn: int
    sample: int
    """Sample index of the detected onset (not of the pre-roll before it)."""


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """It has been quiet for a moment: worth a transcription on trial."""

    turn: int
    utterance: Utterance
    """What has been heard of the turn so far."""


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """Speech went on after a `SpeechPaused`."""

    turn: int
    sample: int
    """Sample index of the new speech."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The person has finished, or the talk key was let go, or the utterance was cut for length."""

    turn: int
    utterance: Utterance
    reason: Literal["quiet", "key", "length", "source"] = "quiet"


@dataclass(frozen=True, slots=True)
class Ready:
    """The session can be spoken to."""

    invitation: str
    """How: "hold right Option and speak"."""
    hands_free: bool
    note: str = ""
    """Why not by the key that was chosen."""


@dataclass(frozen=True, slots=True)
class TalkPressed:
    """The talk key went down."""


@dataclass(frozen=True, slots=True)
class TalkReleased:
    """The talk key came up."""


# ---------------------------------------------------------------------------- transcription


@dataclass(frozen=True, slots=True)
class Transcribed:
    """A recogniser answered one request."""

    turn: int
    request: int
    """The number under which it was asked."""
    text: str
    """What it heard; empty where there were no words."""
    model: str
    """Backend and model, such as "faster-whisper/tiny.en"."""
    language: str = "en"
    """ISO 639-1."""
    no_speech_probability: float = 0.0
    """0 to 1."""
    average_logprob: float = 0.0
    """Natural logarithm, mean over the tokens."""
    processing_ms: float = 0.0
    """Milliseconds that the recogniser worked."""


@dataclass(frozen=True, slots=True)
class TranscriptionFailed:
    """A recogniser gave no answer to a request, also not on the second try."""

    turn: int
    request: int
    problem: Problem


@dataclass(frozen=True, slots=True)
class ModelSwitched:
    """From here on another model recognises what is said."""

    model: str
    """Backend and model, such as "mlx-whisper/large-v3-turbo"."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a turn's words are, as far as known."""

    turn: int
    text: str
    final: bool
    """Whether the turn has ended, so that the text is acted on."""
    sample: int
    """Index of the last sample of speech it covers; 0 for typed text."""
    language: str = "en"
    model: str = ""
    processing_ms: float = 0.0
    no_speech_probability: float = 0.0
    average_logprob: float = 0.0


@dataclass(frozen=True, slots=True)
class Typed:
    """A sentence arrived as text: a turn begins, already transcribed."""

    turn: int
    text: str


# ---------------------------------------------------------------------------- journal and brain


@dataclass(frozen=True, slots=True)
class Recorded:
    """The journal has on disk what was asked of it for a turn."""

    turn: int


@dataclass(frozen=True, slots=True)
class RecordingFailed:
    """The journal could not keep what a person said: it is not acted on."""

    turn: int
    problem: Problem


@dataclass(frozen=True, slots=True)
class Understood:
    """A transcript became an intent."""

    turn: int
    intent: Intent
    processing_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Recalled:
    """Something that an earlier session accepted and never started: a turn begins, waiting for a yes."""

    turn: int
    intent: Intent


# ---------------------------------------------------------------------------- the hands

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


@dataclass(frozen=True, slots=True)
class JobProgressed:
    """A sign of life from a job."""

    job: int
    text: str
    """One short line: "editing parser.py"."""
    kind: Literal["step", "output", "words"] = "step"
    """A step worth showing, a line of a tool's output, or words of the model as they stream."""


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
class Answered:
    """A person answered a question."""

    question: int
    yes: bool
    choice: str | None = None
    """The label chosen, for a question with choices."""
    always: bool = False
    """Whether the answer holds for the rest of the session."""
    by: Literal["voice", "key", "page", "timeout"] = "voice"


# ---------------------------------------------------------------------------- the mouth


@dataclass(frozen=True, slots=True)
class SayStarted:
    """The voice began a sentence."""

    speech: int
    text: str


@dataclass(frozen=True, slots=True)
class SayFinished:
    """The voice ended a sentence."""

    speech: int
    interrupted: bool = False


# ---------------------------------------------------------------------------- requests and faults


@dataclass(frozen=True, slots=True)
class Announce:
    """Say this to the person: an agent has news."""

    text: str


@dataclass(frozen=True, slots=True)
class StopAll:
    """Silence the voice, cancel every turn, kill every job."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Shut down in order."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A wait that the state machine asked for is over."""

    timer: str
    """The name it was set under."""


@dataclass(frozen=True, slots=True)
class StageFailed:
    """A stage met an error that belongs to no turn."""

    stage: Literal["audio", "transcribe", "brain", "executor", "speak", "journal", "server"]
    problem: Problem


Event = (
    SourceOpened | ListeningStarted | SourceTroubled | SourceClosed | LevelMeasured
    | SpeechStarted | SpeechPaused | SpeechResumed | SpeechEnded | Ready | TalkPressed | TalkReleased
    | Transcribed | TranscriptionFailed | ModelSwitched | Transcript | Typed
    | Recorded | RecordingFailed | Understood | Recalled
    | JobStarted | JobProgressed | JobAsked | QuestionWithdrawn | JobFinished | JobFailed | JobStopped
    | Answered
    | SayStarted | SayFinished
    | Announce | StopAll | Quit | TimerFired | StageFailed
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
