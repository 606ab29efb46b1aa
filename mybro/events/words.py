"""What was said, and what it means."""

from __future__ import annotations

from dataclasses import dataclass

from mybro.errors import Problem
from mybro.intent import Intent


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
    heard: str = ""
    """The text as it was heard, where names and the like were put right in it afterwards."""
    alternatives: tuple[str, ...] = ()
    """Names of the repository that were equally likely, so that the words stayed as they were heard."""
    called: bool | None = None
    """Whether it began with the wake phrase, which `text` is then without; None: not listened for."""


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
    heard: str = ""
    """See `Transcribed`."""
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TurnJoined:
    """A turn turned out to go on with an earlier one: both were heard as one sentence."""

    turn: int
    former: int
    """The turn that had been taken for a whole one."""


@dataclass(frozen=True, slots=True)
class TurnTimed:
    """Where the time went between the end of speech and the beginning of the work, in milliseconds.

    The times follow upon each other and do not overlap: what one stage did while another was waited for
    is not counted.
    """

    turn: int
    waited_ms: float
    """Quiet until the turn was known to be over."""
    recognised_ms: float
    """Then until its words were there."""
    recorded_ms: float
    """Then until the journal had them."""
    understood_ms: float
    """Then until its intent was known."""
    started_ms: float
    """Then until the work had begun: its checkpoint stood."""

    @property
    def total_ms(self) -> float:
        return self.waited_ms + self.recognised_ms + self.recorded_ms + self.understood_ms + self.started_ms


@dataclass(frozen=True, slots=True)
class Typed:
    """A sentence arrived as text: a turn begins, already transcribed."""

    turn: int
    text: str


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
