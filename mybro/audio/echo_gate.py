"""How much echo the filter leaves, band by band, and whether more than that is heard."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from mybro.audio.echo_filter import Power, Spectrum, Wave
from mybro.audio.source import BLOCK_SAMPLES

EDGES = (3, 6, 9, 13, 18, 24, 32, 42, 56, 76, 104, 144, 200, 280)
"""Bands that widen upwards, in bins of 25 Hz: 75 Hz to 7 kHz."""
MEMORY_BLOCKS = 300
NEAREST = 30
FIRST = 10
AGE = 0.05
"""What is left is judged by so many blocks of about this loudness, as a loudspeaker distorts what is loud; by
fewer, but FIRST, where there are less than three times as many, since the filter is still learning fast.
Each block since then makes one count as farther off by AGE, in nepers of power."""
BEYOND = 3.0
"""Louder than ever, and what a loudspeaker adds of its own grows as fast again, up to this, in nepers."""
LEARN_BLOCKS = 30
LEARN_AT_MOST = 100
MISSED = 0.7
MEAN = 0.95
"""Until so much of our own voice was heard, and no more than this share of its power was left by the filter
in the mean of late, all of it is echo."""
STILL = 6.0
"""Or while our voice came and went, what was heard did not, but for this factor of its power: headphones."""
LEAK_SHARE = 30
LEAK_MARGIN = 2.0
LEAK_LEAST = 1e-4
OVER = 2.0
FLOOR = 0.05
OPEN_AT = 4.0
"""The gate opens at this many times the power of the echo that is left, sustained for OPEN_BLOCKS."""
GO_ON_AT = 1.5
GO_ON_BLOCKS = 4
"""What was so loud a moment ago goes on at this many times."""
STIRS_AT = 1.5
"""So much louder than the echo that is left, for one block, and there may be somebody."""
ROOM = 0.1
"""Power of a block, in all bands, that is left in any room: about -60 dB relative to full scale."""
CAUTION = 5.0
CALMER = 0.9
"""Once in step again, and after the microphone clipped, more than was learnt may be left for a moment."""
PENDING_BLOCKS = 3
FROZEN_BLOCKS = 15
FROZEN_AT_MOST = 75
"""Where somebody seems to speak, nothing is learnt for a while, nor from the blocks just before; what never
pauses is no speech, and is learnt."""
OPEN_BLOCKS = 3
OPEN_WIDE = 16.0
"""So much louder, and one block less is enough."""
PAST_BLOCKS = 2
"""As it is of what is louder than any echo was."""
HOLD_BLOCKS = 15
AUDIBLE = 1e-4


class Gate:
    """Learns how much of the echo is left, and lets through what is louder."""

    def __init__(self) -> None:
        bands = len(EDGES) - 1
        self._pending: deque[tuple[Power, float]] = deque()
        self._ratios: deque[Power] = deque(maxlen=MEMORY_BLOCKS)
        self._levels: deque[float] = deque(maxlen=MEMORY_BLOCKS)
        self._leak = np.ones(bands, np.float32)
        self._echo = np.zeros(bands, np.float32)
        self._error = np.zeros(bands, np.float32)
        self._left = np.zeros(bands, np.float32)
        self._caution = 1.0
        self._heard = self._missed = self._loudest = 0.0
        self._softest = np.inf
        self._past_for = 0
        self._experienced = False
        self._learned = self._louder_for = self._open_for = 0
        self._since = GO_ON_BLOCKS
        self._frozen_for = 0
        self.louder = 0.0
        self._of_bin = np.searchsorted(EDGES[1:-1], np.arange(BLOCK_SAMPLES + 1), side="right")

    @property
    def is_open(self) -> bool:
        """Whether somebody is heard beside the echo."""
        return self._open_for >= 0

    def close(self) -> None:
        """What seemed louder was none."""
        self._louder_for, self._open_for = 0, -1
        self.beware()

    def beware(self) -> None:
        """More than was learnt may be left for a while."""
        self._caution = CAUTION

    @property
    def stirs(self) -> bool:
        """Whether the newest block is louder than the echo that is left seems to be."""
        return self._past_for > 0 or (self.experienced and (self.louder > STIRS_AT or self._louder_for > 0))

    @property
    def experienced(self) -> bool:
        """Whether enough of our own voice was heard to tell it from others."""
        return self._experienced

    def gain(
        self, heard: Wave, error: Spectrum, echo: Spectrum, *, played: bool, learn: bool, past: bool
    ) -> Power:
        """A factor for each bin of `error`: what the filter left of `heard`, as it expected `echo`.

        `played` is whether anything was; what is `past` any echo is somebody.
        """
        now = _bands(echo)
        self._echo = np.maximum(now, 0.7 * self._echo)
        whole = _bands(error)
        left = np.maximum(whole - _alike(error, echo) / (now + np.float32(1e-12)), 0)
        self._error = np.asarray(0.5 * self._error + 0.5 * whole, np.float32)
        self._left = np.asarray(0.5 * self._left + 0.5 * left, np.float32)
        self._past_for = self._past_for + 1 if past else 0
        if (learn or not self.experienced) and not past:
            # A filter that expects too much is wrong, too.
            self._learn(np.where(_too_much(error, echo), whole, left), now)
        self._estimate(float(self._echo.sum()))
        self._caution = max(1.0, self._caution * CALMER)
        expected = self._caution * self._leak * self._echo
        self._gain_experience(heard, error, played)
        self.louder = float(left.sum() / (expected.sum() + ROOM))
        self._compare()
        enough = OPEN_BLOCKS - (self.louder > OPEN_WIDE)
        if self._past_for >= PAST_BLOCKS or (self._louder_for >= enough and self.experienced):
            self._open_for = HOLD_BLOCKS
        self._open_for -= 1
        # Once somebody is heard, not even what happens to be like the echo is taken from them.
        near: Power = self._error if self.is_open else self._left
        gain = np.clip((near - OVER * expected) / (self._error + np.float32(1e-10)), FLOOR, 1)
        return np.asarray(gain[self._of_bin], np.float32)

    def _gain_experience(self, heard: Wave, error: Spectrum, played: bool) -> None:
        self._learned += played
        power = float(np.dot(heard, heard))
        self._loudest, self._softest = max(self._loudest, power), min(self._softest, power)
        self._heard = MEAN * self._heard + power
        # By Parseval: the spectrum is one-sided, and that of twice the length.
        self._missed = MEAN * self._missed + float(np.sum(np.abs(error) ** 2)) / BLOCK_SAMPLES
        knows = self._missed < MISSED * self._heard or self._loudest < STILL * self._softest
        self._experienced |= self._learned >= (LEARN_BLOCKS if knows else LEARN_AT_MOST)

    def _compare(self) -> None:
        self._since += 1
        if self.louder > (OPEN_AT if self._since > GO_ON_BLOCKS else GO_ON_AT):
            self._since = 0
            self._louder_for += 1
        else:
            self._louder_for = 0
        if 1 < self._louder_for < FROZEN_AT_MOST:
            self._frozen_for = FROZEN_BLOCKS
        self._frozen_for = max(self._frozen_for - 1, 0)

    def _learn(self, left: Power, echo: Power) -> None:
        total = float(echo.sum())
        if total >= AUDIBLE:
            self._pending.append((left / (echo + np.float32(1e-9)), float(np.log(total))))
        while len(self._pending) > PENDING_BLOCKS * self.experienced:
            ratio, level = self._pending.popleft()
            if not (self._frozen_for and self.experienced):
                self._ratios.append(ratio)
                self._levels.append(level)

    def _estimate(self, total: float) -> None:
        if len(self._ratios) < FIRST or total < AUDIBLE:
            return
        levels = np.asarray(self._levels)
        now = np.log(total)
        far = np.abs(levels - now) + AGE * np.arange(len(levels), 0, -1)
        count = min(NEAREST, max(FIRST, len(levels) // 3))
        nearest = np.argpartition(far, count - 1)[:count]
        low = np.percentile(np.stack(self._ratios)[nearest], LEAK_SHARE, axis=0)
        # Louder than ever: what a loudspeaker adds of its own grows faster than the sound.
        beyond = max(now - float(levels[nearest].mean()), 0.0)
        leak = LEAK_MARGIN * low * np.exp(min(beyond, BEYOND)) + LEAK_LEAST
        self._leak = np.asarray(np.minimum(leak, 1.0), np.float32)


def _alike(error: Spectrum, echo: Spectrum) -> Power:
    """What in each band of `error` is like `echo`, times its power: that is a wrong loudness, no person."""
    both = np.add.reduceat(error * np.conj(echo), EDGES)[:-1]
    return np.asarray(np.abs(both) ** 2, np.float32)


def _too_much(error: Spectrum, echo: Spectrum) -> npt.NDArray[np.bool_]:
    """In which bands `echo`, taken out of what was heard, left its own reverse."""
    both = np.add.reduceat((error * np.conj(echo)).real, EDGES)[:-1]
    return np.asarray(both < 0)


def _bands(spectrum: Spectrum) -> Power:
    power = np.abs(spectrum) ** 2
    return np.asarray(np.add.reduceat(power, EDGES)[:-1], np.float32)
