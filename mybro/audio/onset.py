"""The first moment of a voice: found in a few hundredths of a second, taken back where it was none."""

from __future__ import annotations

from typing import Any

import numpy as np

from mybro.audio.source import BLOCK_SAMPLES
from mybro.events import SAMPLE_RATE

MODE = 2
"""WebRTC's: it misses few onsets."""
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
BEGUN, LASTING = 0.05, 0.2
"""Where one block is to tell them apart: its last 10 ms are so near to its peak, and the 5 ms before have
begun. Of the keys struck in a minute three are like that."""
MAY_BLOCKS = 3
"""To soften our own voice costs little: one block is enough, and it is over soon where nothing follows."""
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
        self._stay = self._signs = 0
        self.certain = False
        """Whether the newest block goes on with what has been heard for long enough to silence our own."""

    def hear(self, pcm: bytes, *, may_be_voice: bool) -> bool:
        """The next BLOCK_SAMPLES 16-bit samples; `may_be_voice` is false where none counts.

        True from the first block that may belong to a voice, for half a second where it is one.
        """
        self._stay = max(self._stay - 1, 0)
        lasts = voiced = False
        if len(pcm) == 2 * BLOCK_SAMPLES:
            loud, lasts = self._stands_out(pcm)
            voiced = loud and may_be_voice and self._voiced(pcm)
        self._signs = min(self._signs + 1, CERTAIN_BLOCKS) if voiced else max(self._signs - 1, 0)
        self.certain = voiced and self._signs == CERTAIN_BLOCKS
        if self.certain:
            self._stay = STAY_BLOCKS
        elif lasts and may_be_voice:
            self._stay = max(self._stay, MAY_BLOCKS)
        return self._stay > 0

    def _stands_out(self, pcm: bytes) -> tuple[bool, bool]:
        """Whether this is louder than the room and, beside the block before, no struck key; and by itself."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) * np.float32(1 / 32768)
        slices = np.mean(samples.reshape(-1, _SLICE) ** 2, axis=1)
        last, self._last = self._last, slices
        power = float(slices.mean())
        loud = power > max(LOUDER * self._quiet, QUIETEST)
        self._quiet = min(power + 1e-12, self._quiet * RISE)
        if not loud:
            return False, False
        peak = float(max(last.max(), slices.max()))
        steady = bool(np.median(slices) > STEADY * peak and slices[-1] > STEADY / 2 * peak)
        lasting = bool(slices[-3] > BEGUN * peak and slices[-2:].min() > LASTING * peak)
        return steady, steady and lasting

    def _voiced(self, pcm: bytes) -> bool:
        # Both halves are judged in any case: the detector adapts to all it hears.
        voiced = [self._vad.is_speech(pcm[at : at + 2 * _HALF], SAMPLE_RATE) for at in (0, 2 * _HALF)]
        return all(voiced)
