from __future__ import annotations

import numpy as np
import pytest

from mybro.audio.detector import DETECTORS, Detector, SileroDetector, make_detector
from mybro.audio.webrtc import CascadeDetector, WebRtcDetector
from mybro.config import AudioSettings
from tests.audio_tools import HOP, Pcm, add_noise, dev_clips, noise, read_pcm, speech_mask, zeros

pytestmark = pytest.mark.unit


def probabilities(detector: Detector, pcm: Pcm) -> list[float]:
    size = detector.frame_samples
    raw = pcm.tobytes()
    return [detector.probability(raw[i * size * 2 : (i + 1) * size * 2]) for i in range(len(pcm) // size)]


def found(detector: Detector, pcm: Pcm) -> np.ndarray:
    """Speech or not, for each 10 ms."""
    detector.reset()
    frames = np.array(probabilities(detector, pcm)) >= 0.5
    at = (np.arange(len(pcm) // HOP) * HOP + HOP // 2) // detector.frame_samples
    return frames[np.minimum(at, len(frames) - 1)]


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_every_detector_tells_speech_from_a_quiet_room(name: str) -> None:
    detector = make_detector(AudioSettings.model_validate({"vad": name, "webrtc_mode": 2}))
    rng = np.random.default_rng(1)
    right = total = 0
    for clip in dev_clips()[:12]:
        pcm = np.concatenate([noise(0.5, rng), read_pcm(clip.path), noise(0.5, rng)])
        mask = speech_mask(pcm)
        right += int((found(detector, pcm) == mask).sum())
        total += len(mask)
    assert right / total > 0.85
    detector.reset()
    assert max(probabilities(detector, zeros(1.0))) < 0.5


def test_a_reset_forgets_the_stream() -> None:
    pcm = read_pcm(dev_clips()[0].path)
    for detector in (SileroDetector(), WebRtcDetector(2), CascadeDetector()):
        first = probabilities(detector, pcm)
        detector.reset()
        assert probabilities(detector, pcm) == first


def test_two_streams_do_not_disturb_each_other() -> None:
    one, two = SileroDetector(), SileroDetector()
    speech, other = read_pcm(dev_clips()[0].path), read_pcm(dev_clips()[5].path)
    alone = probabilities(SileroDetector(), speech[:16384])
    mixed = []
    for at in range(0, 16384, 512):
        mixed.append(one.probability(speech[at : at + 512].tobytes()))
        two.probability(other[at : at + 512].tobytes())
    assert mixed == alone


def test_silero_takes_typing_and_noise_for_no_speech() -> None:
    rng = np.random.default_rng(2)
    false = 0
    for clip in dev_clips()[:8]:
        room = np.concatenate([noise(1.0, rng), read_pcm(clip.path), noise(1.0, rng)])
        for kind in ("white", "clicks"):
            heard = found(SileroDetector(), add_noise(room, kind, 10, rng))
            false += int(heard[:90].sum())
    assert false == 0


@pytest.mark.parametrize(("kind", "snr"), [("white", 20), ("white", 10), ("clicks", 10)])
def test_the_gate_loses_next_to_no_speech(kind: str, snr: float) -> None:
    rng = np.random.default_rng(3)
    alone = together = 0
    for clip in dev_clips()[::5]:
        padded = np.concatenate([noise(1.0, rng), read_pcm(clip.path), noise(1.0, rng)])
        pcm = add_noise(padded, kind, snr, rng)
        silero = found(SileroDetector(), pcm)
        alone += int(silero.sum())
        together += int((silero & found(CascadeDetector(), pcm)).sum())
    assert together / alone > 0.99


def test_the_gate_spares_silero_in_quiet() -> None:
    asked = []

    class Counting(SileroDetector):
        def probability(self, frame: bytes) -> float:
            asked.append(1)
            return super().probability(frame)

    cascade = CascadeDetector(silero=Counting())
    frames = probabilities(cascade, noise(10.0, np.random.default_rng(4)))
    assert len(asked) < len(frames) / 4
