"""Samples: a ring between two threads, level, gain, and from probabilities to speech."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from mybro.native import engine


class Ring(Protocol):
    """16-bit samples for one writer and one reader; what finds no room is dropped and counted."""

    @property
    def dropped(self) -> int: ...
    def __len__(self) -> int: ...
    def push(self, pcm: bytes) -> int:
        """Put samples in; returns how many found room."""

    def pop(self, count: int) -> bytes:
        """Take up to `count` samples out."""


class Smoother(Protocol):
    """Two thresholds and two durations: a click begins no speech, a gap between words does not end it."""

    @property
    def speaking(self) -> bool: ...
    def feed(self, probability: float) -> int:
        """The frame at which speech began (from 1), minus the one before which it ended, or 0 for no news."""

    def feed_all(self, probabilities: Sequence[float]) -> list[int]:
        """The news of many frames."""


def make_ring(capacity: int) -> Ring:
    """A ring for `capacity` samples."""
    native = engine()
    ring: Ring = native.Ring(capacity) if native else PythonRing(capacity)
    return ring


def make_smoother(begin: float, end: float, onset: int, hangover: int) -> Smoother:
    """`begin` and `end` are probabilities, `onset` and `hangover` frames in a row."""
    native: Any = engine()
    made: Smoother = (native.Smoother if native else PythonSmoother)(begin, end, onset, hangover)
    return made


def level(pcm: bytes) -> tuple[int, int]:
    """The sum of the squares, and the largest magnitude."""
    native = engine()
    if native:
        squares, peak = native.pcm_level(pcm)
        return squares, peak
    samples = np.frombuffer(pcm, "<i2").astype(np.int64)
    return (int(samples @ samples), int(np.abs(samples).max())) if len(samples) else (0, 0)


def gain(pcm: bytes, factor: float) -> bytes:
    """The samples, multiplied; what would overflow stays at full scale."""
    native = engine()
    if native:
        louder: bytes = native.pcm_gain(pcm, factor)
        return louder
    scaled = np.nan_to_num(np.frombuffer(pcm, "<i2").astype(np.float32) * np.float32(factor), nan=0.0)
    return bytes(np.clip(np.rint(scaled), -32768, 32767).astype("<i2").tobytes())


class PythonRing:
    """The ring without the engine."""

    def __init__(self, capacity: int) -> None:
        self.capacity = max(1, capacity)
        self.dropped = 0
        self._held = bytearray()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held) // 2

    def push(self, pcm: bytes) -> int:
        if len(pcm) % 2:
            raise ValueError("16-bit samples are two bytes each")
        with self._lock:
            count = min(len(pcm) // 2, self.capacity - len(self))
            self._held += pcm[: 2 * count]
            self.dropped += len(pcm) // 2 - count
        return count

    def pop(self, count: int) -> bytes:
        with self._lock:
            taken = bytes(self._held[: 2 * count])
            del self._held[: 2 * count]
        return taken


class PythonSmoother:
    """The smoother without the engine."""

    def __init__(self, begin: float, end: float, onset: int, hangover: int) -> None:
        self._begin, self._end = np.float32(begin), np.float32(end)
        self._onset, self._hangover = max(1, onset), max(1, hangover)
        self._frame = self._loud = self._quiet = 0
        self.speaking = False

    def feed(self, probability: float) -> int:
        self._frame += 1
        if self.speaking:
            self._quiet = 0 if probability >= self._end else self._quiet + 1
            if self._quiet < self._hangover:
                return 0
            self.speaking, self._loud = False, 0
            return self._quiet - self._frame - 1
        self._loud = self._loud + 1 if probability >= self._begin else 0
        if self._loud < self._onset:
            return 0
        self.speaking, self._quiet = True, 0
        return self._frame + 1 - self._loud

    def feed_all(self, probabilities: Sequence[float]) -> list[int]:
        return [news for each in probabilities if (news := self.feed(each))]
