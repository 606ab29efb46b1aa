"""Three tiny sounds, made when they are first needed."""

from __future__ import annotations

from functools import cache
from typing import Literal

Chime = Literal["listening", "accepted", "stopped"]

SAMPLE_RATE = 24_000
_PEAK = 0.22
_FADE_S = 0.012
_NOTES: dict[Chime, tuple[tuple[float, float], ...]] = {
    "listening": ((659.26, 0.07), (987.77, 0.09)),
    "accepted": ((783.99, 0.06), (1174.66, 0.10)),
    "stopped": ((587.33, 0.07), (392.00, 0.12)),
}
"""Frequency in hertz and length in seconds: up for beginning, down for an end."""


@cache
def chime(name: Chime) -> bytes:
    """Mono 16-bit samples at SAMPLE_RATE, under a quarter of a second."""
    import numpy as np

    parts = []
    for frequency, seconds in _NOTES[name]:
        t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        tone = np.sin(2 * np.pi * frequency * t) + 0.25 * np.sin(4 * np.pi * frequency * t)
        envelope = np.minimum(1.0, t / _FADE_S) * np.minimum(1.0, (seconds - t) / (seconds * 0.7))
        parts.append(tone / 1.25 * envelope)
    samples = np.concatenate(parts) * _PEAK * 32767
    return samples.astype("<i2").tobytes()
