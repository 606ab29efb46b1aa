"""A person who begins over mybro's voice is believed sooner than in a quiet room."""

from __future__ import annotations

import numpy as np
import pytest

from mybro.audio.hearing import Hearing
from mybro.audio.source import BLOCK_SAMPLES
from mybro.config import AudioSettings
from mybro.events import SAMPLE_RATE, AudioBlock, SpeechStarted, SpeechSustained

pytestmark = pytest.mark.unit


class Unsure:
    """A detector that takes what is loud for speech, at one probability."""

    frame_samples = 512

    def __init__(self, probability: float) -> None:
        self._probability = probability

    def probability(self, frame: bytes) -> float:
        return self._probability if np.abs(np.frombuffer(frame, "<i2")).max() > 1000 else 0.0

    def reset(self) -> None: ...


def first(kind: type, probability: float, *, onset: bool, echo: bool = False) -> int | None:
    """Milliseconds from the sound's beginning to the first event of this kind."""
    turns = iter(range(1, 100))
    hearing = Hearing(AudioSettings(), Unsure(probability), turns.__next__, live=False)
    tone = np.asarray(8000 * np.sin(np.arange(SAMPLE_RATE) * 0.3), np.int16)
    for start in range(0, len(tone) - BLOCK_SAMPLES, BLOCK_SAMPLES):
        pcm = tone[start : start + BLOCK_SAMPLES].tobytes()
        events = list(hearing.hear(AudioBlock(start, pcm, echo, onset)))
        if any(isinstance(event, kind) for event in events):
            return 1000 * (start + BLOCK_SAMPLES) // SAMPLE_RATE
    return None


def test_what_may_be_a_voice_is_one_where_an_onset_was_heard() -> None:
    assert first(SpeechStarted, 0.3, onset=False) is None
    assert first(SpeechStarted, 0.3, onset=True) is not None
    assert first(SpeechStarted, 0.05, onset=True) is None


def test_less_speech_is_enough_to_silence_the_voice() -> None:
    alone, over = first(SpeechSustained, 0.9, onset=False), first(SpeechSustained, 0.9, onset=True)
    assert alone is not None and over is not None
    assert over < alone
    assert over <= 100


def test_our_own_voice_is_none_all_the_same() -> None:
    assert first(SpeechStarted, 0.9, onset=True, echo=True) is None
