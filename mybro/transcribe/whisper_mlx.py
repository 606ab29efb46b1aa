"""mlx-whisper: Whisper on MLX, for Apple's GPUs; on Linux it runs on the CPU.

MLX belongs to the thread that first used it: everything here runs in the worker's main thread.
"""

from __future__ import annotations

import ctypes
import sys
import time
import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mybro.errors import TranscriptionError
from mybro.transcribe.prompt import clip, token_limit
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recognition, Setup

if TYPE_CHECKING:
    from mybro.transcribe.recogniser import Sound

OPENBLAS = ("libopenblas.so.0", "libopenblas.so")
_SAMPLES = 30 * SAMPLE_RATE
_FRAMES = 3000
"""Frames of the spectrogram of 30 s: 100 a second."""


class MlxWhisper:
    """One model, decoded greedily without timestamps."""

    window_s = 30.0

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._model: Any = None
        self._half = False

    def load(self) -> None:
        prepare_import()
        import mlx.core as mx
        from mlx_whisper.load_models import load_model

        mx.random.seed(0)
        kind = self._setup.compute_type
        if kind == "int8":
            raise TranscriptionError(
                "compute_type_unknown",
                "mlx-whisper does not compute in int8",
                hint="Choose a quantised model instead, such as large-v3-turbo-q4",
            )
        # On a CPU half precision bypasses the fast matrix routines.
        self._half = kind == "float16" or (kind == "auto" and mx.default_device().type == mx.DeviceType.gpu)
        dtype = mx.float16 if self._half else mx.float32
        try:
            self._model = load_model(self._setup.path, dtype=dtype)
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            raise TranscriptionError(
                "model_not_loaded",
                f"the weights of {self._setup.model} cannot be loaded: {error}",
                hint=f"Check them with: mybro models verify {self._setup.model}",
            ) from error
        self._model.set_dtype(dtype)
        mx.eval(self._model.parameters())

    def languages(self) -> Sequence[str]:
        from mlx_whisper.tokenizer import LANGUAGES

        if not self._model.is_multilingual:
            return ["en"]
        return list(LANGUAGES)[: self._model.num_languages]

    def recognise(self, sound: Sound, hints: Hints) -> Recognition:
        import mlx.core as mx
        from mlx_whisper.decoding import DecodingOptions, decode
        from mlx_whisper.tokenizer import get_tokenizer

        started = time.perf_counter()
        model = self._model
        features = model.encoder(self._features(sound)[None])
        mx.eval(features)
        encoded = time.perf_counter()
        language = hints.language or self._detect(features)
        tokenizer = get_tokenizer(
            model.is_multilingual, num_languages=model.num_languages, language=language, task="transcribe"
        )
        options = DecodingOptions(
            language=language,
            temperature=hints.temperature,
            without_timestamps=True,
            prompt=clip(hints.prompt, tokenizer.encode) or None,
            sample_len=token_limit(len(sound) / SAMPLE_RATE),
            fp16=self._half,
        )
        answer = decode(model, features, options)[0]
        return Recognition(
            text=answer.text,
            language=language,
            no_speech_probability=float(answer.no_speech_prob),
            average_logprob=float(answer.avg_logprob),
            tokens=len(answer.tokens),
            timings_ms={
                "encode": (encoded - started) * 1e3,
                "decode": (time.perf_counter() - encoded) * 1e3,
            },
        )

    def _features(self, sound: Sound) -> Any:
        """The log-mel spectrogram of the sound and of silence up to 30 s."""
        import mlx.core as mx
        from mlx_whisper.audio import log_mel_spectrogram

        clip_ = sound[:_SAMPLES]
        mel = log_mel_spectrogram(clip_, n_mels=self._model.dims.n_mels, padding=_SAMPLES - len(clip_))
        return mel[:_FRAMES].astype(mx.float16 if self._half else mx.float32)

    def _detect(self, features: Any) -> str:
        if not self._model.is_multilingual:
            return "en"
        _, probabilities = self._model.detect_language(features)
        return str(max(probabilities[0], key=probabilities[0].get))


def prepare_import() -> None:
    """What must be done before `mlx_whisper` is first imported."""
    if sys.platform == "linux":
        load_openblas()
    # Word timestamps alone need numba and scipy, which are some 350 MB.
    stub = types.ModuleType("mlx_whisper.timing")
    stub.add_word_timestamps = None  # type: ignore[attr-defined]
    sys.modules.setdefault("mlx_whisper.timing", stub)


def load_openblas() -> bool:
    """Let MLX on Linux find OpenBLAS before its wheel's reference routines, which take seven times as long.

    Returns whether the library is there.
    """
    for name in OPENBLAS:
        try:
            ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
        except OSError:
            continue
        return True
    return False
