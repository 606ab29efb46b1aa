"""Nothing said is lost, however it comes: labelled speech against what the ear captures."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from mybro.audio.ear import Ear
from mybro.config import AudioSettings
from mybro.events import SAMPLE_RATE, AudioBlock, Event, SpeechEnded
from tests.audio_tools import (
    HOP,
    Pcm,
    add_noise,
    dev_clips,
    noise,
    read_pcm,
    speech_bounds,
    speech_mask,
    trimmed,
    zeros,
)
from tests.fakes.audio import MemorySource
from tests.trials import share

pytestmark = pytest.mark.trial

KINDS = ("from sample 0", "after a pause", "after dead zeros", "in noise")
NOISES = (("white", 20.0), ("white", 10.0), ("clicks", 20.0), ("clicks", 10.0))
QUIETEST_DB = -18.0
CASES = list(range(1000))
ENDS_S = {"human_jfk": 10.5}
"""Where the level misleads: after the last word of this recording the crowd gets louder and louder."""


@dataclass(frozen=True)
class Clip:
    """A recording's speech alone, and whether its pauses are so clean that the level tells them."""

    pcm: Pcm
    clean: bool


@dataclass(frozen=True)
class Case:
    """Sound, and the samples in it where a person was certainly speaking."""

    pcm: Pcm
    labels: tuple[int, ...]
    live: bool


@functools.cache
def clips() -> tuple[Clip, ...]:
    found = []
    for recording in dev_clips():
        pcm = read_pcm(recording.path)
        if end := ENDS_S.get(recording.path.stem):
            pcm = pcm[: round(end * SAMPLE_RATE)]
        found.append(Clip(trimmed(pcm), recording.kind == "synthetic"))
    return tuple(found)


def labels(clip: Clip, start: int) -> list[int]:
    """The onset, the end, and every 10 ms of speech between where they can be told."""
    found = [start + at for at in speech_bounds(clip.pcm)]
    if clip.clean:
        hops = np.flatnonzero(speech_mask(clip.pcm))
        found += [start + int(hop) * HOP for hop in hops] + [start + int(hop + 1) * HOP for hop in hops]
    return found


def case(number: int) -> Case:
    rng = np.random.default_rng(number)
    kind = KINDS[number % len(KINDS)]
    first, second = (clips()[i] for i in rng.choice(len(clips()), 2, replace=False))
    gain = 10 ** (rng.uniform(QUIETEST_DB, 0.0) / 20)
    tail = noise(1.0, rng)
    match kind:
        case "from sample 0":
            parts: list[Pcm | Clip] = [first, tail]
        case "after a pause":
            parts = [
                noise(rng.uniform(0.3, 3.0), rng),
                first,
                noise(rng.uniform(0.3, 3.0), rng),
                second,
                tail,
            ]
        case "after dead zeros":
            parts = [zeros(0.7), first, tail]
        case _:
            parts = [
                noise(rng.uniform(0.0, 2.0), rng),
                first,
                noise(rng.uniform(0.3, 3.0), rng),
                second,
                tail,
            ]
    sound, wanted, at = [], [], 0
    for part in parts:
        if isinstance(part, Clip):
            wanted += labels(part, at)
            sound.append(np.asarray(part.pcm * gain, np.int16))
        else:
            sound.append(part)
        at += len(sound[-1])
    pcm = np.concatenate(sound)
    if kind == "in noise":
        how, snr = NOISES[number // len(KINDS) % len(NOISES)]
        pcm = add_noise(pcm, how, snr, rng)
    return Case(pcm, tuple(wanted), live=bool(number // len(KINDS) % 2))


async def captured(sound: Case, settings: AudioSettings) -> list[AudioBlock]:
    segments: list[AudioBlock] = []

    async def take(event: Event) -> None:
        if isinstance(event, SpeechEnded):
            segments.append(event.utterance.audio)

    ear = Ear(settings, take, itertools.count(1).__next__)
    await ear.listen(MemorySource(sound.pcm.tobytes(), live=sound.live))
    return segments


async def test_every_labelled_sample_lies_inside_what_is_captured() -> None:
    lost: dict[str, list[float]] = {}
    numbers = share(CASES, 4)
    for number in numbers:
        sound = case(number)
        segments = await captured(sound, AudioSettings())
        missed = [at for at in sound.labels if not any(s.start <= at <= s.end for s in segments)]
        if missed:
            seconds = [round(at / SAMPLE_RATE, 2) for at in missed]
            lost[f"{number}: {KINDS[number % len(KINDS)]}"] = seconds
    assert len(numbers) >= 100
    assert lost == {}
