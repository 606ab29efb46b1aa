"""What is heard: sound, speech and the talk key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mybro.errors import Problem

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
    echo: bool = False
    """Whether nothing is in it but what mybro itself plays."""
    onset: bool = False
    """Whether somebody seems to have begun to speak over what mybro plays."""
    certain: bool = False
    """Whether that has lasted: no click, and louder than any echo, though it may hold no word."""

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
class SpeechSustained:
    """It has lasted too long for a cough."""

    turn: int
    sample: int
    """Index of the first sample not yet heard."""


@dataclass(frozen=True, slots=True)
class SpeechContinued:
    """It goes on: worth a look at the words so far. About twice a second, where anybody wants that."""

    turn: int
    utterance: Utterance
    """What has been heard of the turn so far."""


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
class TurnJudged:
    """A model has judged by the sound whether a turn is over."""

    turn: int
    request: int
    """The number under which it was asked."""
    probability: float
    """Of an end, 0 to 1."""
    processing_ms: float = 0.0


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
