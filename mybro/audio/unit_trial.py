"""Whether a voice-processing unit takes our voice out and lets a person through: a trial.

The plain microphone goes on being used meanwhile. What is played is known, so each tenth of a second is one
of our voice alone, the person alone, or both; the unit is judged by how much it changes the level of each.
It may set levels as it likes: our voice counts against the person's.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from mybro.events import SAMPLE_RATE

FRAMES_PER_S = 10
BEHIND = 3
"""A unit may deliver so many frames later than the plain microphone."""
START_S = 3.0
"""The unit has to sound by then."""
GONE_S = 2.0
RATE_S = 5.0
RATE_OFF = 0.05
LONGEST_S = 900.0
"""Who never speaks over mybro's voice gives no proof."""
SETTLE = 20
"""Frames of our voice that a unit may need to learn the room."""
ECHO, ALONE, BOTH = 40, 8, 5
"""Frames needed of our voice, of the person, and of both."""
LOUD_DB = -50.0
OVER_FLOOR_DB = 12.0
LOWER_DB = 15.0
"""Our voice has to come down by so much more than the person's."""
MUTED_DB = -20.0
STANDS_OUT_DB = 6.0
"""The person over our voice has to be so much louder than what is left of it."""
CLIPPED = 0.1
ALIKE = 0.4
"""Correlation of the two levels while only the room and the person are heard."""
_FULL = 32768.0
_SILENCE_DB = -100.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a trial."""

    result: Literal["proved", "failed", "undecided"]
    why: str
    """For a person: the unit ... ."""


@dataclass(slots=True)
class _Frame:
    energy: float = 0.0
    samples: int = 0
    peak: int = 0
    audible: int = 0
    echo: int = 0
    blocks: int = 0

    def add(self, pcm: bytes) -> None:
        samples = np.frombuffer(pcm, "<i2").astype(np.float64)
        self.energy += float(np.dot(samples, samples))
        self.samples += len(samples)
        self.peak = max(self.peak, int(np.abs(samples).max(initial=0)))

    @property
    def db(self) -> float:
        mean = self.energy / max(self.samples, 1) / _FULL**2
        return max(float(10 * np.log10(mean + 1e-12)), _SILENCE_DB)


@dataclass(slots=True)
class _Evidence:
    """Decibels that the unit adds to each kind of frame."""

    echo: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    both: list[float] = field(default_factory=list)
    speech: int = 0
    clipped: int = 0
    levels: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=300))


class UnitTrial:
    """Takes both microphones as they come, and answers when it knows."""

    def __init__(self) -> None:
        self._seen = _Evidence()
        self._floor: deque[float] = deque(maxlen=300)
        self._echoes = 0
        self.begin()

    def begin(self) -> None:
        """Both microphones are opened now; what was seen before goes on counting."""
        self._plain: dict[int, _Frame] = {}
        self._unit: dict[int, _Frame] = {}
        self._next: int | None = None
        self._plain_samples = self._unit_samples = self._plain_at_unit = self._plain_at_last = 0
        self.sounds = False
        """Whether the unit has delivered more than zeros since it was opened."""

    def plain(self, at: float, pcm: bytes, *, audible: bool, echo: bool) -> None:
        """A block of the plain microphone, heard `at` (seconds, any clock that both share).

        `audible` is whether our voice may be heard in it, `echo` whether nothing else is.
        """
        index = int(at * FRAMES_PER_S)
        frame = self._plain.setdefault(index, _Frame())
        frame.add(pcm)
        frame.blocks += 1
        frame.audible += audible
        frame.echo += echo
        self._plain_samples += len(pcm) // 2
        if self._next is None or index - self._next > 20 * BEHIND:
            self._next = index + BEHIND
        while self._next + 2 * BEHIND < index:
            self._take(self._next)
            self._next += 1

    def unit(self, at: float, pcm: bytes) -> None:
        """A block of the unit, 16-bit at SAMPLE_RATE."""
        frame = self._unit.setdefault(int(at * FRAMES_PER_S), _Frame())
        frame.add(pcm)
        if not self._unit_samples:
            self._plain_at_unit = self._plain_samples
        self._unit_samples += len(pcm) // 2
        self._plain_at_last = self._plain_samples
        self.sounds = self.sounds or frame.peak > 0

    def verdict(self) -> Verdict | None:
        """None as long as more has to be heard."""
        return self._dead() or self._unfit()

    # ------------------------------------------------------------------ one frame

    def _take(self, index: int) -> None:
        """Judge a frame when those around it are complete."""
        around = [self._plain.get(at) for at in range(index - BEHIND, index + BEHIND + 1)]
        self._plain.pop(index - BEHIND, None)
        unit = [frame for at in range(index, index + BEHIND) if (frame := self._unit.get(at))]
        for stale in [at for at in self._unit if at < index - BEHIND]:
            del self._unit[stale]
        frame = around[BEHIND]
        if frame is None or None in around:
            return
        known = [each for each in around if each is not None]
        # Before the unit has said anything there is nothing to compare; afterwards, what lacks is silence.
        if not self.sounds:
            return
        plain_db, unit_db = frame.db, max((each.db for each in unit), default=_SILENCE_DB)
        quiet = not any(each.audible for each in known)
        if quiet:
            self._floor.append(plain_db)
            self._seen.levels.append((plain_db, unit_db))
        if plain_db > max(LOUD_DB, self._floor_db() + OVER_FLOOR_DB):
            self._sort(
                frame, known, unit_db - plain_db, quiet=quiet, peak=max((u.peak for u in unit), default=0)
            )

    def _floor_db(self) -> float:
        return float(np.percentile(self._floor, 10)) if self._floor else LOUD_DB

    def _sort(self, frame: _Frame, around: list[_Frame], gain: float, *, quiet: bool, peak: int) -> None:
        seen = self._seen
        if frame.audible and all(each.echo >= each.audible for each in around):
            self._echoes += 1
            if self._echoes > SETTLE:
                seen.echo.append(gain)
            return
        if quiet:
            seen.alone.append(gain)
        elif frame.audible == frame.blocks and not frame.echo:
            seen.both.append(gain)
        else:
            return
        seen.speech += 1
        seen.clipped += peak >= _FULL - 8 > max(each.peak for each in around)

    # ------------------------------------------------------------------ what it means

    def _dead(self) -> Verdict | None:
        if self._plain_samples > START_S * SAMPLE_RATE and not self.sounds:
            return Verdict("failed", "stays silent")
        if not self.sounds:
            return None
        if self._plain_samples - self._plain_at_last > GONE_S * SAMPLE_RATE:
            return Verdict("failed", "stopped delivering sound")
        expected = self._plain_at_last - self._plain_at_unit
        if expected > RATE_S * SAMPLE_RATE and abs(self._unit_samples / expected - 1) > RATE_OFF:
            return Verdict("failed", "delivers sound at a wrong rate")
        return None

    def _unfit(self) -> Verdict | None:
        seen = self._seen
        if len(seen.alone) >= ALONE:
            if np.median(seen.alone) < MUTED_DB:
                return Verdict("failed", "does not let your voice through")
            if seen.clipped > CLIPPED * seen.speech:
                return Verdict("failed", "distorts your voice")
            if len(seen.echo) >= ECHO:
                return self._compared()
        if self._plain_samples > LONGEST_S * SAMPLE_RATE:
            return Verdict("undecided", "was not heard together with your voice for long enough")
        return None

    def _compared(self) -> Verdict | None:
        seen = self._seen
        alone = float(np.median(seen.alone))
        # A voice interrupts itself by its loudest moments.
        left = float(np.percentile(seen.echo, 75))
        if left > alone - LOWER_DB:
            return Verdict("failed", "does not take mybro's own voice out")
        plain, unit = np.array(seen.levels).T
        if np.std(unit) < 1e-6 or np.corrcoef(plain, unit)[0, 1] < ALIKE:
            return Verdict("failed", "delivers something else than your voice")
        if len(seen.both) >= BOTH:
            over = float(np.median(seen.both))
            if over < left + STANDS_OUT_DB or over < alone + MUTED_DB:
                return Verdict("failed", "holds your voice down while mybro speaks")
            return Verdict("proved", f"takes {alone - left:.0f} dB off mybro's own voice")
        return None
