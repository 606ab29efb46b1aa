"""WebRTC's voice activity detector: alone, and as a gate that spares Silero frames."""

from __future__ import annotations

from collections import deque
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
    """Silero, asked only near what WebRTC takes for a voice.

    WebRTC in mode 2 misses frames inside words but hardly ever a quarter of a second of speech in a row,
    so the gate stays open that long; when it opens, Silero first hears what it was spared of late, since
    it judges a frame by those before. In quiet this spares about half of Silero's work, which is
    a thousandth of a core; in steady noise, nothing.
    """

    frame_samples = SileroDetector.frame_samples
    _MODE = 2
    _OPEN_FRAMES = 8
    _CATCH_UP_FRAMES = 8
    _STEP_BYTES = WebRtcDetector.frame_samples * BYTES_PER_SAMPLE

    def __init__(self, mode: int = _MODE, silero: SileroDetector | None = None) -> None:
        self._gate = WebRtcDetector(mode)
        self._silero = silero or SileroDetector()
        self.reset()

    @classmethod
    def from_settings(cls, settings: AudioSettings) -> Self:
        return cls()

    def reset(self) -> None:
        self._gate.reset()
        self._silero.reset()
        self._rest = b""
        self._open_for = self._OPEN_FRAMES
        self._spared: deque[bytes] = deque(maxlen=self._CATCH_UP_FRAMES)

    def probability(self, frame: bytes) -> float:
        self._open_for = self._OPEN_FRAMES if self._sounds_voiced(frame) else self._open_for - 1
        if self._open_for <= 0:
            self._spared.append(frame)
            return 0.0
        while self._spared:
            self._silero.probability(self._spared.popleft())
        return self._silero.probability(frame)

    def _sounds_voiced(self, frame: bytes) -> bool:
        # Frames of 32 ms against steps of 20 ms: what is left over waits for the next frame.
        sound = self._rest + frame
        steps = range(0, len(sound) - self._STEP_BYTES + 1, self._STEP_BYTES)
        voiced = [self._gate.probability(sound[at : at + self._STEP_BYTES]) > 0 for at in steps]
        self._rest = sound[len(voiced) * self._STEP_BYTES :]
        return any(voiced)
