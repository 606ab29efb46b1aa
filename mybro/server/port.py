"""What the server needs of the session that it serves; the pipeline's room implements it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from mybro.intent import Intent

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recogniser made of a stretch of sound."""

    text: str
    model_id: str
    """Backend and model: "faster-whisper/tiny.en"."""
    language: str = "en"
    is_final: bool = True
    segment: int = 0
    """Counts the stretches of speech of one stream from 1."""
    start_s: float = 0.0
    """Seconds of sound since the stream began, as is `end_s`."""
    end_s: float = 0.0
    latency_ms: float = 0.0
    """From the request to the answer."""


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """One model that can recognise speech."""

    id: str
    """Backend and name: "faster-whisper/tiny.en"."""
    backend: str
    name: str
    installed: bool
    english_only: bool | None
    bytes_about: int | None
    current: bool
    """Whether the session uses it now."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a sentence so far."""

    turn: int
    text: str
    state: str
    """working, asking, done, failed, stopped or dropped."""
    intent: Intent | None = None
    reply: str = ""
    """What mybro says to it."""
    job: int | None = None
    outcome: Json | None = None
    question: Json | None = None
    cached: bool = False
    """Whether the intent came from the cache."""


class Work(Protocol):
    """What a session does, and how it is told."""

    def status(self) -> Json:
        """JSON-ready: says, seq, ear, mouth, jobs, questions, turns, ….

        Cheap: it is asked often.
        """
        ...

    async def submit(self, text: str, conversation: str = "") -> int:
        """Have a sentence done as if it had been typed; returns its turn."""
        ...

    async def reply(self, turn: int, wait_s: float) -> Reply:
        """What came of a turn, once it is over or has to ask, at most so many seconds later.

        Raises `ServerError` no_such_turn.
        """
        ...

    async def control(self, do: str, **fields: Any) -> Json:
        """stop (returns once all work is dead), undo, redo, answer (question, yes, choice, always, object),
        use_model (model_id), diff (job; gives a `JobDiff`), forget (clients' conversations, and what
        sentences were understood as).

        Raises `ServerError`.
        """
        ...


class LiveSpeech(Protocol):
    """One stream of sound that is being recognised. From one event loop."""

    async def feed(self, pcm: bytes) -> None:
        """Take 16 kHz mono 16-bit sound; waits while there is too much of it, and drops nothing."""
        ...

    def results(self) -> AsyncIterator[Heard]:
        """Partial and final texts, the finals in the order of speech; ends after `finish`."""
        ...

    async def switch(self, model_id: str) -> None:
        """Go on with another model in a worker of its own. Raises `ModelError`, `TranscriptionError`."""
        ...

    async def finish(self, *, at_once: bool = False) -> None:
        """There will be no more sound: what was said comes out as results; `at_once` gives it up."""
        ...


class Ears(Protocol):
    """Speech to text."""

    @property
    def current(self) -> str:
        """The id of the session's model."""
        ...

    def models(self) -> list[SpeechModel]: ...

    async def transcribe(
        self, pcm: bytes, model_id: str | None = None, language: str | None = None, prompt: str = ""
    ) -> Heard:
        """The words in a sound of any length. Raises `ModelError`, `TranscriptionError`."""
        ...

    async def stream(self, model_id: str | None = None) -> LiveSpeech: ...

    async def listen(self, sound: AsyncIterator[bytes], name: str) -> None:
        """Hear a stream as the session's microphone, to its end."""
        ...


class Voice(Protocol):
    """Text to speech."""

    name: str

    def synthesize(self, text: str, speed: float = 1.0) -> AsyncIterator[tuple[int, bytes]]:
        """Sample rate in hertz and mono 16-bit sound, chunk by chunk. Raises `SpeakError`."""
        ...


class Memory(Protocol):
    """The journal."""

    async def history(self, limit: int, before: int | None, search: str) -> list[Json]:
        """What was said, the newest first, as JSON-ready objects with an `id`. Raises `JournalError`."""
        ...

    async def utterance(self, number: int) -> Json:
        """One of them with its events. Raises `JournalError` no_such_utterance."""
        ...

    async def recording(self, number: int) -> bytes:
        """Its sound: 16 kHz mono 16-bit. Raises `JournalError`."""
        ...

    async def costs(self) -> list[Json]:
        """By day, oldest first."""
        ...


class Health(Protocol):
    """The doctor."""

    async def last(self) -> Json | None:
        """What it found last: score, grade, counts, complete, at, findings with numbers, unexamined."""
        ...

    async def examine(self) -> Json:
        """Have it look now. Raises `ExecutorError`; `ServerError` stopped."""
        ...


class Budget(Protocol):
    """What may be spent, in dollars; None for any amount."""

    def limits(self) -> tuple[float | None, float | None]:
        """Of one coding session, and of all in a day."""
        ...

    async def limit(self, session_usd: float | None, day_usd: float | None) -> None:
        """Set both, for coding sessions that begin from now on and after a restart. Raises `ConfigError`."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """All that a server can ask. A part that is None is answered with `not_here`."""

    work: Work
    ears: Ears | None = None
    voice: Voice | None = None
    memory: Memory | None = None
    facts: Json = field(default_factory=dict)
    """What never changes while it runs: repo, version, …."""
    health: Health | None = None
    budget: Budget | None = None
