"""What tells speech from other sound, frame by frame."""

from __future__ import annotations

import functools
import importlib
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from mybro.config import AudioSettings
from mybro.errors import AudioError
from mybro.ops.installed import in_package

DETECTORS = {
    "silero": "mybro.audio.detector:SileroDetector",
    "webrtc": "mybro.audio.webrtc:WebRtcDetector",
    "silero+webrtc": "mybro.audio.webrtc:CascadeDetector",
}


class Detector(Protocol):
    """Judges one stream; frames must come in order, without gaps between two calls of `reset`."""

    @property
    def frame_samples(self) -> int:
        """Samples in every frame."""
        ...

    def probability(self, frame: bytes) -> float:
        """How likely the frame holds speech, 0 to 1. `frame` is 16-bit PCM, `frame_samples` long."""
        ...

    def reset(self) -> None:
        """Forget the stream so far."""
        ...


class DetectorFactory(Protocol):
    """What a dotted path in `DETECTORS` leads to."""

    def from_settings(self, settings: AudioSettings) -> Detector: ...


def make_detector(settings: AudioSettings) -> Detector:
    """A detector as the settings have it. Raises `AudioError` where a part of it is not installed."""
    module, _, name = DETECTORS[settings.vad].partition(":")
    factory: DetectorFactory = getattr(importlib.import_module(module), name)
    detector = factory.from_settings(settings)
    if settings.vad == "silero":
        from mybro.audio.gate import GatedDetector

        detector = GatedDetector(detector)
    if settings.near_only:
        from mybro.audio.near import NearDetector

        detector = NearDetector(detector)
    return detector


class SileroDetector:
    """Silero VAD v6 through ONNX Runtime: 32 ms frames, a small recurrent network.

    The weights are those in the faster-whisper package, read without importing it.
    """

    frame_samples = 512
    _CONTEXT = 64

    def __init__(self) -> None:
        self._session = _silero_session()
        self.reset()

    @classmethod
    def from_settings(cls, settings: AudioSettings) -> Self:
        return cls()

    def reset(self) -> None:
        self._h: npt.NDArray[np.float32] = np.zeros((1, 1, 128), np.float32)
        self._c: npt.NDArray[np.float32] = np.zeros((1, 1, 128), np.float32)
        self._input: npt.NDArray[np.float32] = np.zeros((1, self._CONTEXT + self.frame_samples), np.float32)

    def probability(self, frame: bytes) -> float:
        samples = self._input
        samples[0, : self._CONTEXT] = samples[0, -self._CONTEXT :]
        np.multiply(np.frombuffer(frame, "<i2"), np.float32(1 / 32768), out=samples[0, self._CONTEXT :])
        feed = {"input": samples, "h": self._h, "c": self._c}
        speech, self._h, self._c = self._session.run(None, feed)
        return float(speech.item())


@functools.cache
def _silero_session() -> Any:
    """One session for the whole process: it holds no state of a stream."""
    weights = in_package("faster_whisper", "assets/silero_vad_v6.onnx")
    if weights is None:
        raise AudioError(
            "no_silero",
            "Silero's weights are not installed",
            hint="Run: pip install 'faster-whisper>=1.2,<1.3'",
        )
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
