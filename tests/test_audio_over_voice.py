"""A person who begins over mybro's voice is believed sooner than in a quiet room."""

from __future__ import annotations

import numpy as np
import pytest

from mybro.audio.hearing import Hearing
from mybro.audio.onset import Onset
from mybro.audio.source import BLOCK_SAMPLES
from mybro.config import AudioSettings
from mybro.events import SAMPLE_RATE, AudioBlock, SpeechStarted, SpeechSustained
from tests.audio_tools import Pcm, clicks, noise

pytestmark = pytest.mark.unit


class Unsure:
    """A detector that takes what is loud for speech, at one probability."""

    frame_samples = 512

    def __init__(self, probability: float) -> None:
        self._probability = probability

    def probability(self, frame: bytes) -> float:
        return self._probability if np.abs(np.frombuffer(frame, "<i2")).max() > 1000 else 0.0

    def reset(self) -> None: ...


def first(
    kind: type, probability: float, *, onset: bool, echo: bool = False, certain: bool = False
) -> int | None:
    """Milliseconds from the sound's beginning to the first event of this kind."""
    turns = iter(range(1, 100))
    hearing = Hearing(AudioSettings(), Unsure(probability), turns.__next__, live=False)
    tone = np.asarray(8000 * np.sin(np.arange(SAMPLE_RATE) * 0.3), np.int16)
    for start in range(0, len(tone) - BLOCK_SAMPLES, BLOCK_SAMPLES):
        pcm = tone[start : start + BLOCK_SAMPLES].tobytes()
        events = list(hearing.hear(AudioBlock(start, pcm, echo, onset, certain)))
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


def test_what_lasts_cuts_the_voice_before_any_word_is_heard_in_it() -> None:
    for kind in (SpeechStarted, SpeechSustained):
        at = first(kind, 0.0, onset=True, certain=True)
        assert at is not None and at <= 40


def test_our_own_voice_is_none_all_the_same() -> None:
    assert first(SpeechStarted, 0.9, onset=True, echo=True) is None
    assert first(SpeechStarted, 0.9, onset=True, echo=True, certain=True) is None


def certain(pcm: Pcm, *, may_be_voice: bool = True) -> list[bool]:
    onset, found = Onset(), []
    for i in range(0, len(pcm) - BLOCK_SAMPLES, BLOCK_SAMPLES):
        onset.hear(pcm[i : i + BLOCK_SAMPLES].tobytes(), may_be_voice=may_be_voice)
        found.append(onset.certain)
    return found


def test_a_word_that_begins_with_a_hiss_is_no_doubt_somebody() -> None:
    rng = np.random.default_rng(1)
    hiss = np.convolve(noise(0.3, rng, dbfs=-30), [0.5, -0.8, 0.5], "same").astype(np.int16)
    sound = np.concatenate([noise(1.0, rng), hiss, noise(1.0, rng)])
    found = certain(sound)
    assert any(found[50:65]) and not any(found[:50]) and not any(found[70:])
    assert not any(certain(sound, may_be_voice=False))


def test_keys_and_clicks_are_nobody() -> None:
    rng = np.random.default_rng(2)
    typing = clicks(30.0, rng)
    pcm = np.asarray(typing / np.abs(typing).max() * 8000 + noise(30.0, rng), np.int16)
    assert sum(certain(pcm)) <= 1
