"""Which backend and model the settings mean on this machine."""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Callable, Sequence
from typing import Literal

from mybro.config import TranscribeSettings
from mybro.errors import ModelError, TranscriptionError
from mybro.models import Backend, Weights, resolve
from mybro.models.catalogue import WHISPER
from mybro.models.package import PACKAGED
from mybro.transcribe.recogniser import Setup

Fetch = Callable[[Backend, str], Weights]
"""Gets weights that are missing; may block."""


def backend_for(setting: Literal["auto", "openai"] | Backend) -> Literal["openai"] | Backend:
    """The backend that a setting means: on Apple silicon MLX if it is installed, else faster-whisper."""
    if setting != "auto":
        return setting
    apple = sys.platform == "darwin" and platform.machine() == "arm64"
    return "mlx-whisper" if apple and importlib.util.find_spec("mlx_whisper") else "faster-whisper"


def recommended(backend: Backend, language: str) -> str:
    """The model that a fresh machine should have."""
    if backend == "mlx-whisper":
        return "large-v3-turbo"
    if backend == "sherpa-onnx":
        return "zipformer-en"
    if backend == "parakeet-mlx":
        return "parakeet-tdt-0.6b-v2" if language == "en" else "parakeet-tdt-0.6b-v3"
    return "small.en" if language == "en" else "small"


def setup_for(settings: TranscribeSettings, fetch: Fetch | None = None) -> Setup:
    """What the worker must load.

    `fetch` gets weights that are missing; without it they are an error.
    Raises `ModelError`, or `TranscriptionError` for settings that do not fit together.
    """
    backend = backend_for(settings.backend)
    if backend == "openai":
        return _server(settings)
    weights = _weights(backend, settings, fetch)
    if weights.model.english_only and settings.language not in ("en", "auto"):
        raise TranscriptionError(
            "language_unknown",
            f"the speech model {weights.model.name} knows English only",
            hint=f"Choose one that knows more, such as {recommended(backend, settings.language)}",
        )
    return Setup(
        backend,
        weights.model.name,
        path=str(weights.path),
        compute_type=settings.compute_type,
        timeout_s=settings.timeout_s,
    )


def _weights(backend: Backend, settings: TranscribeSettings, fetch: Fetch | None) -> Weights:
    wanted = settings.model
    if wanted == "auto":
        wanted = recommended(backend, settings.language)
        small = [PACKAGED] if settings.language in ("en", "auto") and backend in WHISPER else []
        for name in (wanted, *small):
            try:
                return resolve(backend, name)
            except ModelError as error:
                if error.code != "model_missing":
                    raise
    try:
        return resolve(backend, wanted)
    except ModelError as error:
        if error.code != "model_missing" or fetch is None:
            raise
        return fetch(backend, wanted)


def _server(settings: TranscribeSettings) -> Setup:
    if not settings.openai_base_url:
        raise TranscriptionError(
            "no_address",
            "no transcription address is set",
            hint="Set it: mybro config set transcribe.openai_base_url https://api.groq.com/openai/v1",
        )
    key = settings.openai_api_key
    return Setup(
        "openai",
        "whisper-1" if settings.model == "auto" else settings.model,
        base_url=settings.openai_base_url,
        api_key=key.get_secret_value() if key else "",
        timeout_s=settings.timeout_s,
    )


def check_language(wanted: str, known: Sequence[str], name: str) -> None:
    """Raise `TranscriptionError` for a language that a loaded model does not know.

    `known` is empty where it cannot be told.
    """
    if wanted == "auto" or not known or wanted in known:
        return
    raise TranscriptionError(
        "language_unknown",
        f"{name} does not know the language {wanted!r}",
        hint=f"It knows: {', '.join(sorted(known))}",
    )
