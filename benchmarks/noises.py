"""What a microphone hears beside a voice, made from a seed: 16 kHz, of any level."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mybro.events import SAMPLE_RATE
from tests.audio_tools import Pcm, clicks

Wave = npt.NDArray[np.float64]
Noise = Callable[[int, np.random.Generator], Wave]


def white(samples: int, rng: np.random.Generator) -> Wave:
    return rng.standard_normal(samples)


def typing(samples: int, rng: np.random.Generator) -> Wave:
    """Keys that are struck and let go."""
    made = clicks(samples / SAMPLE_RATE + 1, rng)
    return np.asarray(made[:samples])


def fan(samples: int, rng: np.random.Generator) -> Wave:
    """Air that moves, the hum of the blades, and their slow beat."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hertz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
    air = np.fft.irfft(spectrum / np.sqrt(1 + (hertz / 200) ** 2), samples)
    t = np.arange(samples) / SAMPLE_RATE
    blades = rng.uniform(90, 160)
    hum = sum(
        level * np.sin(2 * np.pi * blades * order * t + rng.uniform(0, 6))
        for order, level in ((1, 1.0), (2, 0.6), (3, 0.4), (5, 0.2))
    )
    beat = 1 + 0.15 * np.sin(2 * np.pi * rng.uniform(0.7, 2) * t)
    return np.asarray((air / air.std() + hum) * beat)


def music(samples: int, rng: np.random.Generator) -> Wave:
    """Plucked chords over a drum."""
    out = np.zeros(samples)
    step = int(SAMPLE_RATE * 60 / rng.uniform(80, 130) / 2)
    scale = np.array([0, 3, 5, 7, 10, 12, 15])
    for count, first in enumerate(range(0, samples, step)):
        t = np.arange(min(samples - first, 3 * step)) / SAMPLE_RATE
        for _ in range(4 if count % 4 == 0 else 2):
            tone = 110 * 2 ** ((rng.choice(scale) + 12 * rng.integers(0, 3)) / 12)
            fading = np.exp(-t * rng.uniform(2, 6))
            for order in range(1, 7):
                out[first : first + len(t)] += np.sin(2 * np.pi * tone * order * t) * fading / order**1.3
        hit = min(samples - first, SAMPLE_RATE // 10)
        loud = 1.5 if count % 2 else 0.5
        out[first : first + hit] += loud * rng.standard_normal(hit) * np.exp(-np.arange(hit) / 200)
    return out


def voices_of(others: Sequence[Pcm], count: int = 4) -> Noise:
    """So many people who talk at the same time."""

    def voices(samples: int, rng: np.random.Generator) -> Wave:
        out = np.zeros(samples)
        for _ in range(count):
            at = int(rng.integers(0, SAMPLE_RATE))
            while at < samples:
                said = others[int(rng.integers(len(others)))][: samples - at]
                out[at : at + len(said)] += said / 32768
                at += len(said) + SAMPLE_RATE // 5
        return out

    return voices
