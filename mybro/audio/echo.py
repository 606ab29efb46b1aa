"""Taking our own voice out of what the microphone hears: an adaptive filter, and a gate for what it leaves.

The filter is a partitioned-block frequency-domain Kalman filter (Kuech, Mabande, Enzner: State-space
architecture of the partitioned-block-based acoustic echo controller, ICASSP 2014): it needs no separate
judgement of when both sides speak. How much echo it leaves is then measured band by band, and only what is
louder than that is let through.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from mybro.audio.source import BLOCK_SAMPLES

Wave = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]
Power = npt.NDArray[np.float32]

PARTITIONS = 22
"""Blocks of 20 ms that the filter spans: the device's delay and the first part of the room's answer."""
FORGET = 0.9995
"""How much of the room's answer is the same a block later; less follows changes faster and cancels less."""
SMOOTH = 0.6
AUDIBLE = 1e-7
"""Energy of a block that is worth cancelling: -95 dB relative to full scale."""

FIT_BLOCKS = 8
FIT_LAG = 640
"""The clocks of two streams agree this well, in samples, each time that one is opened."""
FIT_SURE = 0.5
FIT_BETTER = 1.3
"""Correlation of predicted and heard sound from which the prediction is shifted, and how much it must win."""
PAUSE_BLOCKS = 10
SETTLE_BLOCKS = 8
"""After a pause the streams may be out of step until so much echo was heard: all of it is echo so long."""
GAIN_BLOCKS = 3
GAIN_SURE = 0.93
GAIN_STEP = 0.12
"""The same for a change of loudness, and the smallest that is followed at once."""

EDGES = (3, 6, 9, 13, 18, 24, 32, 42, 56, 76, 104, 144, 200, 280)
"""Bands that widen upwards, in bins of 25 Hz: 75 Hz to 7 kHz."""
MEMORY_BLOCKS = 150
LEARN_BLOCKS = 60
"""Until so much of our own voice was heard, all of it is taken for echo."""
LEAK_SHARE = 30
LEAK_MARGIN = 2.0
OVER = 2.0
FLOOR = 0.05
OPEN_AT = 4.0
"""The gate opens at this many times the power of the echo that is left, sustained for OPEN_BLOCKS."""
OPEN_BLOCKS = 3
HOLD_BLOCKS = 15
COMFORT = 10 ** (-75 / 20)


class Filter:
    """Predicts the echo of what is played. Blocks of BLOCK_SAMPLES samples, -1 to 1."""

    def __init__(self, partitions: int = PARTITIONS) -> None:
        bins = BLOCK_SAMPLES + 1
        self._played = np.zeros((partitions, bins), np.complex64)
        self._answer = np.zeros((partitions, bins), np.complex64)
        # The room's answer is most likely early and always fades.
        fading = np.float32(0.9) ** np.arange(partitions, dtype=np.float32)
        self._doubt = np.repeat(0.5 * fading[:, None], bins, 1)
        self._near: Power = np.full(bins, 1e-6, np.float32)

    def play(self, two_blocks: Wave) -> None:
        """What is played, the newest block after the one before."""
        self._played = np.roll(self._played, 1, axis=0)
        self._played[0] = np.fft.rfft(two_blocks)

    def predict(self) -> Wave:
        """The echo in the newest block."""
        predicted = np.fft.irfft(np.einsum("pk,pk->k", self._played, self._answer))
        return np.asarray(predicted[BLOCK_SAMPLES:], np.float32)

    def learn(self, error: Spectrum) -> None:
        """Take in what was wrong with the last prediction."""
        power = np.abs(self._played) ** 2
        rest = np.einsum("pk,pk->k", power, self._doubt)
        self._near = np.asarray(SMOOTH * self._near + (1 - SMOOTH) * np.abs(error) ** 2, np.float32)
        step = self._doubt / (rest + 2 * self._near + np.float32(1e-10))
        change = np.fft.irfft(step * np.conj(self._played) * error, axis=1)
        change[:, BLOCK_SAMPLES:] = 0
        self._answer = FORGET * (self._answer + np.fft.rfft(change, axis=1).astype(np.complex64))
        keep = FORGET * FORGET
        self._doubt = keep * (1 - 0.5 * step * power) * self._doubt + (1 - keep) * np.abs(self._answer) ** 2

    def scale(self, factor: float) -> None:
        """The loudspeaker was turned up or down."""
        self._answer *= np.float32(factor)
        self._doubt *= np.float32(factor * factor)


class EchoCanceller:
    """Filter and gate over one microphone and one loudspeaker."""

    def __init__(self, seed: int = 0) -> None:
        self._filter = Filter()
        self._gate = Gate()
        self._rng = np.random.default_rng(seed)
        self._last = np.zeros(BLOCK_SAMPLES, np.float32)
        self._recent: deque[tuple[Wave, Wave]] = deque(maxlen=FIT_BLOCKS)
        self._since_fit = 0
        self._quiet_for = PARTITIONS
        self._unsure_for = 0
        self.lag = 0
        """Samples by which what is played must be handed in later (negative: earlier) from now on."""

    @property
    def idle(self) -> bool:
        """Whether nothing that was played can still be heard."""
        return self._quiet_for >= PARTITIONS

    def process(self, played: Wave, heard: Wave) -> tuple[Wave, bool]:
        """What is heard, without the echo of what is played, and whether it is no more than that echo."""
        audible = float(np.dot(played, played)) > AUDIBLE
        if audible and self._quiet_for >= PAUSE_BLOCKS:
            self._unsure_for = SETTLE_BLOCKS
        self._quiet_for = 0 if audible else min(self._quiet_for + 1, PARTITIONS)
        if self.idle:
            self._last = played
            self._recent.clear()
            return heard, False
        self._filter.play(np.concatenate([self._last, played]))
        self._last = played
        echo = self._filter.predict()
        self._recent.append((echo, heard))
        factor = self._loudness()
        self._find_lag()
        error = heard - factor * echo
        spectrum = spectrum_of(error)
        self._filter.scale(factor)
        self._filter.learn(spectrum)
        gain = self._gate.gain(spectrum, spectrum_of(echo), played=audible)
        noise = COMFORT * self._rng.standard_normal(BLOCK_SAMPLES, np.float32)
        clean = np.fft.irfft(spectrum * gain)[BLOCK_SAMPLES:]
        self._unsure_for -= self._unsure_for > 0 and float(np.dot(echo, echo)) > 10 * AUDIBLE
        return np.asarray(clean, np.float32) + noise, not self._gate.is_open or self._unsure_for > 0

    @property
    def stirs(self) -> bool:
        """Whether there may be more than echo, if only for a block or two."""
        return self._gate.stirs and not self._unsure_for

    def _loudness(self) -> float:
        """How much louder than predicted the echo is where it is the same otherwise, else 1."""
        last = list(self._recent)[-GAIN_BLOCKS:]
        ours, heard = (np.concatenate(side) for side in zip(*last, strict=True))
        energy, loud, both = (float(np.dot(x, y)) for x, y in ((ours, ours), (heard, heard), (ours, heard)))
        if energy < 10 * AUDIBLE or both < GAIN_SURE * np.sqrt(energy * loud):
            return 1.0
        factor = float(np.clip(both / energy, 0.25, 4.0))
        return factor if abs(factor - 1) > GAIN_STEP else 1.0

    def _find_lag(self) -> None:
        """Where prediction and sound agree but for a shift, ask for it."""
        self._since_fit += 1
        if len(self._recent) < FIT_BLOCKS or self._since_fit < FIT_BLOCKS // 2:
            return
        self._since_fit = 0
        ours, heard = (np.concatenate(side) for side in zip(*self._recent, strict=True))
        energy, loud = float(np.dot(ours, ours)), float(np.dot(heard, heard))
        if energy < 100 * AUDIBLE:
            return
        size = 2 * len(ours)
        cross = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(ours, size)))
        near = np.concatenate([cross[-FIT_LAG:], cross[: FIT_LAG + 1]])
        best = int(np.argmax(near))
        if near[best] > max(FIT_SURE * np.sqrt(energy * loud), FIT_BETTER * cross[0]):
            self._recent.clear()
            self.lag = best - FIT_LAG

    def shifted(self, played: list[Wave]) -> None:
        """`lag` was obeyed: the blocks played of late, as they should have been handed in, oldest first."""
        self.lag = 0
        for block in played:
            self._filter.play(np.concatenate([self._last, block]))
            self._last = block


class Gate:
    """Learns how much of the echo is left, and lets through what is louder."""

    def __init__(self) -> None:
        bands = len(EDGES) - 1
        self._ratios: deque[Power] = deque(maxlen=MEMORY_BLOCKS)
        self._leak = np.ones(bands, np.float32)
        self._echo = np.zeros(bands, np.float32)
        self._error = np.zeros(bands, np.float32)
        self._learned = self._louder_for = self._open_for = 0
        self.louder = 0.0
        self._of_bin = np.searchsorted(EDGES[1:-1], np.arange(BLOCK_SAMPLES + 1), side="right")

    @property
    def is_open(self) -> bool:
        """Whether somebody is heard beside the echo."""
        return self._open_for >= 0

    @property
    def stirs(self) -> bool:
        """Whether the newest block is louder than the echo."""
        return self._learned >= LEARN_BLOCKS and self.louder > OPEN_AT

    def gain(self, error: Spectrum, echo: Spectrum, *, played: bool) -> Power:
        """A factor for each bin of what is left after the filter; `played` is whether anything was."""
        now = _bands(echo)
        self._echo = np.maximum(now, 0.7 * self._echo)
        left = _bands(error)
        self._error = np.maximum(0.5 * self._error + 0.5 * left, 0)
        self._learned += played
        self._learn(left, now)
        expected = self._leak * self._echo
        self.louder = float(left.sum() / (expected.sum() + 1e-9))
        self._louder_for = self._louder_for + 1 if self.louder > OPEN_AT else 0
        if self._louder_for >= OPEN_BLOCKS and self._learned >= LEARN_BLOCKS:
            self._open_for = HOLD_BLOCKS
        self._open_for -= 1
        gain = np.clip(1 - OVER * expected / (self._error + np.float32(1e-10)), FLOOR, 1)
        return np.asarray(gain[self._of_bin], np.float32)

    def _learn(self, left: Power, echo: Power) -> None:
        if float(echo.sum()) < 1e-4:
            return
        self._ratios.append(left / (echo + np.float32(1e-9)))
        if self._learned % 5 == 0:
            low = np.percentile(np.stack(self._ratios), LEAK_SHARE, axis=0)
            # A prediction that is worse than none is no reason to be deaf.
            self._leak = np.asarray(np.minimum(LEAK_MARGIN * low + 1e-3, 1.0), np.float32)


def spectrum_of(block: Wave) -> Spectrum:
    """Of one block, with zeros before it."""
    return np.asarray(np.fft.rfft(np.concatenate([np.zeros_like(block), block])), np.complex64)


def _bands(spectrum: Spectrum) -> Power:
    power = np.abs(spectrum) ** 2
    return np.asarray(np.add.reduceat(power, EDGES)[:-1], np.float32)
