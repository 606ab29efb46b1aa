"""Predicting the echo of what is played: a partitioned-block frequency-domain Kalman filter.

Kuech, Mabande, Enzner: State-space architecture of the partitioned-block-based acoustic echo controller,
ICASSP 2014. It needs no separate judgement of when both sides speak.
"""

from __future__ import annotations

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


class Filter:
    """Predicts the echo of what is played. Blocks of BLOCK_SAMPLES samples, -1 to 1."""

    def __init__(self, partitions: int = PARTITIONS) -> None:
        bins = BLOCK_SAMPLES + 1
        self._played = np.zeros((partitions, bins), np.complex64)
        self._answer = np.zeros((partitions, bins), np.complex64)
        # The room's answer is most likely early and always fades.
        fading = np.float32(0.9) ** np.arange(partitions, dtype=np.float32)
        self._doubt = np.repeat(0.5 * fading[:, None], bins, 1)
        self._least = LEAST * self._doubt
        self._near: Power = np.full(bins, 1e-6, np.float32)
        self._good: tuple[Spectrum, Power] | None = None

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
        self._doubt = np.maximum(self._doubt, self._least)

    def remember(self) -> None:
        """What was learnt so far is good."""
        self._good = (self._answer.copy(), self._doubt.copy())

    def recall(self) -> None:
        """What was learnt since it was good is not."""
        if self._good is not None:
            self._answer, self._doubt = (self._good[0].copy(), self._good[1].copy())

    def doubt(self) -> None:
        """The answer may have changed a little."""
        self._doubt = np.maximum(self._doubt, DOUBT * np.abs(self._answer) ** 2)

    def scale(self, factor: float) -> None:
        """The loudspeaker was turned up or down."""
        self._answer *= np.float32(factor)
        self._doubt *= np.float32(factor * factor)


def spectrum_of(block: Wave) -> Spectrum:
    """Of one block, with zeros before it."""
    return np.asarray(np.fft.rfft(np.concatenate([np.zeros_like(block), block])), np.complex64)
