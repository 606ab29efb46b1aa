"""faster-whisper: Whisper on CTranslate2, the default where there is no Apple GPU."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mybro.errors import ModelLoadError
from mybro.transcribe.prompt import clip, token_limit
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recognition, Setup
from mybro.transcribe.window import FRAMES_PER_ROW, ROWS, SILENT_MEL, WINDOW_S, padded, rows_for

if TYPE_CHECKING:
    from mybro.transcribe.recogniser import Sound

MAX_THREADS = 4
"""Whisper's matrices are too small to gain from more."""
_SMALL_BYTES = 100_000_000
"""Weights of tiny: their matrices are so small that a second thread costs more than it gives."""


class CTranslate2Whisper:
    """One model, decoded without timestamps."""

    window_s = WINDOW_S
    searches = True

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._model: Any = None
        self._silence: Any = None
        self._encoded: tuple[Sound, bool, Any] | None = None
        """The last sound and its encoding: a second look at it costs the decoder alone."""

    def load(self) -> None:
        from faster_whisper import WhisperModel

        compute_type = "int8" if self._setup.compute_type == "auto" else self._setup.compute_type
        try:
            self._model = WhisperModel(
                self._setup.path,
                device="cpu",
                compute_type=compute_type,
                cpu_threads=threads_for(Path(self._setup.path)),
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as error:
            raise ModelLoadError(
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
        features = self._encode(sound, whole=hints.whole)
        encoded = time.perf_counter()
        language = hints.language or self._detect(features)
        tokenizer = Tokenizer(
            model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language
        )
        prompt = model.get_prompt(tokenizer, clip(hints.prompt, tokenizer.encode), without_timestamps=True)
        start, likely = self._begin(features, tokenizer, hints)
        prompt += tokenizer.encode(start)
        search: dict[str, Any] = {"beam_size": hints.beams, "num_hypotheses": hints.beams}
        if hints.temperature:
            search = {"beam_size": 1, "sampling_topk": 0, "sampling_temperature": hints.temperature}
        answer = model.model.generate(
            features, [prompt], suppress_blank=not start, suppress_tokens=[-1],
            max_length=len(prompt) + token_limit(len(sound) / SAMPLE_RATE),
            return_scores=True, return_no_speech_prob=True, **search,
        )[0]  # fmt: skip
        readings = [
            Recognition(
                text=tokenizer.decode(tokens).strip(),
                language=language,
                no_speech_probability=float(answer.no_speech_prob),
                # The score is a mean over the tokens; the end-of-text token counts as well.
                average_logprob=float(score) * len(tokens) / (len(tokens) + 1),
                tokens=len(tokens),
                timings_ms={
                    "encode": (encoded - started) * 1e3,
                    "decode": (time.perf_counter() - encoded) * 1e3,
                },
                start_logprob=likely,
                start=start,
            )
            for tokens, score in zip(answer.sequences_ids, answer.scores, strict=True)
        ]
        return replace(readings[0], others=tuple(readings[1:]))

    def _begin(self, features: Any, tokenizer: Any, hints: Hints) -> tuple[str, float]:
        """The likeliest of `hints.starts`, and the logarithm of how likely any of them is."""
        import numpy as np

        if not hints.starts:
            return "", 0.0
        # The aligner adds the mark of a text without timestamps itself.
        prompt = self._model.get_prompt(tokenizer, clip(hints.prompt, tokenizer.encode))
        likely = []
        for start in hints.starts:
            tokens = tokenizer.encode(start)
            chances = self._model.model.align(features, prompt, [tokens], ROWS)[0].text_token_probs
            likely.append(float(np.log(np.maximum(chances[: len(tokens)], 1e-9)).sum()))
        return hints.starts[int(np.argmax(likely))], float(np.logaddexp.reduce(likely))

    def _encode(self, sound: Sound, *, whole: bool) -> Any:
        """The encoder's 1,500 rows: those of the sound, then those of silence."""
        import numpy as np
        from ctranslate2 import StorageView

        if self._encoded and self._encoded[0] is sound and self._encoded[1] == whole:
            return self._encoded[2]
        rows = rows_for(sound, whole=whole)
        mel = self._model.feature_extractor(padded(sound, rows), padding=0)[:, : rows * FRAMES_PER_ROW]
        features = self._model.encode(mel)
        if rows < ROWS:
            if self._silence is None:
                silent = np.full((mel.shape[0], ROWS * FRAMES_PER_ROW), SILENT_MEL, np.float32)
                self._silence = np.array(self._model.encode(silent))
            joined = np.concatenate([np.array(features), self._silence[:, rows:]], axis=1)
            features = StorageView.from_array(np.ascontiguousarray(joined))
        self._encoded = (sound, whole, features)
        return features

    def _detect(self, features: Any) -> str:
        if not self._model.model.is_multilingual:
            return "en"
        token, _ = self._model.model.detect_language(features)[0][0]
        return str(token[2:-2])


def threads_for(folder: Path) -> int:
    """How many threads pay for the weights in a folder."""
    try:
        small = (folder / "model.bin").stat().st_size < _SMALL_BYTES
    except OSError:
        small = False
    return 1 if small else min(MAX_THREADS, os.cpu_count() or 1)
