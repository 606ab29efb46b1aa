"""Hearing only who speaks as loud as the person at the microphone does: others are farther away."""

from __future__ import annotations

from collections import deque

import numpy as np

from mybro.audio.detector import Detector

FARTHER_DB = 14.0
"""So much softer than the loudest voice of late, and it is somebody else's."""
SOFT_DB = 2.0
RISE = 0.3
FALL_DB = 0.01
"""For each frame: a person who leaves takes their level with them, in about ten seconds for 3 dB."""
LOOK_BACK = 7
"""Frames: a voice has soft sounds between its loud ones."""
SPEECH = 0.5


class NearDetector:
    """Another detector, less sure the softer a voice is beside the loudest one heard of late."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.frame_samples = detector.frame_samples
        self._loudest = -120.0
        self._levels: deque[float] = deque([-120.0], maxlen=LOOK_BACK)

    def reset(self) -> None:
        self._detector.reset()
        self._levels.clear()

    def probability(self, frame: bytes) -> float:
        probability = self._detector.probability(frame)
        samples = np.frombuffer(frame, "<i2").astype(np.float64) / 32768
        level = 10 * float(np.log10(np.mean(samples**2) + 1e-12))
        self._levels.append(level)
        if probability > SPEECH:
            self._loudest += RISE * max(level - self._loudest, 0.0)
        self._loudest -= FALL_DB
        below = self._loudest - FARTHER_DB - max(self._levels)
        return probability / (1.0 + float(np.exp(min(below / SOFT_DB, 50.0))))
