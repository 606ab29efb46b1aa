"""WebRTC's voice activity detector: alone, and as a gate that spares Silero frames."""

from __future__ import annotations

from typing import Any, Self

from mybro.audio.detector import SileroDetector
from mybro.config import AudioSettings
from mybro.events import BYTES_PER_SAMPLE, SAMPLE_RATE


class WebRtcDetector:
    """WebRTC VAD: 20 ms frames, yes or no. It takes much noise for speech; mode 3 the least."""

    frame_samples = SAMPLE_RATE // 50

    def __init__(self, mode: int = 1) -> None:
        self._mode = mode
        self.reset()

    @classmethod
    def from_settings(cls, settings: AudioSettings) -> Self:
        return cls(settings.webrtc_mode)

    def reset(self) -> None:
        import webrtcvad

        self._vad: Any = webrtcvad.Vad(self._mode)

    def probability(self, frame: bytes) -> float:
        return float(self._vad.is_speech(frame, SAMPLE_RATE))


class CascadeDetector:
    """Silero, asked only about frames near which WebRTC found anything like a voice."""

    frame_samples = SileroDetector.frame_samples
    _STEP_BYTES = WebRtcDetector.frame_samples * BYTES_PER_SAMPLE

    def __init__(self, mode: int = 0) -> None:
        self._gate = WebRtcDetector(mode)
        self._silero = SileroDetector()
        self.reset()

    @classmethod
    def from_settings(cls, settings: AudioSettings) -> Self:
        return cls(settings.webrtc_mode)

    def reset(self) -> None:
        self._gate.reset()
        self._silero.reset()
        self._rest = b""
        self._quiet_frames = 0
        self.spared = 0
        """Frames that Silero was not asked about."""

    def probability(self, frame: bytes) -> float:
        if self._is_open(frame):
            return self._silero.probability(frame)
        self.spared += 1
        return 0.0

    def _is_open(self, frame: bytes) -> bool:
        # Frames of 32 ms against steps of 20 ms: the rest waits for the next frame.
        sound = self._rest + frame
        steps = range(0, len(sound) - self._STEP_BYTES + 1, self._STEP_BYTES)
        voiced = [self._gate.probability(sound[at : at + self._STEP_BYTES]) > 0 for at in steps]
        self._rest = sound[len(voiced) * self._STEP_BYTES :]
        self._quiet_frames = 0 if any(voiced) else self._quiet_frames + 1
        return self._quiet_frames == 0
