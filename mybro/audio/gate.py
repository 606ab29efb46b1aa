"""Spares a detector what is as quiet as the room: none of it is speech, and most of the day is like that."""

from __future__ import annotations

from collections import deque

import numpy as np

from mybro.audio.detector import Detector

LOUDER = 1.5
"""Times the power of the room's quiet: less than 2 dB, which speech exceeds even where noise is as loud."""
RISE = 1.004
"""For each frame: a room that becomes louder is the new quiet after some seconds."""
OPEN_FRAMES = 16
CATCH_UP_FRAMES = 8
"""What it was spared of late, the detector hears before it judges: it knows a frame by those before."""
_LEAST = 1.0
"""Mean square of 16-bit samples that counts as quiet in any room: -90 dB."""


class GatedDetector:
    """Another detector, asked only where something is louder than the room."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.frame_samples = detector.frame_samples
        self._restart()

    def reset(self) -> None:
        self._detector.reset()
        self._restart()

    def _restart(self) -> None:
        self._quiet = np.inf
        self._open_for = OPEN_FRAMES
        self._spared: deque[bytes] = deque(maxlen=CATCH_UP_FRAMES)

    def probability(self, frame: bytes) -> float:
        self._open_for = OPEN_FRAMES if self._stands_out(frame) else self._open_for - 1
        if self._open_for <= 0:
            self._spared.append(frame)
            return 0.0
        while self._spared:
            self._detector.probability(self._spared.popleft())
        return self._detector.probability(frame)

    def _stands_out(self, frame: bytes) -> bool:
        samples = np.frombuffer(frame, "<i2").astype(np.float32)
        power = max(float(np.dot(samples, samples)) / len(samples), _LEAST)
        louder = power > LOUDER * self._quiet
        self._quiet = min(power, self._quiet * RISE)
        return louder
