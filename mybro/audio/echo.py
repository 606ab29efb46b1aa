"""Taking our own voice out of what the microphone hears, and keeping in step with the loudspeaker.

A filter predicts the echo; where the prediction agrees with what is heard but for a shift, the streams are
out of step, and until that is mended nothing is taken for a person.

WebRTC's AEC3 in its place, untuned, in the same simulated rooms: 8 self-interruptions in 72 sentences, recall
0.67; an earlier form of this one: 10 in 72, recall 0.93.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from mybro.audio.echo_filter import PARTITIONS, Filter, Wave, spectrum_of
from mybro.audio.echo_gate import Gate
from mybro.audio.source import BLOCK_SAMPLES

AUDIBLE = 1e-7
"""Energy of a block that is worth cancelling: -95 dB relative to full scale."""

FIT_BLOCKS = 6
FIT_LAG = 640
"""The clocks of two streams agree this well, in samples, each time that one is opened."""
FIT_SURE = 0.6
FIT_BETTER = 1.03
"""Correlation of predicted and heard sound from which the prediction is shifted, and how much it must win."""
WHITEN = 0.8
FIT_SHARP = 1.2
"""A voice is like itself one pitch period later. Without so much of its colours it hardly is, and a shift
must win there, too."""
FIT_GOOD = 0.9
"""The filter is remembered as it was when prediction and sound agreed so well."""
AGREED = 3
FIT_HERE = 0.5
"""So many times in a row no shift fits better than none, with at least this correlation: they are in step."""
PAUSE_BLOCKS = 10
SETTLE_BLOCKS = 25
"""After a pause the streams may be out of step until the prediction fits, or so much echo was heard: all of
it is echo until then."""
FOLLOW_BLOCKS = 6
"""The filter has so long to follow what the shift left."""
PAST_ANY = 20.0
"""So many times the power that any echo had, and neither a shift nor what is yet to be learnt explains it."""
PAST_AFTER = 50
SLOW = 0.999
FORGOTTEN = 0.996
PAST_RISE = 1.03
NEAR_RISE = 1.005
"""How loud an echo can be is known after so many blocks of our voice, and forgotten so slowly. What goes on
past it becomes possible at this rate, and what is heard beside an echo hardly: that is a person."""
LOUD = 1e-2
BREATH_BLOCKS = 4
"""After a shorter pause (below -45 dB), too: a filter that knows a voice by its pitch expects no onset."""
GAIN_BLOCKS = 3
GAIN_SURE = 0.93
GAIN_STEP = 0.12
"""The same for a change of loudness, and the smallest that is followed at once."""
CLIPPED = 0.99
"""A microphone that clips adds sound of its own."""
COMFORT = 10 ** (-75 / 20)


class EchoCanceller:
    """Filter and gate over one microphone and one loudspeaker."""

    def __init__(self, seed: int = 0) -> None:
        self._filter = Filter()
        self._gate = Gate()
        self._rng = np.random.default_rng(seed)
        self._last = np.zeros(BLOCK_SAMPLES, np.float32)
        self._recent: deque[tuple[Wave, Wave]] = deque(maxlen=FIT_BLOCKS)
        self._settling = False
        self._peak = self._top = 0.0
        self._played_for = 0
        self._quiet_for = PARTITIONS
        self._unsure_for = self._settling_for = self._breath_for = 0
        self._agreed = self._silent_for = 0
        self.lag = 0
        """Samples by which what is played must be handed in later (negative: earlier) from now on."""

    @property
    def idle(self) -> bool:
        """Whether nothing that was played can still be heard."""
        return self._quiet_for >= PARTITIONS

    def unsettle(self) -> None:
        """From here on, what is played may be out of step with what was played before."""
        self._unsure_for = SETTLE_BLOCKS
        self._agreed = self._silent_for = 0
        self._recent.clear()

    def process(self, played: Wave, heard: Wave) -> tuple[Wave, bool]:
        """What is heard, without the echo of what is played, and whether it is no more than that echo."""
        power = float(np.dot(played, played))
        audible = power > AUDIBLE
        if audible and self._quiet_for >= PAUSE_BLOCKS:
            self.unsettle()
        loud = power > LOUD
        if loud and self._breath_for >= BREATH_BLOCKS and not self._gate.is_open:
            self._settling_for = FOLLOW_BLOCKS
        self._breath_for = 0 if loud else self._breath_for + 1
        self._quiet_for = 0 if audible else min(self._quiet_for + 1, PARTITIONS)
        if self.idle:
            self._last = played
            self._recent.clear()
            return heard, False
        self._filter.play(np.concatenate([self._last, played]))
        self._last = played
        echo = self._filter.predict()
        self._recent.append((echo, heard))
        if float(np.abs(heard).max()) > CLIPPED:
            self._gate.beware()
        factor = self._loudness()
        self._find_lag()
        error = heard - factor * echo
        spectrum = spectrum_of(error)
        if factor != 1.0:
            self._filter.scale(factor)
            self._recent = deque(((factor * ours, theirs) for ours, theirs in self._recent), FIT_BLOCKS)
        # Out of step, it would forget what it knows; where it expects nothing, there is nothing to forget.
        if not (self._unsure_for and self._gate.experienced and float(np.dot(echo, echo)) > 10 * AUDIBLE):
            self._filter.learn(spectrum)
        past = self._is_past_any_echo(power, heard)
        settling = self._settling = self._settle(echo) and not past
        gain = self._gate.gain(
            heard, spectrum, spectrum_of(echo), played=audible, learn=not settling, past=past
        )
        noise = COMFORT * self._rng.standard_normal(BLOCK_SAMPLES, np.float32)
        clean = np.fft.irfft(spectrum * gain)[BLOCK_SAMPLES:]
        if settling:
            self._gate.close()
        return np.asarray(clean, np.float32) + noise, not self._gate.is_open

    def _settle(self, echo: Wave) -> bool:
        """Whether prediction and sound may still be out of step, or the filter has yet to follow."""
        if self._unsure_for:
            self._settling_for = FOLLOW_BLOCKS
        if float(np.dot(echo, echo)) > 10 * AUDIBLE:
            self._silent_for = 0
            if self._unsure_for:
                self._unsure_for -= 1
            elif self._settling_for:
                self._settling_for -= 1
        elif not self._quiet_for:
            self._silent_for += 1
            if self._silent_for > PARTITIONS:
                # It plays, and nothing of it comes back: headphones.
                self._unsure_for = self._settling_for = 0
        return self._unsure_for > 0 or self._settling_for > 0

    def _is_past_any_echo(self, power: float, heard: Wave) -> bool:
        """Whether this is louder than any echo of our voice, whose newest block has `power`, ever was."""
        before = SLOW * self._peak
        self._peak = max(power, before)
        known = self._played_for > PAST_AFTER
        self._played_for += power > LOUD
        # The louder our voice, the louder its echo.
        top = FORGOTTEN * self._top * (self._peak / before if known else 1.0)
        loud = float(np.dot(heard, heard))
        past = known and loud > PAST_ANY * top
        rise = PAST_RISE if past else NEAR_RISE
        self._top = max(top, min(loud, rise * top) if past or self._gate.is_open else loud)
        return past

    @property
    def stirs(self) -> bool:
        """Whether there may be more than echo, if only for a block or two."""
        return self._gate.stirs and not self._settling

    def _loudness(self) -> float:
        """How much louder than predicted the echo is where it is the same otherwise, else 1."""
        last = list(self._recent)[-GAIN_BLOCKS:]
        ours, heard = (np.concatenate(side) for side in zip(*last, strict=True))
        energy, loud, both = (float(np.dot(x, y)) for x, y in ((ours, ours), (heard, heard), (ours, heard)))
        if min(energy, loud) < 10 * AUDIBLE or both < GAIN_SURE * np.sqrt(energy * loud):
            return 1.0
        factor = float(np.clip(both / energy, 0.25, 4.0))
        return factor if abs(factor - 1) > GAIN_STEP else 1.0

    def _find_lag(self) -> None:
        """Where prediction and sound agree but for a shift, ask for it."""
        if len(self._recent) < FIT_BLOCKS // 2:
            return
        ours, heard = (np.concatenate(side) for side in zip(*self._recent, strict=True))
        energy, loud = float(np.dot(ours, ours)), float(np.dot(heard, heard))
        if energy < 100 * AUDIBLE:
            return
        size = 2 * len(ours)
        both = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(ours, size))
        plain = _around(np.fft.irfft(both)) / np.sqrt(energy * loud + 1e-12)
        # Without its colours: a voice is like itself one pitch period later, its edges are not.
        sharp = _around(np.fft.irfft(both / (np.abs(both) + 1e-9) ** WHITEN))
        best = int(np.argmax(sharp))
        here = plain[FIT_LAG]
        if (
            abs(best - FIT_LAG) > 1
            and plain[best] > max(FIT_SURE, FIT_BETTER * here)
            and sharp[best] > FIT_SHARP * sharp[FIT_LAG]
        ):
            self._recent.clear()
            self.lag = best - FIT_LAG
            self._agreed = 0
            self._filter.recall()
            self._filter.doubt()
            self._unsure_for = max(self._unsure_for, AGREED)
            return
        self._agreed = self._agreed + 1 if abs(best - FIT_LAG) <= 1 and here > FIT_HERE else 0
        if here > FIT_GOOD:
            self._filter.remember()
        if self._agreed >= AGREED or here > FIT_GOOD:
            self._unsure_for = 0

    def shifted(self, played: list[Wave]) -> None:
        """`lag` was obeyed: the blocks played of late, as they should have been handed in, oldest first."""
        self.lag = 0
        for block in played:
            self._filter.play(np.concatenate([self._last, block]))
            self._last = block


def _around(cross: npt.NDArray[np.floating]) -> Wave:
    return np.asarray(np.concatenate([cross[-FIT_LAG:], cross[: FIT_LAG + 1]]), np.float32)
