"""The first moment of a voice: found in a few hundredths of a second, taken back where it was none."""

from __future__ import annotations

from typing import Any

import numpy as np

from mybro.audio.source import BLOCK_SAMPLES
from mybro.events import SAMPLE_RATE

MODE = 2
"""WebRTC's: it misses few onsets."""
BLOCKS = 2
CERTAIN_BLOCKS = 3
"""So many more blocks with a sign of a voice than without, and it is no click and no slip of the echo guard.
A voice detector needs longer to believe in words that begin with a hiss."""
LOUDER = 6.0
"""Times the power of the room's quiet."""
QUIETEST = 1e-6
"""Mean power, relative to full scale, below which nothing is an onset: -60 dB."""
RISE = 1.02
"""How fast the quiet is taken to become louder, from one block to the next."""
STEADY = 0.1
"""A key that is struck has died away within this block; a voice has at least so much of its peak."""
STAY_BLOCKS = 25
_SLICE = SAMPLE_RATE // 200
_HALF = BLOCK_SAMPLES // 2


class Onset:
    """Says, block by block, whether our own voice should be soft for the sake of another."""

    def __init__(self) -> None:
        import webrtcvad

        self._vad: Any = webrtcvad.Vad(MODE)
        self._quiet = QUIETEST / LOUDER
        self._last = np.zeros(BLOCK_SAMPLES // _SLICE, np.float32)
        self._run = self._stay = self._signs = 0
        self.certain = False
        """Whether the newest block goes on with what has been heard for long enough to silence our own."""

    def hear(self, pcm: bytes, *, may_be_voice: bool) -> bool:
        """The next BLOCK_SAMPLES 16-bit samples; `may_be_voice` is false where none counts.

        True from the onset until half a second after the last sign of it.
        """
        voiced = (
            len(pcm) == 2 * BLOCK_SAMPLES and self._stands_out(pcm) and may_be_voice and self._voiced(pcm)
        )
        self._run = self._run + 1 if voiced else 0
        if self._run >= BLOCKS:
            self._stay = STAY_BLOCKS
        self._stay = max(self._stay - 1, 0)
        self._signs = min(self._signs + 1, CERTAIN_BLOCKS) if voiced else max(self._signs - 1, 0)
        self.certain = voiced and self._signs == CERTAIN_BLOCKS
        return self._stay > 0

    def _stands_out(self, pcm: bytes) -> bool:
        """Whether this is louder than the room, and no struck key."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) * np.float32(1 / 32768)
        slices = np.mean(samples.reshape(-1, _SLICE) ** 2, axis=1)
        last, self._last = self._last, slices
        power = float(slices.mean())
        loud = power > max(LOUDER * self._quiet, QUIETEST)
        self._quiet = min(power + 1e-12, self._quiet * RISE)
        if not loud:
            return False
        peak = float(max(last.max(), slices.max()))
        return bool(np.median(slices) > STEADY * peak and slices[-1] > STEADY / 2 * peak)

    def _voiced(self, pcm: bytes) -> bool:
        # Both halves are judged in any case: the detector adapts to all it hears.
        voiced = [self._vad.is_speech(pcm[at : at + 2 * _HALF], SAMPLE_RATE) for at in (0, 2 * _HALF)]
        return all(voiced)
