"""Predicting the echo of what is played: a partitioned-block frequency-domain Kalman filter.

Kuech, Mabande, Enzner: State-space architecture of the partitioned-block-based acoustic echo controller,
ICASSP 2014. It needs no separate judgement of when both sides speak.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

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
LEAST = 1e-5
"""Doubt that stays, as a share of what there is at first: a filter that lost its answer finds it again."""
DOUBT = 0.1
"""After a shift, the answer may be off by this share of its power."""
OLD_DOUBT = 0.02
"""And an old answer by so much of the power that any may have."""
AGAIN = (1, 3, 6)
"""Blocks so many blocks ago are learnt from once more, while little was heard: in 1.5 s of speech the filter
takes out 18 dB, not 7. Twice as many passes add 1 dB, and cost twice as much."""


@dataclass(frozen=True, slots=True)
class EchoPath:
    """How one microphone hears one loudspeaker."""

    offset: int
    """Samples by which the loudspeaker is earlier than its device says."""
    answer: Spectrum
    """(PARTITIONS, BLOCK_SAMPLES + 1): of the room, in blocks of 20 ms."""
    doubt: Power
    """The same shape: the power by which each may be off."""


class Filter:
    """Predicts the echo of what is played. Blocks of BLOCK_SAMPLES samples, -1 to 1."""

    def __init__(self, partitions: int = PARTITIONS) -> None:
        bins = BLOCK_SAMPLES + 1
        self._played = np.zeros((partitions, bins), np.complex64)
        self._answer = np.zeros((partitions, bins), np.complex64)
        # The room's answer is most likely early and always fades.
        fading = np.float32(0.9) ** np.arange(partitions, dtype=np.float32)
        self._doubt = self._at_first = np.repeat(0.5 * fading[:, None], bins, 1)
        self._least = LEAST * self._doubt
        self._near: Power = np.full(bins, 1e-6, np.float32)
        self._good: tuple[Spectrum, Power] | None = None
        self._past: deque[tuple[Spectrum, Wave]] = deque(maxlen=AGAIN[-1] + 1)

    def play(self, two_blocks: Wave) -> None:
        """What is played, the newest block after the one before."""
        self._played = np.roll(self._played, 1, axis=0)
        self._played[0] = np.fft.rfft(two_blocks)

    def predict(self) -> Wave:
        """The echo in the newest block."""
        predicted = np.fft.irfft(np.einsum("pk,pk->k", self._played, self._answer))
        return np.asarray(predicted[BLOCK_SAMPLES:], np.float32)

    def learn(self, error: Spectrum, heard: Wave | None = None) -> None:
        """Take in what was wrong with the last prediction; with what was `heard`, the blocks before again."""
        self._near = np.asarray(SMOOTH * self._near + (1 - SMOOTH) * np.abs(error) ** 2, np.float32)
        self._follow(error)
        if heard is None:
            self._past.clear()
            return
        now = self._played
        self._past.append((now, heard))
        for back in AGAIN:
            if back < len(self._past):
                self._played, then = self._past[-1 - back]
                self._follow(spectrum_of(then - self.predict()))
        self._played = now

    def _follow(self, error: Spectrum) -> None:
        power = np.abs(self._played) ** 2
        rest = np.einsum("pk,pk->k", power, self._doubt)
        step = self._doubt / (rest + 2 * self._near + np.float32(1e-10))
        change = np.fft.irfft(step * np.conj(self._played) * error, axis=1)
        change[:, BLOCK_SAMPLES:] = 0
        self._answer = FORGET * (self._answer + np.fft.rfft(change, axis=1).astype(np.complex64))
        keep = FORGET * FORGET
        self._doubt = keep * (1 - 0.5 * step * power) * self._doubt + (1 - keep) * np.abs(self._answer) ** 2
        self._doubt = np.maximum(self._doubt, self._least)

    @property
    def good(self) -> tuple[Spectrum, Power] | None:
        """What was last remembered: the answer, and its doubt."""
        return self._good

    def start_from(self, answer: Spectrum, doubt: Power) -> None:
        """What was good another day may be so again, nearly."""
        self._answer = answer
        self._doubt = np.maximum(doubt, OLD_DOUBT * self._at_first)
        self.doubt()
        self.remember()

    def start_anew(self) -> None:
        """Forget the room, not what is being played."""
        self._answer = np.zeros_like(self._answer)
        self._doubt = self._at_first
        self._good = None

    def remember(self) -> None:
        """What was learnt so far is good."""
        self._good = (self._answer.copy(), self._doubt.copy())

    def recall(self) -> None:
        """What was learnt since it was good is not."""
        self._past.clear()
        if self._good is not None:
            self._answer, self._doubt = (self._good[0].copy(), self._good[1].copy())

    def doubt(self) -> None:
        """The answer may have changed a little."""
        self._doubt = np.maximum(self._doubt, DOUBT * np.abs(self._answer) ** 2)

    def scale(self, factor: float) -> None:
        """The loudspeaker was turned up or down."""
        self._past.clear()
        self._answer = self._answer * np.float32(factor)
        self._doubt = self._doubt * np.float32(factor * factor)


def spectrum_of(block: Wave) -> Spectrum:
    """Of one block, with zeros before it."""
    return np.asarray(np.fft.rfft(np.concatenate([np.zeros_like(block), block])), np.complex64)
