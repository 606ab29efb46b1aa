"""faster-whisper: Whisper on CTranslate2, the default where there is no Apple GPU."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mybro.errors import TranscriptionError
from mybro.transcribe.prompt import clip, token_limit
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recognition, Setup

if TYPE_CHECKING:
    from mybro.transcribe.recogniser import Sound

MAX_THREADS = 4
"""Whisper's matrices are too small to gain from more."""


class CTranslate2Whisper:
    """One model, decoded greedily without timestamps."""

    window_s = 30.0

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._model: Any = None

    def load(self) -> None:
        from faster_whisper import WhisperModel

        compute_type = "int8" if self._setup.compute_type == "auto" else self._setup.compute_type
        try:
            self._model = WhisperModel(
                self._setup.path,
                device="cpu",
                compute_type=compute_type,
                cpu_threads=min(MAX_THREADS, os.cpu_count() or 1),
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as error:
            raise TranscriptionError(
                "model_not_loaded",
                f"the weights of {self._setup.model} cannot be loaded: {error}",
                hint=f"Check them with: mybro models verify {self._setup.model}",
            ) from error

    def languages(self) -> Sequence[str]:
        return list(self._model.supported_languages)

    def recognise(self, sound: Sound, hints: Hints) -> Recognition:
        from faster_whisper.tokenizer import Tokenizer

        started = time.perf_counter()
        model = self._model
        features = model.encode(self._features(sound))
        encoded = time.perf_counter()
        language = hints.language or self._detect(features)
        tokenizer = Tokenizer(
            model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language
        )
        prompt = model.get_prompt(tokenizer, clip(hints.prompt, tokenizer.encode), without_timestamps=True)
        sampling = (
            {"sampling_topk": 0, "sampling_temperature": hints.temperature} if hints.temperature else {}
        )
        answer = model.model.generate(
            features, [prompt], beam_size=1, suppress_blank=True, suppress_tokens=[-1],
            max_length=len(prompt) + token_limit(len(sound) / SAMPLE_RATE),
            return_scores=True, return_no_speech_prob=True, **sampling,
        )[0]  # fmt: skip
        tokens = answer.sequences_ids[0]
        return Recognition(
            text=tokenizer.decode(tokens).strip(),
            language=language,
            no_speech_probability=float(answer.no_speech_prob),
            # The score is a mean over the tokens; the end-of-text token counts as well.
            average_logprob=float(answer.scores[0]) * len(tokens) / (len(tokens) + 1),
            tokens=len(tokens),
            timings_ms={
                "encode": (encoded - started) * 1e3,
                "decode": (time.perf_counter() - encoded) * 1e3,
            },
        )

    def _features(self, sound: Sound) -> Any:
        """The log-mel spectrogram of the sound and of silence up to 30 s."""
        import numpy as np

        extractor = self._model.feature_extractor
        whole = np.zeros(extractor.n_samples, np.float32)
        whole[: len(sound)] = sound[: len(whole)]
        return extractor(whole, padding=0)[:, : extractor.nb_max_frames]

    def _detect(self, features: Any) -> str:
        if not self._model.model.is_multilingual:
            return "en"
        token, _ = self._model.model.detect_language(features)[0][0]
        return str(token[2:-2])
