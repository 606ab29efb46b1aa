"""How well `mybro hear` hears, beside faster-whisper itself with its defaults on the same model."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.stt_bench import clips, compare, heard_by_peer, heard_by_program, sample
from mybro.models import resolve
from tests.audio_tools import AUDIO
from tests.program import environment
from tests.transcribe_scene import model
from tests.trials import share

__all__ = ["model"]
pytestmark = pytest.mark.trial

POINT = 1.0
"""Percent of words that ours may be worse by."""


def test_hearing_is_within_a_point_of_faster_whispers_own(model: str, tmp_path: Path) -> None:
    from faster_whisper import WhisperModel

    chosen = share(clips(AUDIO), 2)
    peer = WhisperModel(str(resolve("faster-whisper", model).path), device="cpu", compute_type="float32")
    files = [clip.path for clip in chosen]
    ours = heard_by_program(files, "faster-whisper", model, environment(tmp_path / "home"))
    rates = compare(chosen, ours, heard_by_peer(chosen, peer))
    # In a small sample a single word is more than a point.
    assert rates["delta"] <= max(POINT, 100 / rates["words"]), rates


def test_the_quick_sample_has_peoples_voices_in_it_and_is_always_the_same() -> None:
    everything = clips(AUDIO)
    chosen = sample(everything)
    assert chosen == sample(everything) and sum(clip.human for clip in chosen) >= 6
