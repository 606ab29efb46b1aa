"""What spares and what corrects a detector: the gate for quiet, and the ear for who is near."""

from __future__ import annotations

import numpy as np
import pytest

from mybro.audio.detector import SileroDetector, make_detector
from mybro.audio.gate import GatedDetector
from mybro.audio.near import NearDetector
from mybro.config import AudioSettings
from tests.audio_tools import Pcm, add_noise, dev_clips, noise, read_pcm
from tests.test_audio_detector import found, probabilities

pytestmark = pytest.mark.unit


class Counting(SileroDetector):
    """Counts the frames it was asked about."""

    asked = 0

    def probability(self, frame: bytes) -> float:
        self.asked += 1
        return super().probability(frame)


def padded(pcm: Pcm, rng: np.random.Generator) -> Pcm:
    return np.concatenate([noise(4.0, rng), pcm, noise(1.0, rng)])


def test_next_to_nothing_of_a_quiet_room_reaches_the_detector() -> None:
    inner = Counting()
    assert max(probabilities(GatedDetector(inner), noise(30.0, np.random.default_rng(1)))) < 0.3
    assert inner.asked < 30


@pytest.mark.parametrize(("kind", "snr_db"), [("white", 40), ("white", 5), ("white", 0), ("clicks", 5)])
def test_the_gate_loses_no_speech(kind: str, snr_db: float) -> None:
    rng = np.random.default_rng(2)
    alone = both = 0
    for clip in dev_clips()[::4]:
        pcm = add_noise(padded(read_pcm(clip.path), rng), kind, snr_db, rng)
        silero, gated = found(SileroDetector(), pcm), found(GatedDetector(SileroDetector()), pcm)
        alone += int(silero.sum())
        both += int((silero & gated).sum())
    assert both / alone > 0.985


def test_a_reset_forgets_the_room_and_the_voice() -> None:
    pcm = padded(read_pcm(dev_clips()[0].path), np.random.default_rng(3))
    gated = GatedDetector(SileroDetector())
    first = probabilities(gated, pcm)
    gated.reset()
    assert probabilities(gated, pcm) == first


def test_who_is_farther_away_is_not_taken_for_the_person() -> None:
    rng = np.random.default_rng(4)
    clips = [read_pcm(clip.path) for clip in dev_clips() if clip.voice == "piper_joe"]
    mine = max(clips, key=len)
    other = read_pcm(next(clip.path for clip in dev_clips() if clip.voice == "flite_slt"))
    far = np.asarray(other * 0.1, np.int16)
    pcm = np.concatenate([noise(0.5, rng), mine, far, mine, far])
    near = found(NearDetector(SileroDetector()), pcm)
    plain = found(SileroDetector(), pcm)
    own = slice(50, 50 + len(mine) // 160)
    after = slice(own.stop + 10, own.stop + len(far) // 160)
    assert plain[after].sum() > 20
    assert near[after].sum() < 0.1 * plain[after].sum()
    assert (near & plain)[own].sum() > 0.9 * plain[own].sum()


def test_the_settings_choose_what_stands_before_silero() -> None:
    assert isinstance(make_detector(AudioSettings()), GatedDetector)
    assert isinstance(make_detector(AudioSettings(near_only=True)), NearDetector)
