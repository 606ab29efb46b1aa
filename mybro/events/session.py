"""The voice, requests to the session, and faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mybro.errors import Problem


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


@dataclass(frozen=True, slots=True)
class Announce:
    """Say this to the person: an agent has news."""

    text: str


@dataclass(frozen=True, slots=True)
class StopAll:
    """Silence the voice, cancel every turn, kill every job."""


@dataclass(frozen=True, slots=True)
class Swept:
    """A stop has been carried out: of what it meant, no process lives."""

    stopped: int
    """How many jobs were at work."""
    ended: tuple[str, ...] = ()
    """What jobs that had finished before had left running: "python3 -m http.server"."""


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
