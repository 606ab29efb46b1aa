"""From one rate to another: a windowed sinc in polyphase, which holds back two milliseconds and no more.

`rust/audio/src/resample.rs` has the same design: samples are the same to one level of sixteen bits. What a
whole file is converted with, where nothing waits, is a matter of its own.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mybro.native import engine

CROSSINGS = 32
"""Zero crossings of the sinc on each side, at the lower of the two rates."""
CUTOFF = 0.91
"""Where the pass band ends, of half the lower rate: the middle of the slope."""
BETA = 8.96
"""Kaiser's: some 90 dB between what passes and what does not."""
MOST_COEFFICIENTS = 1 << 21


class Resampler(Protocol):
    """Converts one stream of 16-bit samples."""

    def convert(self, pcm: bytes, last: bool = False) -> bytes:
        """What these samples suffice for; with `last` the rest; another stream may follow."""


def make_resampler(source: int, target: int) -> Resampler:
    """From `source` to `target` hertz; by soxr, which holds back more, where they have little in common."""
    native: Any = engine()
    try:
        made: Resampler = (native.Resampler if native else PythonResampler)(source, target)
    except ValueError:
        return SoxrResampler(source, target)
    return made


class SoxrResampler:
    """Any rates, by soxr's streams. Raises `ValueError` for what is no rate."""

    def __init__(self, source: int, target: int) -> None:
        import soxr

        self._stream = soxr.ResampleStream(source, target, 1, dtype="int16")

    def convert(self, pcm: bytes, last: bool = False) -> bytes:
        converted: bytes = self._stream.resample_chunk(np.frombuffer(pcm, "<i2"), last=last).tobytes()
        if last:
            self._stream.clear()
        return converted


class PythonResampler:
    """The converter without the engine."""

    def __init__(self, source: int, target: int) -> None:
        if source <= 0 or target <= 0:
            raise ValueError(f"{source} Hz is not converted to {target} Hz")
        common = math.gcd(source, target)
        self._up, self._down = target // common, source // common
        self._half = math.ceil(CROSSINGS * max(self._down / self._up, 1.0))
        if self._up * 2 * self._half > MOST_COEFFICIENTS:
            raise ValueError(f"{source} Hz is not converted to {target} Hz")
        self._bank = _bank(self._up, self._down, self._half)
        self._held: npt.NDArray[np.float32] = np.zeros(0, np.float32)
        self._at = self._taken = self._given = 0
        self._begin()

    def convert(self, pcm: bytes, last: bool = False) -> bytes:
        if len(pcm) % 2:
            raise ValueError("16-bit samples are two bytes each")
        samples = np.frombuffer(pcm, "<i2")
        self._taken += len(samples)
        rest = np.zeros(2 * self._half if last else 0, np.float32)
        self._held = np.concatenate([self._held, samples.astype(np.float32), rest])
        most = -(-self._taken * self._up // self._down) - self._given if last else None
        converted = self._convert(most)
        if last:
            self._begin()
        return converted

    def _begin(self) -> None:
        self._held = np.zeros(self._half - 1, np.float32)
        self._at = self._taken = self._given = 0

    def _convert(self, most: int | None) -> bytes:
        taps = 2 * self._half
        room = (len(self._held) - taps + 1) * self._up - self._at
        count = max(0, -(-room // self._down))
        if most is not None:
            count = min(count, most)
        at = self._at + self._down * np.arange(count)
        sums = np.zeros(0, np.float32)
        if count:
            windows = np.lib.stride_tricks.sliding_window_view(self._held, taps)[at // self._up]
            sums = np.einsum("ij,ij->i", windows, self._bank[at % self._up])
        self._at += self._down * count
        self._given += count
        done = min(self._at // self._up, len(self._held))
        self._held = self._held[done:]
        self._at -= done * self._up
        return np.clip(np.rint(sums), -32768, 32767).astype("<i2").tobytes()


@functools.lru_cache(maxsize=8)
def _bank(up: int, down: int, half: int) -> npt.NDArray[np.float32]:
    """The coefficients of each phase, [up, 2 * half]; those of a phase add up to 1."""
    wider = max(down / up, 1.0)
    away = np.arange(2 * half) - (half - 1) - np.arange(up)[:, None] / up
    inside = np.clip(1 - np.square(away / (CROSSINGS * wider)), 0, None)
    window = np.i0(BETA * np.sqrt(inside)) / np.i0(BETA) * (inside > 0)
    rows = np.sinc(CUTOFF / wider * away) * window
    bank: npt.NDArray[np.float32] = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    return bank
