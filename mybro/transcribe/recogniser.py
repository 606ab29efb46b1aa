"""What a speech recogniser is. It lives in a worker process: see `mybro.transcribe.worker`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from mybro.errors import TranscriptionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Sound = NDArray[np.float32]
    """Mono samples between -1 and 1 at 16 kHz."""

SAMPLE_RATE = 16_000


@dataclass(frozen=True, slots=True)
class Hints:
    """What to know before listening."""

    prompt: str = ""
    """Text in the manner and vocabulary of what is to be expected."""
    language: str | None = "en"
    """ISO 639-1; None: to be detected."""
    temperature: float = 0.0
    """0 is greedy; above, tokens are sampled."""
    beams: int = 1
    """How many readings to follow at once; above 1 the others are told as well."""
    whole: bool = False
    """Spare nothing: the whole window is listened to, also where most of it is silence."""
    unfinished: bool = False
    """The speech goes on: the same sound comes again, longer, and its last moment may be left for then."""
    call: str = ""
    """A phrase that may stand first: `Recognition.called`."""
    starts: tuple[str, ...] = ()
    """The text begins with one of these, the likeliest; `average_logprob` takes it for certain."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was heard in one stretch of sound."""

    text: str
    language: str = "en"
    no_speech_probability: float = 0.0
    """0 to 1: the model's own belief that nobody spoke."""
    average_logprob: float = 0.0
    """Natural logarithm, mean over the tokens."""
    tokens: int = 0
    others: tuple[Recognition, ...] = ()
    """Other readings of the same sound, the likelier first."""
    timings_ms: dict[str, float] = field(default_factory=dict)
    """Milliseconds by step, such as "encode" and "decode"."""
    start_logprob: float = 0.0
    """Natural logarithm of how likely it is to begin with one of `Hints.starts`."""
    start: str = ""
    """The likeliest of `Hints.starts`."""
    called: bool | None = None
    """Whether it began with `Hints.call`, which the text is then without; None where nobody asked."""
    plain: bool = False
    """Heard without a prompt where the first answer was heard with one."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that a backend is made from; crosses to the worker as JSON."""

    backend: str
    model: str
    """A name for people, such as "tiny.en"."""
    path: str = ""
    """The folder of weights; empty for a server."""
    compute_type: str = "auto"
    base_url: str = ""
    api_key: str = field(default="", repr=False)
    timeout_s: float = 60.0

    @property
    def name(self) -> str:
        """Backend and model, such as "faster-whisper/tiny.en"."""
        return f"{self.backend}/{self.model}"


class Recogniser(Protocol):
    """Speech to text with one model, in one thread."""

    window_s: float
    """The longest sound that `recognise` takes at once."""
    searches: bool
    """Whether it can follow several readings, `Hints.beams`, and be told of beginnings, `Hints.starts`."""

    def load(self) -> None:
        """Make ready. Raises `TranscriptionError` where that cannot be."""
        ...

    def languages(self) -> Sequence[str]:
        """ISO 639-1 codes of what the loaded model knows; empty: not known."""
        ...

    def recognise(self, sound: Sound, hints: Hints) -> Recognition:
        """The words in at most `window_s` seconds. Raises `TranscriptionError`."""
        ...


BACKENDS: dict[str, str] = {
    "faster-whisper": "mybro.transcribe.whisper_ct2:CTranslate2Whisper",
    "mlx-whisper": "mybro.transcribe.whisper_mlx:MlxWhisper",
    "sherpa-onnx": "mybro.transcribe.zipformer:Zipformer",
    "parakeet-mlx": "mybro.transcribe.parakeet:Parakeet",
    "openai": "mybro.transcribe.openai_server:OpenAIServer",
}
_SETUPS = {"mlx-whisper": "mlx", "sherpa-onnx": "sherpa", "parakeet-mlx": "parakeet"}
"""What `mybro models setup` calls what a backend needs."""


def build(setup: Setup) -> Recogniser:
    """The backend that `setup` names, not loaded yet. Raises `TranscriptionError`."""
    module, _, name = BACKENDS[setup.backend].partition(":")
    try:
        backend: Any = getattr(importlib.import_module(module), name)
        made: Recogniser = backend(setup)
    except ImportError as error:
        raise TranscriptionError(
            "backend_missing",
            f"{setup.backend} is not installed ({error.name or error})",
            hint=f"Set it up with: mybro models setup {_SETUPS[setup.backend]}"
            if setup.backend in _SETUPS
            else "",
        ) from error
    return made
