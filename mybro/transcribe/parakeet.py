"""parakeet-mlx: Parakeet transducers on Apple's GPU, with the prompt's names boosted.

Its own stream keeps the last 20 s open and encodes them anew with every piece that is added. At the length of
a command that is all of it, so each hearing, also of speech that grows, is a whole one, which may look ahead
without a limit and shares the model with nobody.
"""

from __future__ import annotations

import json
import math
import sys
import time
import types
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mybro.errors import ModelLoadError, TranscriptionError
from mybro.transcribe.growing import cased, names_in
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recognition, Setup
from mybro.transcribe.whisper_mlx import load_openblas

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mybro.transcribe.recogniser import Sound

BOOST = 4.0
"""Added to the logarithm of a reading's probability for each name in it."""
BEAMS = 4
LEAST_S = 0.2
"""What is shorter is filled up: the encoder needs some frames."""


class Parakeet:
    """One model of the Parakeet family."""

    window_s = 60.0
    searches = False

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._model: Any = None
        self._boosted: tuple[tuple[str, ...], Any] | None = None
        """Names and the decoding that prefers them: its tables are costly, and the names mostly the same."""

    def load(self) -> None:
        prepare_import()
        import mlx.core as mx
        from mlx.utils import tree_map
        from parakeet_mlx.utils import from_config

        kind = self._setup.compute_type
        if kind == "int8":
            raise TranscriptionError(
                "compute_type_unknown",
                "parakeet-mlx does not compute in int8",
                hint="mybro config set transcribe.compute_type auto",
            )
        gpu = mx.default_device().type == mx.DeviceType.gpu
        dtype = {"float16": mx.float16, "float32": mx.float32}.get(kind, mx.bfloat16 if gpu else mx.float32)
        folder = Path(self._setup.path)
        try:
            # The library's own loading would ask the hub first.
            self._model = from_config(json.loads((folder / "config.json").read_text(encoding="utf-8")))
            self._model.load_weights(str(folder / "model.safetensors"))
            self._model.update(tree_map(lambda weight: weight.astype(dtype), self._model.parameters()))
            mx.eval(self._model.parameters())
        except (OSError, RuntimeError, TypeError, ValueError, KeyError) as error:
            raise ModelLoadError(
                "model_not_loaded",
                f"the weights of {self._setup.model} cannot be loaded: {error}",
                hint=f"Check them with: mybro models verify {self._setup.model} --backend parakeet-mlx",
            ) from error

    def languages(self) -> Sequence[str]:
        return ()

    def recognise(self, sound: Sound, hints: Hints) -> Recognition:
        import mlx.core as mx
        import numpy as np
        from parakeet_mlx.audio import get_logmel

        started = time.perf_counter()
        model = self._model
        short = max(0, int(LEAST_S * SAMPLE_RATE) - len(sound))
        # Of a sound that is no whole number of steps, parakeet-mlx takes the last window beyond its end, from
        # memory that may hold anything.
        short += -(len(sound) + short) % int(model.preprocessor_config.hop_length)
        mel = get_logmel(mx.array(np.pad(sound, (0, short))), model.preprocessor_config)
        # What will be heard again is heard greedily: a search is for what stays.
        result = model.generate(
            mel, decoding_config=self._decoding("" if hints.unfinished else hints.prompt)
        )[0]
        tokens = result.tokens
        sure = [math.log(max(1e-4, min(1.0, token.confidence))) for token in tokens]
        return Recognition(
            text=cased(result.text.strip()),
            language=hints.language or "en",
            average_logprob=sum(sure) / len(sure) if sure else 0.0,
            tokens=len(tokens),
            timings_ms={"decode": (time.perf_counter() - started) * 1e3},
        )

    def _decoding(self, prompt: str) -> Any:
        """Greedy without names to look for, else a search that prefers them."""
        from parakeet_mlx import Beam, DecodingConfig, ParakeetCTC, boost

        names = tuple(names_in(prompt))
        if not names or isinstance(self._model, ParakeetCTC):
            return DecodingConfig()
        if self._boosted is None or self._boosted[0] != names:
            # Its tokens are cased: a name at the beginning of a sentence is the same name.
            spelled = boost.prebind(str.lower, boost.words(dict.fromkeys(names, BOOST), boundary=True))
            booster = boost.lift(spelled, self._model.vocabulary)
            self._boosted = names, DecodingConfig(decoding=Beam(beam_size=BEAMS, booster=booster))
        return self._boosted[1]


def prepare_import() -> None:
    """What must be done before `parakeet_mlx` is first imported."""
    if sys.platform == "linux":
        load_openblas()
    # Of librosa, which brings scipy, numba and scikit-learn, it uses one table.
    stub = types.ModuleType("librosa")
    stub.filters = types.SimpleNamespace(mel=_mel)  # type: ignore[attr-defined]
    sys.modules.setdefault("librosa", stub)


def _mel(*, sr: int, n_fft: int, n_mels: int, **_other: Any) -> NDArray[np.float32]:
    """The mel filters that librosa computes by default, of shape (n_mels, n_fft // 2 + 1)."""
    from faster_whisper.feature_extractor import FeatureExtractor

    filters: NDArray[np.float32] = FeatureExtractor.get_mel_filters(sr, n_fft, n_mels)
    return filters
