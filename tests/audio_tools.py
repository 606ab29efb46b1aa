"""Sound for tests: recordings with pauses, zeros and noise, and where the speech in them is.

Everything is 16 kHz mono int16, and everything random takes a seeded generator.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from mybro.events import SAMPLE_RATE

Pcm = npt.NDArray[np.int16]

AUDIO = Path(__file__).parent / "audio"


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording of tests/audio/dev.jsonl."""

    path: Path
    text: str
    voice: str
    kind: str
    intent: dict[str, Any] | None


def dev_clips() -> list[Clip]:
    """All recordings, in the order of the list."""
    rows = [json.loads(line) for line in (AUDIO / "dev.jsonl").read_text().splitlines()]
    return [
        Clip(AUDIO / row["file"], row["text"], row["voice"], row["kind"], row.get("intent")) for row in rows
    ]


def read_pcm(path: Path) -> Pcm:
    """A 16 kHz mono recording."""
    samples, rate = soundfile.read(str(path), dtype="int16")
    assert rate == SAMPLE_RATE and samples.ndim == 1, path
    return np.asarray(samples, np.int16)


def write_wav(path: Path, pcm: Pcm, rate: int = SAMPLE_RATE) -> Path:
    soundfile.write(str(path), pcm, rate, subtype="PCM_16")
    return path


def zeros(seconds: float) -> Pcm:
    """Exact zeros, as a device gives them that is not awake yet."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def noise(seconds: float, rng: np.random.Generator, dbfs: float = -70.0) -> Pcm:
    """White noise: at the default level, a quiet room."""
    samples = rng.standard_normal(round(seconds * SAMPLE_RATE)) * 32768 * 10 ** (dbfs / 20)
    return np.asarray(np.clip(samples, -32768, 32767), np.int16)


def clicks(seconds: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Typing: short bursts of noise, down and up, at random times."""
    length = round(seconds * SAMPLE_RATE)
    out = np.zeros(length)
    at = 0
    while (at := at + int((rng.exponential(0.14) + 0.05) * SAMPLE_RATE)) < length - SAMPLE_RATE // 5:
        for delay, gain in ((0.0, 1.0), (rng.uniform(0.05, 0.09), 0.5)):
            burst = int(rng.uniform(0.004, 0.02) * SAMPLE_RATE)
            first = at + int(delay * SAMPLE_RATE)
            decay = np.exp(-np.arange(burst) / (burst / 4))
            out[first : first + burst] += rng.standard_normal(burst) * decay * gain
    return out


def add_noise(pcm: Pcm, kind: str, snr_db: float, rng: np.random.Generator) -> Pcm:
    """The same with noise ("white" or "clicks") at a signal-to-noise ratio, measured on the speech alone."""
    speech = pcm[np.repeat(speech_mask(pcm), HOP)[: len(pcm)].nonzero()].astype(np.float64)
    seconds = len(pcm) / SAMPLE_RATE
    added = rng.standard_normal(len(pcm)) if kind == "white" else clicks(seconds, rng)[: len(pcm)]
    gain = np.sqrt(np.mean(speech**2) / np.mean(added**2)) * 10 ** (-snr_db / 20)
    return np.asarray(np.clip(pcm + added * gain, -32768, 32767), np.int16)


HOP = SAMPLE_RATE // 100


def speech_mask(pcm: Pcm) -> npt.NDArray[np.bool_]:
    """Where a clean recording holds speech, per 10 ms: loud against its own peak, short gaps filled."""
    frames = len(pcm) // HOP
    x = pcm[: frames * HOP].reshape(frames, HOP) / 32768
    rms = np.sqrt(np.mean(x**2, axis=1) + 1e-12)
    mask = rms > max(float(np.percentile(rms, 98)) * 10 ** (-32 / 20), 10 ** (-52 / 20))
    loud = np.flatnonzero(mask)
    for a, b in itertools.pairwise(loud):
        if b - a <= 25:
            mask[a:b] = True
    return np.asarray(mask, np.bool_)


def speech_bounds(pcm: Pcm) -> tuple[int, int]:
    """Sample indices of the onset and the end of the speech in a clean recording."""
    loud = np.flatnonzero(speech_mask(pcm))
    return int(loud[0]) * HOP, min((int(loud[-1]) + 1) * HOP, len(pcm))


def trimmed(pcm: Pcm) -> Pcm:
    """Only the speech of a clean recording."""
    onset, end = speech_bounds(pcm)
    return pcm[onset:end]


def correlation(a: Pcm, b: Pcm) -> float:
    """The largest normalised cross-correlation of `b` with any stretch of `a`, 0 to 1."""
    size = 1 << (len(a) + len(b)).bit_length()
    x, y = a.astype(np.float64), b.astype(np.float64)
    cross = np.fft.irfft(np.fft.rfft(x, size) * np.conj(np.fft.rfft(y, size)), size)
    shifts = max(len(a) - len(b) + 1, 1)
    running = np.concatenate([[0.0], np.cumsum(x**2)])
    energy = running[np.minimum(np.arange(shifts) + len(b), len(a))] - running[:shifts]
    return float(np.max(np.abs(cross[:shifts]) / np.sqrt(np.maximum(energy, 1.0) * np.sum(y**2))))
