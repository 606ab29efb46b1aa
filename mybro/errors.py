"""Every error that a person or a program can meet: one root, one subclass per stage."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a value: what an event carries and what a program prints."""

    code: str
    """Stable, in snake_case: programs match on it."""
    message: str
    """One sentence in plain words, without a trailing full stop."""
    hint: str = ""
    """What a person can do about it; empty where nothing can be done."""
    retryable: bool = False
    """Whether the same request may succeed later, unchanged."""

    def line(self) -> str:
        """The problem as one readable line."""
        return f"{self.message}. {self.hint}".rstrip() if self.hint else self.message


class MybroError(Exception):
    """The root. Raise a stage's subclass."""

    exit_code = 1

    def __init__(self, code: str, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.retryable = retryable

    @property
    def problem(self) -> Problem:
        return Problem(self.code, self.message, self.hint, self.retryable)

    def __str__(self) -> str:
        return self.problem.line()


class ConfigError(MybroError):
    """Settings that cannot be used."""

    exit_code = 2


class ScaffoldError(MybroError):
    """A new project that cannot be made."""


class PackagesError(MybroError):
    """A project's packages could not be read or changed."""


class RulesError(MybroError):
    """Rules that cannot be used: their file is wrong."""

    exit_code = 2


class AudioError(MybroError):
    """The microphone, a sound file or the loudspeaker."""


class AudioCaptureError(AudioError):
    """A microphone was lost or cannot be opened.

    Recovery: it is opened again, later and later, with all devices looked up anew; audio time goes on.
    """


class SoundServerError(AudioError):
    """The process that holds the sound devices does not start, hangs or has died.

    Recovery: it is killed and another is started; what was being played goes on from where it was.
    """


class ModelError(MybroError):
    """Model weights that are missing, damaged or cannot be fetched."""


class TranscriptionError(MybroError):
    """A recogniser that cannot load, died or did not answer."""


class TranscriptionTimeout(TranscriptionError):  # noqa: N818 - its name is part of the interface
    """A recogniser that took too long over a stretch of speech.

    Recovery: its worker is killed and another loads the model; where recordings are kept, a replay has it.
    """


class RecogniserDiedError(TranscriptionError):
    """A recogniser that died at work.

    Recovery: another worker tries the same stretch once more; one that was killed for want of memory is
    followed by a smaller model; after five deaths in a row it waits until somebody speaks again.
    """


class ModelLoadError(TranscriptionError):
    """Weights that are there and cannot be loaded.

    Recovery: where their checksums are wrong they are cleared from the cache, had anew and loaded again.
    """


class BrainError(MybroError):
    """A language model that did not give an intent."""


class ExecutorError(MybroError):
    """A local action, a coding session, a checkpoint or an undo."""


class SpeakError(MybroError):
    """A voice that cannot speak."""


class JournalError(MybroError):
    """The journal cannot be read or written."""


class ChildError(MybroError):
    """A child process that did not start, or ended while it was needed."""


class ServerError(MybroError):
    """The page's server, or a request that it does not grant."""


class ComputeError(MybroError):
    """An array that cannot be computed with, or a backend that is not there."""
