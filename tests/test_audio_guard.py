"""Our own voice in a simulated room: what the guard takes out, and what it lets through."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.echo_scene import scene
from benchmarks.recordings import recordings
from benchmarks.room import any_room, at_level, convolved, small_loudspeaker
from mybro.audio.guard import EchoGuard
from mybro.audio.onset import Onset
from mybro.audio.source import BLOCK_SAMPLES
from mybro.events import SAMPLE_RATE
from tests.audio_tools import AUDIO, Pcm, clicks, dev_clips, noise, read_pcm, trimmed

pytestmark = pytest.mark.unit

BLOCK_S = BLOCK_SAMPLES / SAMPLE_RATE
AHEAD_S = 0.06
"""How long before it is heard a loudspeaker is given its sound."""


def voice(name: str, count: int) -> np.ndarray:
    """Some of a voice's sentences, -1 to 1."""
    clips = [trimmed(read_pcm(clip.path)) for clip in dev_clips() if clip.voice == name]
    long = sorted(clips, key=len)[-count:]
    return np.concatenate(long) / 32768


def room(said: np.ndarray, person: np.ndarray, delay_s: float, echo_db: float, seed: int = 1) -> np.ndarray:
    """What the microphone hears of both."""
    rng = np.random.default_rng(seed)
    box, loudspeaker, microphone, somebody = any_room(rng)
    out = np.concatenate([np.zeros(int(delay_s * SAMPLE_RATE)), small_loudspeaker(said, 1.0)])[: len(said)]
    heard = at_level(convolved(out, box.response(loudspeaker, microphone)), echo_db)
    if np.any(person):
        heard = heard + at_level(convolved(person, box.response(somebody, microphone)), -20)
    heard += 10 ** (-65 / 20) * rng.standard_normal(len(heard))
    return np.asarray(np.clip(heard, -1, 0.999) * 32768, np.int16)


def cleaned(guard: EchoGuard, said: np.ndarray, heard: Pcm, *, rate: int = SAMPLE_RATE, begin_s: float = 5.0,
            stream: int = 1, off_s: float = 0.0) -> tuple[Pcm, np.ndarray]:  # fmt: skip
    """The guard's output, and for each block whether it was only echo. `said` is at `rate`."""
    size = rate // 50
    given = int(AHEAD_S / BLOCK_S)
    out, echo = [], []
    for i in range(len(heard) // BLOCK_SAMPLES):
        for k in range(given) if i == 0 else [i + given - 1]:
            part = np.asarray(said[k * size : (k + 1) * size] * 32767, np.int16)
            if len(part):
                guard.played(stream, begin_s + off_s + k * BLOCK_S, rate, part)
        pcm = heard[i * BLOCK_SAMPLES : (i + 1) * BLOCK_SAMPLES].tobytes()
        block = guard.clean(begin_s + i * BLOCK_S, pcm)
        out.append(np.frombuffer(block.pcm, "<i2"))
        echo.append(block.echo)
    return np.concatenate(out), np.array(echo)


def energy(pcm: Pcm) -> float:
    return float(np.mean(pcm.astype(np.float64) ** 2))


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.12, 0.3])
def test_our_own_voice_is_taken_out(delay_s: float) -> None:
    said = voice("piper_joe", 4)
    heard = room(said, np.zeros(1), delay_s, -20)
    clean, echo = cleaned(EchoGuard(), said, heard)
    half = len(clean) // 2
    assert energy(clean[half:]) < energy(heard[half:]) / 200
    assert np.mean(echo[20:]) > 0.97


@pytest.mark.parametrize("softer_db", [20.0, 30.0])
def test_a_loudspeaker_turned_low_does_not_sound_like_a_person(softer_db: float) -> None:
    recorded = recordings(AUDIO)
    through = []
    for seed in range(6):
        low = scene(recorded, seed, person=False, softer_db=softer_db)
        begin, end = low.sentences[0]
        _, echo = cleaned(EchoGuard(), low.played[begin:end] / 32768, low.heard[begin:end])
        through.append(int(np.sum(~echo[20:])))
    assert sum(through) < 10, through


def test_a_person_who_speaks_over_it_is_let_through() -> None:
    said = voice("piper_joe", 4)
    person = np.zeros(len(said))
    words = voice("flite_slt", 1)[: SAMPLE_RATE * 2]
    at = 4 * SAMPLE_RATE
    person[at : at + len(words)] = words
    _, echo = cleaned(EchoGuard(), said, room(said, person, 0.1, -18))
    speaking = echo[at // BLOCK_SAMPLES : (at + len(words)) // BLOCK_SAMPLES]
    assert np.mean(speaking) < 0.35
    assert not speaking[:15].all(), "noticed within 0.3 s"
    assert np.mean(echo[20 : at // BLOCK_SAMPLES]) > 0.97


def test_what_was_learned_holds_for_the_next_sentence_though_its_clock_is_off_by_a_little() -> None:
    said = voice("piper_joe", 2)
    guard = EchoGuard()
    heard = room(said, np.zeros(1), 0.1, -20)
    cleaned(guard, said, heard)
    for stream, off_s in ((2, 0.003), (3, -0.004)):
        _, echo = cleaned(guard, said, heard, begin_s=30.0 * stream, stream=stream, off_s=off_s)
        assert np.mean(echo[10:]) > 0.95


def test_exact_silence_between_words_unlearns_nothing() -> None:
    words = voice("piper_joe", 2)
    pause = np.zeros(int(0.3 * SAMPLE_RATE))
    said = np.concatenate([words, pause, words[: 2 * SAMPLE_RATE], pause, words])
    heard = np.concatenate([np.zeros(800), said[:-800]]) * 0.5
    clean, echo = cleaned(EchoGuard(), said, np.asarray(heard * 32767, np.int16))
    assert np.mean(echo[20:]) > 0.97
    assert energy(clean[-len(words) :]) < energy(np.asarray(heard[-len(words) :] * 32767, np.int16)) / 1000


def test_a_loudspeaker_at_another_rate() -> None:
    import soxr

    said = voice("piper_joe", 3)
    heard = room(said, np.zeros(1), 0.05, -20)
    clean, _ = cleaned(EchoGuard(), soxr.resample(said, SAMPLE_RATE, 22050), heard, rate=22050)
    half = len(clean) // 2
    assert energy(clean[half:]) < energy(heard[half:]) / 100


@pytest.mark.parametrize("seconds", [0.9, 4.0])
def test_with_headphones_a_person_is_heard_as_well(seconds: float) -> None:
    said = voice("piper_joe", 3)
    rng = np.random.default_rng(3)
    heard = noise(len(said) / SAMPLE_RATE, rng)[: len(said)].copy()
    words = (voice("flite_slt", 1)[: SAMPLE_RATE * 2] * 8000).astype(np.int16)
    at = int(seconds * SAMPLE_RATE)
    heard[at : at + len(words)] += words[: len(heard) - at]
    clean, echo = cleaned(EchoGuard(), said, heard)
    speaking = slice(at // BLOCK_SAMPLES, (at + len(words)) // BLOCK_SAMPLES)
    assert np.mean(echo[speaking]) < 0.3
    assert energy(clean[at : at + len(words)]) > energy(heard[at : at + len(words)]) / 3


def test_while_nothing_is_played_nothing_is_changed() -> None:
    guard = EchoGuard()
    pcm = noise(0.02, np.random.default_rng(4), dbfs=-20).tobytes()
    for i in range(100):
        assert guard.clean(i * BLOCK_S, pcm) == (pcm, False, True)
    assert guard.clean(3.0, pcm[:100]).pcm == pcm[:100]


def test_what_was_thrown_away_is_not_expected() -> None:
    said = voice("piper_joe", 3)
    heard = room(said, np.zeros(1), 0.0, -12)
    guard = EchoGuard()
    cleaned(guard, said[: 4 * SAMPLE_RATE], heard[: 4 * SAMPLE_RATE])
    guard.played(1, 9.0, SAMPLE_RATE, np.asarray(said[:SAMPLE_RATE] * 32767, np.int16))
    guard.silenced(9.0)
    quiet = noise(0.02, np.random.default_rng(5))
    outs = [np.frombuffer(guard.clean(9.0 + i * BLOCK_S, quiet.tobytes()).pcm, "<i2") for i in range(50)]
    # The room's own echo of what came before is all that may be left.
    assert energy(np.concatenate(outs[25:])) < 20 * energy(quiet)


# ------------------------------------------------------------------ onsets


def softened(pcm: Pcm) -> np.ndarray:
    onset = Onset()
    size = BLOCK_SAMPLES
    return np.array(
        [onset.hear(pcm[i : i + size].tobytes(), may_be_voice=True) for i in range(0, len(pcm) - size, size)]
    )


def test_an_onset_is_found_within_sixty_milliseconds_as_a_rule() -> None:
    rng = np.random.default_rng(6)
    late = []
    for clip in dev_clips():
        speech = trimmed(read_pcm(clip.path))
        pcm = np.concatenate([noise(1.0, rng), speech + noise(len(speech) / SAMPLE_RATE, rng)[: len(speech)]])
        soft = softened(np.asarray(pcm, np.int16))
        assert not soft[: SAMPLE_RATE // BLOCK_SAMPLES - 1].any()
        late.append((int(np.argmax(soft)) + 1) * BLOCK_S - 1.0)
    assert np.percentile(late, 85) <= 0.0601


def test_typing_is_no_onset() -> None:
    rng = np.random.default_rng(7)
    typing = clicks(60.0, rng)
    pcm = np.asarray(typing / np.abs(typing).max() * 8000 + noise(60.0, rng), np.int16)
    soft = softened(pcm).astype(int)
    assert np.count_nonzero(np.diff(soft) > 0) <= 3


def test_one_block_softens_and_it_is_over_soon_where_nothing_follows() -> None:
    rng = np.random.default_rng(9)
    speech = trimmed(read_pcm(dev_clips()[0].path))
    vowel = speech[np.argmax(np.abs(speech)) :][: 2 * BLOCK_SAMPLES]
    quiet = noise(1.0, rng)[: SAMPLE_RATE // BLOCK_SAMPLES * BLOCK_SAMPLES]
    soft = softened(np.concatenate([quiet, vowel, quiet]))
    first = len(quiet) // BLOCK_SAMPLES
    assert soft[first] and 2 <= np.count_nonzero(soft) <= 5


def test_over_our_own_voice_a_person_softens_it_within_sixty_milliseconds_as_a_rule() -> None:
    said = voice("piper_joe", 4)
    words = [trimmed(read_pcm(clip.path)) / 32768 for clip in dev_clips() if clip.voice == "flite_slt"]
    starts = np.arange(4 * SAMPLE_RATE + 100, len(said) - SAMPLE_RATE, SAMPLE_RATE * 5 // 4)
    person = np.zeros(len(said))
    for at, word in zip(starts, words, strict=False):
        short = word[: SAMPLE_RATE // 2]
        person[at : at + len(short)] += short
    soft = softened_over(said, room(said, person, 0.1, -18))
    late = [(int(np.argmax(soft[at // BLOCK_SAMPLES :])) + 1) * BLOCK_S for at in starts]
    assert np.median(late) <= 0.0401
    assert np.percentile(late, 80) <= 0.0801, "its first block may begin before the voice"
    assert np.mean(soft[100 : starts[0] // BLOCK_SAMPLES]) < 0.05, "nobody speaks yet"


def softened_over(said: np.ndarray, heard: Pcm) -> np.ndarray:
    """For each block, whether our own voice is soft."""
    guard, onset = EchoGuard(), Onset()
    soft = []
    for i in range(len(heard) // BLOCK_SAMPLES):
        for k in range(3) if i == 0 else [i + 2]:
            part = np.asarray(said[k * BLOCK_SAMPLES : (k + 1) * BLOCK_SAMPLES] * 32767, np.int16)
            if len(part):
                guard.played(1, k * BLOCK_S, SAMPLE_RATE, part)
        pcm, _, stirs = guard.clean(i * BLOCK_S, heard[i * BLOCK_SAMPLES : (i + 1) * BLOCK_SAMPLES].tobytes())
        soft.append(onset.hear(pcm, may_be_voice=stirs))
    return np.array(soft)


def test_an_onset_is_over_half_a_second_after_its_last_sign() -> None:
    rng = np.random.default_rng(8)
    speech = trimmed(read_pcm(dev_clips()[0].path))
    soft = softened(np.concatenate([noise(1.0, rng), speech, noise(1.0, rng)]))
    assert soft.any() and not soft[-10:].any()
    onset = Onset()
    assert not any(onset.hear(speech[:BLOCK_SAMPLES].tobytes(), may_be_voice=False) for _ in range(20))
