"""Smart Turn v3: whether a turn is over, by how it sounds. Optional: its weights are fetched on request."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mybro.config import TurnSettings
from mybro.events import SAMPLE_RATE, AudioBlock

log = logging.getLogger(__name__)

WINDOW_S = 8
"""Seconds that the network sees: the newest ones, with silence before them where there are fewer."""
FRAMES = 100 * WINDOW_S


class SmartTurn:
    """The network on one core, loaded when it is first asked."""

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._session: Any = None
        self._features: Any = None
        self._loading = asyncio.Lock()
        self._broken = False

    async def judge(self, audio: AudioBlock) -> float | None:
        """The probability that the speech in `audio` is over; None where the network cannot be used."""
        if self._broken:
            return None
        try:
            async with self._loading:
                if self._session is None:
                    await asyncio.to_thread(self._load)
            return await asyncio.to_thread(self._probability, audio.pcm)
        except Exception as error:
            # The words alone must do then, for the rest of the session.
            log.warning("Smart Turn cannot be used: %s", type(error).__name__)
            self._broken = True
            return None

    def _load(self) -> None:
        import onnxruntime
        from faster_whisper.feature_extractor import FeatureExtractor

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._features = FeatureExtractor(feature_size=80, chunk_length=WINDOW_S)
        self._session = onnxruntime.InferenceSession(str(self._weights), options)

    def _probability(self, pcm: bytes) -> float:
        features = self._features(window(pcm), padding=0)[:, :FRAMES].astype(np.float32)
        return float(self._session.run(None, {"input_features": features[None]})[0].item())


def window(pcm: bytes) -> npt.NDArray[np.float32]:
    """The newest seconds of 16-bit sound as the network wants them: zero mean, unit variance."""
    size = WINDOW_S * SAMPLE_RATE
    newest = np.frombuffer(pcm, "<i2")[-size:].astype(np.float32) / 32768
    padded = np.pad(newest, (size - len(newest), 0))
    scaled: npt.NDArray[np.float32] = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
    return scaled


def smart_turn(settings: TurnSettings) -> SmartTurn | None:
    """The judge, where the settings want it and its weights are there."""
    from mybro.models import turn

    if settings.rule != "meaning" or not settings.use_smart_turn or (found := turn.weights()) is None:
        return None
    return SmartTurn(found)
