"""Voice-processing units of every kind beside a plain microphone, in simulated rooms with real voices."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pytest

from benchmarks.echo_scene import AHEAD_BLOCKS, scene
from benchmarks.recordings import recordings
from mybro.audio.guard import EchoGuard
from mybro.audio.source import BLOCK_SAMPLES
from mybro.audio.unit_trial import UnitTrial, Verdict
from mybro.events import SAMPLE_RATE
from tests.audio_tools import AUDIO

pytestmark = pytest.mark.unit

DELAY = SAMPLE_RATE // 20
"""Units are later than the plain microphone."""
SEEDS = (1, 4)


@dataclass(frozen=True)
class Heard:
    """What a plain microphone hears in a room, apart and together, -1 to 1, and what the guard said of it."""

    ours: np.ndarray
    person: np.ndarray
    audible: list[bool]
    echo: list[bool]

    @property
    def both(self) -> np.ndarray:
        both: np.ndarray = self.ours + self.person
        return both

    @property
    def playing(self) -> np.ndarray:
        return np.repeat(self.audible, BLOCK_SAMPLES)


@functools.cache
def heard(seed: int, *, interrupts: bool = True) -> Heard:
    """A person asks, mybro answers, and the person speaks over it."""
    recorded = recordings(AUDIO)
    alone = scene(recorded, seed, person=True, echo=False)
    full = scene(recorded, seed, person=True)
    person = alone.heard / 32768
    asks = np.concatenate([person[at : at + 2 * SAMPLE_RATE] for at in alone.onsets[:2]])
    quiet = person[: SAMPLE_RATE // 2]
    before = np.concatenate([quiet, asks, quiet])[: 250 * BLOCK_SAMPLES]
    ours = (full.heard - alone.heard.astype(np.int32)) / 32768
    spoken = person if interrupts else np.resize(quiet, len(person))
    ours, person = np.concatenate([np.zeros(len(before)), ours]), np.concatenate([before, spoken])
    played = np.concatenate([np.zeros(len(before), np.int16), full.played])
    return Heard(ours, person, *_guarded(played, pcm(ours + person)))


def _guarded(played: np.ndarray, mixed: np.ndarray) -> tuple[list[bool], list[bool]]:
    guard, audible, echo = EchoGuard(), [], []
    for start in range(0, len(mixed) - BLOCK_SAMPLES, BLOCK_SAMPLES):
        for ahead in range(AHEAD_BLOCKS) if start == 0 else [AHEAD_BLOCKS - 1]:
            first = start + ahead * BLOCK_SAMPLES
            guard.played(1, first / SAMPLE_RATE, SAMPLE_RATE, played[first : first + BLOCK_SAMPLES])
        block = guard.clean(start / SAMPLE_RATE, mixed[start : start + BLOCK_SAMPLES].tobytes())
        audible.append(guard.audible)
        echo.append(block.echo)
    return audible, echo


def pcm(sound: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(sound, -1, 32767 / 32768) * 32768, "<i2")


def tried(heard: Heard, unit: np.ndarray, *, rate: int = SAMPLE_RATE, dies_s: float = 1e9) -> Verdict | None:
    """The verdict on a unit that delivers `unit`, DELAY late, in blocks of its own length."""
    trial = UnitTrial()
    plain, late = pcm(heard.both), pcm(np.concatenate([np.zeros(DELAY), unit]))
    given, size = 0, 512 * rate // SAMPLE_RATE
    for number, (audible, echo) in enumerate(zip(heard.audible, heard.echo, strict=True)):
        start = number * BLOCK_SAMPLES
        block = plain[start : start + BLOCK_SAMPLES].tobytes()
        trial.plain(100 + start / SAMPLE_RATE, block, audible=audible, echo=echo)
        while (given + 1) * 512 <= start and given * 512 / SAMPLE_RATE < dies_s:
            trial.unit(100 + given * 512 / SAMPLE_RATE, np.resize(late[given * 512 :][:512], size).tobytes())
            given += 1
        if verdict := trial.verdict():
            return verdict
    return None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("level", [0.4, 1.0])
def test_a_unit_that_cancels_is_proved(seed: int, level: float) -> None:
    room = heard(seed)
    verdict = tried(room, level * (0.03 * room.ours + room.person))
    assert verdict and verdict.result == "proved", verdict


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("level", [0.1, 0.25, 1.0])
def test_one_that_only_sets_the_level_is_not(seed: int, level: float) -> None:
    room = heard(seed)
    verdict = tried(room, level * room.both)
    assert verdict == Verdict("failed", "does not take mybro's own voice out")


@pytest.mark.parametrize("seed", SEEDS)
def test_one_that_takes_a_little_is_not(seed: int) -> None:
    room = heard(seed)
    verdict = tried(room, 0.4 * room.ours + room.person)
    assert verdict and verdict.result == "failed"


@pytest.mark.parametrize("seed", SEEDS)
def test_one_that_mutes_the_person_while_mybro_speaks_is_not(seed: int) -> None:
    room = heard(seed)
    playing = np.append(room.playing, np.zeros(len(room.ours) - len(room.playing), bool))
    verdict = tried(room, np.where(playing, 0.01, 1.0) * (0.03 * room.ours + room.person))
    assert verdict == Verdict("failed", "holds your voice down while mybro speaks")


def test_one_that_mutes_the_person_altogether_is_not() -> None:
    room = heard(SEEDS[0])
    hiss = 1e-3 * np.random.default_rng(0).standard_normal(len(room.ours))
    assert tried(room, 0.02 * room.person + hiss) == Verdict("failed", "does not let your voice through")


def test_without_an_interruption_there_is_no_proof() -> None:
    room = heard(SEEDS[0], interrupts=False)
    assert tried(room, 0.03 * room.ours + room.person) is None


def test_silence_is_known_soon() -> None:
    room = heard(SEEDS[0])
    assert tried(room, np.zeros(len(room.ours))) == Verdict("failed", "stays silent")
    assert tried(room, room.both, dies_s=-1) == Verdict("failed", "stays silent")


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
def test_a_wrong_rate_is_known(rate: int) -> None:
    room = heard(SEEDS[0])
    assert tried(room, room.person, rate=rate) == Verdict("failed", "delivers sound at a wrong rate")


def test_one_that_stops_is_known() -> None:
    room = heard(SEEDS[0])
    assert tried(room, room.person, dies_s=4) == Verdict("failed", "stopped delivering sound")


def test_one_that_clips_is_not() -> None:
    room = heard(SEEDS[0])
    loud = 60 * room.person
    assert tried(room, loud) == Verdict("failed", "distorts your voice")


def test_noise_is_no_voice() -> None:
    room = heard(SEEDS[0])
    verdict = tried(room, 0.02 * np.random.default_rng(0).standard_normal(len(room.ours)))
    assert verdict and verdict.result == "failed"


def test_nobody_is_waited_for_without_end() -> None:
    trial = UnitTrial()
    hum = np.asarray(50 * np.random.default_rng(0).standard_normal(SAMPLE_RATE), "<i2").tobytes()
    verdicts = []
    for second in range(1000):
        trial.unit(second, hum)
        trial.plain(second, hum, audible=False, echo=False)
        verdicts.append(trial.verdict())
    assert verdicts[-1] and verdicts[-1].result == "undecided"
    assert verdicts[600] is None
