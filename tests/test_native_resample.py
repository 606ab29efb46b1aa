"""From one rate to another, in Python: what passes, what goes, and how little is held back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from mybro.native import resample
from mybro.native.resample import PythonResampler, SoxrResampler, make_resampler

pytestmark = pytest.mark.unit

Samples = npt.NDArray[np.int16]


def tone(hertz: float, rate: int, count: int) -> Samples:
    return (np.sin(2 * np.pi * hertz * np.arange(count) / rate) * 20000).astype("<i2")


def converted(source: int, target: int, samples: Samples, block: int = 512) -> npt.NDArray[np.int64]:
    made = PythonResampler(source, target)
    parts = [samples[at : at + block].tobytes() for at in range(0, len(samples), block)]
    out = b"".join(made.convert(part) for part in parts) + made.convert(b"", last=True)
    return np.frombuffer(out, "<i2").astype(np.int64)


def test_blocks_make_no_difference() -> None:
    samples = tone(440, 44100, 4410)
    whole = converted(44100, 16000, samples, 4410)
    assert len(whole) == 1600
    assert all(np.array_equal(converted(44100, 16000, samples, block), whole) for block in (1, 7, 441))


@pytest.mark.parametrize(
    ("source", "target"), [(48000, 16000), (44100, 16000), (22050, 48000), (16000, 16000)]
)
def test_what_passes_stays(source: int, target: int) -> None:
    found = converted(source, target, tone(1000, source, source // 2))
    wanted = tone(1000, target, target // 2)
    assert len(found) == len(wanted)
    assert np.abs(found - wanted)[200:-200].max() <= 6


def test_what_would_be_heard_wrongly_goes() -> None:
    assert np.abs(converted(48000, 16000, tone(9000, 48000, 24000))[200:-200]).max() <= 2


def test_it_agrees_with_soxr() -> None:
    tones = np.stack([tone(hertz, 48000, 24000) // 5 for hertz in (150, 700, 2500, 5000)])
    speech = np.asarray(tones.sum(axis=0), np.int16)
    ours, theirs = (
        converted(48000, 16000, speech),
        SoxrResampler(48000, 16000).convert(speech.tobytes(), True),
    )
    far = np.abs(ours - np.frombuffer(theirs, "<i2"))[200:-200]
    assert far.max() <= 20000 * 0.001


@pytest.mark.parametrize("source", [48000, 44100, 24000])
def test_two_milliseconds_are_held_back(source: int) -> None:
    made = make_resampler(source, 16000)
    out = b"".join(made.convert(bytes(2 * source // 50)) for _ in range(50))
    assert 16000 - 34 <= len(out) // 2 <= 16000 - 30


def test_another_stream_may_follow() -> None:
    made = PythonResampler(24000, 16000)
    samples = tone(700, 24000, 500).tobytes()
    first = made.convert(samples, last=True)
    assert len(first) // 2 == 334 and made.convert(samples, last=True) == first
    assert made.convert(b"", last=True) == b""
    with pytest.raises(ValueError, match="two bytes"):
        made.convert(b"\0")


def test_rates_with_little_in_common_are_left_to_soxr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample, "engine", lambda: None)
    made = make_resampler(191_999, 16_000)
    assert isinstance(made, SoxrResampler)
    for _ in range(2):
        assert abs(len(made.convert(bytes(2 * 191_999), last=True)) // 2 - 16_000) <= 1
    for rates in ((0, 16000), (16000, -1)):
        with pytest.raises(ValueError, match="Hz"):
            PythonResampler(*rates)
