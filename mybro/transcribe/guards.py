"""Whisper's typical failures, caught from what it reports: words in noise, loops, phrases nobody said."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from mybro.transcribe.recogniser import SAMPLE_RATE, Recognition

if TYPE_CHECKING:
    from mybro.transcribe.recogniser import Sound

SILENCE_DBFS = -60.0
"""Loudest tenth of a second of a stretch that cannot hold speech: a quiet room through a quiet microphone."""
NO_SPEECH = 0.6
LOOP_RATIO = 2.4
"""Text that deflates better than this repeats itself."""


def loudest_dbfs(sound: Sound) -> float:
    """Root mean square of the loudest 100 ms, relative to full scale; -120 for silence."""
    import numpy as np

    frame = SAMPLE_RATE // 10
    if len(sound) == 0:
        return -120.0
    padded = np.zeros(-(-len(sound) // frame) * frame, np.float32)
    padded[: len(sound)] = sound
    power = float((padded.reshape(-1, frame) ** 2).mean(axis=1).max())
    return max(-120.0, 10 * float(np.log10(power + 1e-12)))


def is_silent(sound: Sound) -> bool:
    """Whether there is nothing to transcribe, judged by level alone."""
    return loudest_dbfs(sound) < SILENCE_DBFS


def compression_ratio(text: str) -> float:
    """Length of the text over its deflated length: about 1 for plain speech, above 2.4 for a loop."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def is_noise(heard: Recognition) -> bool:
    """Whether the model itself holds that nobody spoke."""
    return heard.no_speech_probability > NO_SPEECH


def is_looped(text: str) -> bool:
    """Whether the text repeats itself as speech does not."""
    return compression_ratio(text) > LOOP_RATIO or collapse(text) != text


def collapse(text: str) -> str:
    """`text` with a phrase that is said over and over kept once.

    A phrase counts as repeated from the third time on (a single word from the fourth): people do say
    "no, no, no".
    """
    words = text.split()
    keys = [re.sub(r"\W", "", word.lower()) for word in words]
    kept: list[str] = []
    at = 0
    while at < len(words):
        period, times = _longest_loop(keys, at)
        kept += words[at : at + period]
        at += period * times
    return " ".join(kept)


def _longest_loop(keys: list[str], at: int) -> tuple[int, int]:
    """The period and count of the loop that covers most words from `at` on; (1, 1) for none."""
    best = (1, 1)
    for period in range(1, (len(keys) - at) // 3 + 1):
        phrase = keys[at : at + period]
        times = 1
        while keys[at + times * period : at + (times + 1) * period] == phrase:
            times += 1
        if times >= (4 if period == 1 else 3) and times * period > best[0] * best[1]:
            best = (period, times)
    return best
