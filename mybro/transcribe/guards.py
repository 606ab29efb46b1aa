"""Whisper's typical failures, caught from what it reports: words in noise, loops, phrases nobody said.

The limits were measured with tiny.en: over noise it reports a no-speech probability of 0.4 to 0.98 and a log
probability below -1, over clean or quiet speech at most 0.36, or a log probability well above -1.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from mybro.transcribe.prompt import token_limit
from mybro.transcribe.recogniser import SAMPLE_RATE, Recognition

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mybro.transcribe.recogniser import Sound

SILENCE_DBFS = -66.0
"""The loudest tenth of a second of a stretch in which nobody can have spoken."""
KEPT_FRAMES = 3
"""Tenths of a second of silence that are left at a sound's end."""
SURE_LOGPROB = -0.35
"""Above this the words were heard clearly, whatever the model says of speech."""
NO_SPEECH = 0.6
LEAST_NO_SPEECH = 0.6
"""Below this another reading may yet show that somebody spoke; whispered and noisy words are reported so."""
CLEARER_NO_SPEECH, CLEARER_LOGPROB = 0.7, -1.1
"""The same where the words are clearer than noise makes them: short ones are reported so."""
DOUBTFUL_NO_SPEECH = 0.3
DOUBTFUL_LOGPROB = -1.0
FLAT_DB = 6.0
"""Speech is louder than the pauses around it by far more; a hum, a fan or hiss is not."""
LOOP_RATIO = 2.4
"""Text that deflates better than this repeats itself."""

PHANTOMS = frozenset(
    {
        "you",
        "bye",
        "bye bye",
        "thank you",
        "thank you so much",
        "thank you very much",
        "thank you for watching",
        "thanks for watching",
        "thank you for listening",
        "please subscribe",
        "please subscribe to my channel",
        "like and subscribe",
        "subtitles by the amara org community",
        "see you next time",
        "see you in the next video",
        "ill see you next time",
        "the end",
        "so",
        "oh",
        "hmm",
    }
)
"""What Whisper learned to write under silence, from the ends of films."""
_HUMMED_COMMAND = re.compile(r"(un|re)do( (m+|h+m+|mh+m*))+")
"""What some voices' "mm-hmm" is written as, with commands expected; nothing may be taken back for a hum."""


def levels_dbfs(sound: Sound) -> NDArray[np.floating]:
    """Root mean square of each 100 ms, relative to full scale; -120 for silence."""
    import numpy as np

    frame = SAMPLE_RATE // 10
    padded = np.zeros(max(1, -(-len(sound) // frame)) * frame, np.float32)
    padded[: len(sound)] = sound
    power = (padded.reshape(-1, frame) ** 2).mean(axis=1)
    return np.asarray(10 * np.log10(power + 1e-12))


def without_end(sound: Sound) -> Sound:
    """The sound without the silence at its end, but for a moment of it."""
    import numpy as np

    loud = np.flatnonzero(levels_dbfs(sound) >= SILENCE_DBFS)
    frame = SAMPLE_RATE // 10
    return sound[: (int(loud[-1]) + 1 + KEPT_FRAMES) * frame] if len(loud) else sound


def is_silent(sound: Sound) -> bool:
    """Whether nobody can have spoken, judged by level alone."""
    return float(levels_dbfs(sound).max()) < SILENCE_DBFS


def is_flat(sound: Sound) -> bool:
    """Whether it is equally loud throughout, as noise is and speech is not."""
    import numpy as np

    low, high = np.percentile(levels_dbfs(sound), (10, 95))
    return bool(high - low < FLAT_DB)


def is_unsaid(heard: Recognition, sound: Sound) -> bool:
    """Whether the words were most likely not spoken.

    A phrase that Whisper is known to invent needs less evidence against it, but never none: "thank you",
    said clearly, stays.
    """
    words = _bare(heard.text)
    if not words or _HUMMED_COMMAND.fullmatch(words):
        return True
    if heard.no_speech_probability > NO_SPEECH and heard.average_logprob < SURE_LOGPROB:
        return True
    doubtful = heard.no_speech_probability > DOUBTFUL_NO_SPEECH
    if words in PHANTOMS:
        return doubtful or heard.average_logprob < DOUBTFUL_LOGPROB or is_flat(sound)
    return doubtful and heard.average_logprob < DOUBTFUL_LOGPROB


def is_phantom(heard: Recognition, sound: Sound) -> bool:
    """Whether it is a phrase that is often invented, and most likely is so here."""
    return _bare(heard.text) in PHANTOMS and is_unsaid(heard, sound)


def _bare(text: str) -> str:
    return " ".join(re.findall(r"\w+", re.sub("['’]", "", text.lower())))


def may_be_said(heard: Recognition, sound: Sound) -> bool:
    """Whether words were spoken, or at least something was that another reading may make words of."""
    least = CLEARER_NO_SPEECH if heard.average_logprob > CLEARER_LOGPROB else LEAST_NO_SPEECH
    return bool(heard.text) and (heard.no_speech_probability < least or not is_unsaid(heard, sound))


def compression_ratio(text: str) -> float:
    """Length of the text over its deflated length: about 1 for plain speech, above 2.4 for a loop."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def is_looped(heard: Recognition, sound: Sound) -> bool:
    """Whether the recogniser went round in circles, so that another try is worth its time."""
    ran_on = heard.tokens >= token_limit(len(sound) / SAMPLE_RATE)
    return ran_on or compression_ratio(heard.text) > LOOP_RATIO


def collapse(text: str) -> str:
    """`text` with a phrase that is said over and over kept once.

    A phrase counts as repeated from the third time on, a single word from the fourth: people do say
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
    # Where nothing follows any more, a comma would be left dangling.
    return text.strip() if len(kept) == len(words) else " ".join(kept).rstrip(",;")


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
