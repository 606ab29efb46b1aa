"""mlx-whisper: Whisper on MLX, for Apple's GPUs; on Linux it runs on the CPU.

MLX belongs to the thread that first used it: everything here runs in the worker's main thread.
"""

from __future__ import annotations

import ctypes
import sys
import time
import types
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mybro.errors import ModelLoadError, TranscriptionError
from mybro.transcribe.beams import sample, search
from mybro.transcribe.mlx_decoder import MlxDecoder, attended
from mybro.transcribe.prompt import clip, token_limit
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recognition, Setup
from mybro.transcribe.window import FRAMES_PER_ROW, ROWS, SILENT_MEL, WINDOW_S, padded, rows_for

if TYPE_CHECKING:
    from mybro.transcribe.recogniser import Sound

OPENBLAS = ("libopenblas.so.0", "libopenblas.so")


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A sound as the decoder attends to it."""

    sound: Sound
    whole: bool
    features: Any
    """The encoder's rows, of shape (1, 1500, state); computed only where they are looked at."""
    attended: list[tuple[Any, Any]]


class MlxWhisper:
    """One model, decoded without timestamps."""

    window_s = WINDOW_S
    searches = True

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._model: Any = None
        self._half = False
        self._positions: Any = None
        self._silence: tuple[Any, list[tuple[Any, Any]]] | None = None
        self._encoded: _Encoded | None = None
        """The last sound: a second look at it costs the decoder alone."""

    def load(self) -> None:
        prepare_import()
        import mlx.core as mx
        from mlx_whisper.load_models import load_model

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
            raise ModelLoadError(
                "model_not_loaded",
                f"the weights of {self._setup.model} cannot be loaded: {error}",
                hint=f"Check them with: mybro models verify {self._setup.model}",
            ) from error
        self._model.set_dtype(dtype)
        mx.eval(self._model.parameters())
        self._positions = self._model.encoder._positional_embedding

    def languages(self) -> Sequence[str]:
        from mlx_whisper.tokenizer import LANGUAGES

        if not self._model.is_multilingual:
            return ["en"]
        return list(LANGUAGES)[: self._model.num_languages]

    def recognise(self, sound: Sound, hints: Hints) -> Recognition:
        from mlx_whisper.tokenizer import get_tokenizer

        started = time.perf_counter()
        model = self._model
        heard = self._encode(sound, whole=hints.whole)
        encoded = time.perf_counter()
        language = hints.language or self._detect(heard.features)
        tokenizer = get_tokenizer(
            model.is_multilingual, num_languages=model.num_languages, language=language, task="transcribe"
        )
        before = _start(tokenizer, hints.prompt)
        start, likely = self._begin(heard, tokenizer, before, hints.starts)
        decoder = MlxDecoder(model, heard.attended, tokenizer)
        opened = tokenizer.encode(start)
        begun = decoder.begin([*before, *opened])
        limit, end = token_limit(len(sound) / SAMPLE_RATE), tokenizer.eot
        if hints.temperature:
            warm = hints.temperature
            readings = [sample(decoder, begun.first, temperature=warm, limit=limit, end=end)]
        else:
            readings = search(decoder, begun.first, beams=hints.beams, limit=limit, end=end)
        timings = {"encode": (encoded - started) * 1e3, "decode": (time.perf_counter() - encoded) * 1e3}
        best, *others = (
            Recognition(
                text=tokenizer.decode([*opened, *each.tokens]).strip(),
                language=language,
                no_speech_probability=begun.no_speech_probability,
                average_logprob=each.total / (len(opened) + len(each.tokens) + 1),
                tokens=len(opened) + len(each.tokens),
                timings_ms=timings,
                start_logprob=likely,
                start=start,
            )
            for each in readings
        )
        return replace(best, others=tuple(others))

    def _begin(
        self, heard: _Encoded, tokenizer: Any, before: list[int], starts: Sequence[str]
    ) -> tuple[str, float]:
        """The likeliest of some beginnings, and the logarithm of how likely any of them is."""
        import numpy as np

        if not starts:
            return "", 0.0
        likely = []
        for start in starts:
            decoder = MlxDecoder(self._model, heard.attended, tokenizer)
            row, total = decoder.begin(before).first, 0.0
            for token in tokenizer.encode(start):
                total += float(row[token])
                row = decoder.advance([0], [token])[0]
            likely.append(total)
        return starts[int(np.argmax(likely))], float(np.logaddexp.reduce(likely))

    def _encode(self, sound: Sound, *, whole: bool) -> _Encoded:
        """A window's 1,500 rows: those of the sound, then those of silence."""
        import mlx.core as mx
        from mlx_whisper.audio import log_mel_spectrogram

        if self._encoded and self._encoded.sound is sound and self._encoded.whole == whole:
            return self._encoded
        bands = self._model.dims.n_mels
        rows = rows_for(sound, whole=whole)
        mel = log_mel_spectrogram(padded(sound, rows), n_mels=bands)[: rows * FRAMES_PER_ROW]
        features = self._rows(mel)
        layers = attended(self._model, features)
        if rows < ROWS:
            if self._silence is None:
                silent = self._rows(mx.full((ROWS * FRAMES_PER_ROW, bands), SILENT_MEL))
                self._silence = silent, attended(self._model, silent)
                mx.eval(self._silence)
            after, silent_layers = self._silence
            features = mx.concatenate([features, after[:, rows:]], axis=1)
            layers = [
                (
                    mx.concatenate([key, key_after[:, rows:]], axis=1),
                    mx.concatenate([value, value_after[:, rows:]], axis=1),
                )
                for (key, value), (key_after, value_after) in zip(layers, silent_layers, strict=True)
            ]
        mx.eval(layers)
        self._encoded = _Encoded(sound, whole, features, layers)
        return self._encoded

    def _rows(self, mel: Any) -> Any:
        """What the encoder makes of a spectrogram of shape (frames, bands)."""
        import mlx.core as mx

        # The encoder insists on as many frames as it has positions.
        encoder = self._model.encoder
        encoder._positional_embedding = self._positions[: len(mel) // FRAMES_PER_ROW]
        return encoder(mel.astype(mx.float16 if self._half else mx.float32)[None])

    def _detect(self, features: Any) -> str:
        if not self._model.is_multilingual:
            return "en"
        _, probabilities = self._model.detect_language(features)
        return str(max(probabilities[0], key=probabilities[0].get))


def _start(tokenizer: Any, prompt: str) -> list[int]:
    """The tokens before the first of the text: the prompt and the task."""
    said = clip(prompt, tokenizer.encode)
    before = [tokenizer.sot_prev, *said] if said else []
    return [*before, *tokenizer.sot_sequence_including_notimestamps]


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
