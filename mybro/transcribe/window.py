"""Whisper's window of 30 s without its price: speech is encoded, and silence that was encoded once follows.

The decoder was trained on 1,500 rows of encoded sound and goes in circles over fewer; the rows of silence are
the same every time.

Nothing of an earlier look at growing speech is kept for its end. Measured with tiny.en on commands of 2 to
4 s (`benchmarks.incremental_bench`): to keep the encoder's rows of the first 60 %, or to give the decoder
the words that two earlier looks agreed on, takes 1.07 and 1.05 times as long as to hear it whole, with the
same words, and the looks cost two recognitions more. The encoder is a third of the time and sees both ways,
so that little of it can be kept; the decoder's time is the prompt and its first step. What does pay is to
have heard it all before the turn is known to be over. Where rows can be kept by design, they are: see
`zipformer`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mybro.transcribe.recogniser import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mybro.transcribe.recogniser import Sound

WINDOW_S = 30.0
ROWS = 1500
"""What the encoder makes of a window: a row for each 20 ms."""
FRAMES_PER_ROW = 2
"""Frames of the spectrogram, of 10 ms each."""
SAMPLES_PER_ROW = SAMPLE_RATE // 50
AFTER_S = 1.0
"""Real silence that is encoded with the speech, so that its end does not sound cut off."""
SILENT_MEL = -0.7
"""What the spectrogram of silence has after speech: eight orders of magnitude below its peak, scaled."""
_STEP = 16
"""Row counts are multiples of this, so that few shapes occur."""


def rows_for(sound: Sound, *, whole: bool = False) -> int:
    """How many rows to encode; the rest of `ROWS` is cached silence."""
    if whole:
        return ROWS
    rows = len(sound) / SAMPLES_PER_ROW + AFTER_S * SAMPLE_RATE / SAMPLES_PER_ROW
    return min(ROWS, math.ceil(rows / _STEP) * _STEP)


def padded(sound: Sound, rows: int) -> NDArray[np.float32]:
    """The sound and silence after it, as long as `rows` rows."""
    import numpy as np

    samples = rows * SAMPLES_PER_ROW
    out = np.zeros(samples, np.float32)
    out[: min(len(sound), samples)] = sound[:samples]
    return out
