"""A conversation in a simulated room: mybro's voice from a loudspeaker, and a person who speaks over it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.recordings import Recording
from benchmarks.room import Wave, any_room, at_level, convolved, small_loudspeaker
from mybro.audio.guard import EchoGuard
from mybro.audio.hearing import Hearing
from mybro.audio.onset import Onset
from mybro.audio.source import BLOCK_SAMPLES
from mybro.config import AudioSettings
from mybro.events import SAMPLE_RATE, AudioBlock, Event
from tests.audio_tools import Pcm

SENTENCES = 6
DELAY_S = (0.02, 0.3)
ECHO_DBFS = (-22.0, -10.0)
"""A loudspeaker at full volume beside the microphone: the loudest rooms clip the microphone as well."""
PERSON_DB = (-8.0, 5.0)
"""The person, relative to the echo of full volume."""
CLOCKS_S = 0.004
"""Each stretch of sound is out of step by up to this much, as streams that are opened anew are."""
ROOM_DBFS = -65.0
AHEAD_BLOCKS = 3
"""How long before it sounds a device is given its samples."""
TURNED_DB = 6.0
TURNED_S = 0.2
AUDIBLE_DB = 6.0
"""A person is audible from the first 5 ms in which their voice, as it reaches the microphone, is so much
louder than the room's noise: a recording may begin with a breath that nobody could hear. The echo, which may
drown more than that, is not counted as noise."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is played and what is heard, 16 kHz."""

    played: Pcm
    heard: Pcm
    sentences: list[tuple[int, int]]
    """Where mybro speaks: indices of the first sample and after the last."""
    onsets: list[int]
    """Where the person begins to be audible."""


def scene(
    recorded: Sequence[Recording], seed: int, *, person: bool, echo: bool = True, softer_db: float = 0.0
) -> Scene:
    """One of endlessly many. The same seed gives the same room, sentences and interruptions.

    The loudspeaker is `softer_db` below full volume, or there is none (`echo`); the person stays as loud.
    """
    rng = np.random.default_rng(seed)
    voice = str(rng.choice(sorted({each.voice for each in recorded})))
    ours = [each.pcm for each in recorded if each.voice == voice]
    theirs: list[Pcm] = [each.pcm for each in recorded if each.voice != voice] or ours
    said, sentences = _said(ours, rng)
    room, loudspeaker, microphone, somebody = any_room(rng)
    turned = said * _turned(len(said), sentences, rng)
    late = np.concatenate([np.zeros(int(rng.uniform(*DELAY_S) * SAMPLE_RATE)), turned])[: len(said)]
    level = rng.uniform(*ECHO_DBFS)
    out = small_loudspeaker(late, rng.uniform(0.5, 1.5))
    heard = at_level(convolved(out, room.response(loudspeaker, microphone)), level - softer_db)
    onsets = []
    speech = np.zeros(len(said))
    response = room.response(somebody, microphone)
    for begin, end in sentences:
        words = theirs[int(rng.integers(len(theirs)))][: 3 * SAMPLE_RATE] / 32768
        at = int(rng.uniform(begin + SAMPLE_RATE // 2, max(begin + SAMPLE_RATE // 2 + 1, end - SAMPLE_RATE)))
        loud = at_level(
            convolved(np.append(words, np.zeros(4000)), response), level + rng.uniform(*PERSON_DB)
        )
        onsets.append(at + _audible(loud))
        speech[at : at + len(loud)] += loud[: len(said) - at]
    quiet = 10 ** (ROOM_DBFS / 20) * rng.standard_normal(len(said))
    mixed = heard * echo + speech * person + quiet
    played = _out_of_step(said, sentences, rng)
    return Scene(_pcm(played), _pcm(mixed), sentences, onsets if person else [])


def _said(ours: Sequence[Pcm], rng: np.random.Generator) -> tuple[Wave, list[tuple[int, int]]]:
    parts: list[Wave] = [np.zeros(SAMPLE_RATE)]
    sentences = []
    at = SAMPLE_RATE
    for _ in range(SENTENCES):
        words: Wave = np.zeros(0)
        while len(words) < 3 * SAMPLE_RATE:
            words = np.concatenate([words, ours[int(rng.integers(len(ours)))] / 32768])
        words = words[: 6 * SAMPLE_RATE] / np.abs(words).max() * 0.8
        gap = np.zeros(int(rng.uniform(0.8, 2.0) * SAMPLE_RATE))
        sentences.append((at, at + len(words)))
        at += len(words) + len(gap)
        parts += [words, gap]
    return np.concatenate(parts), sentences


def _turned(length: int, sentences: Sequence[tuple[int, int]], rng: np.random.Generator) -> Wave:
    """Somebody turns the volume now and then, which takes a moment."""
    decibels = np.zeros(length)
    for begin, end in sentences:
        if rng.random() < 0.4:
            decibels[rng.integers(begin, end) :] = rng.uniform(-TURNED_DB, TURNED_DB)
    width = int(TURNED_S * SAMPLE_RATE)
    smooth = np.convolve(decibels, np.full(width, 1 / width))[:length]
    return np.asarray(10 ** (smooth / 20))


def _out_of_step(said: Wave, sentences: Sequence[tuple[int, int]], rng: np.random.Generator) -> Wave:
    out = np.zeros(len(said))
    for begin, end in sentences:
        shift = int(rng.uniform(-CLOCKS_S, CLOCKS_S) * SAMPLE_RATE)
        out[begin + shift : end + shift] = said[begin:end]
    return out


def _audible(loud: Wave) -> int:
    """Index of the first sample of a voice that stands out from the room's noise."""
    size = SAMPLE_RATE // 200
    slices = loud[: len(loud) // size * size].reshape(-1, size)
    heard = (slices**2).mean(axis=1) > 10 ** ((ROOM_DBFS + AUDIBLE_DB) / 10)
    return int(np.argmax(heard)) * size


def _pcm(sound: Wave) -> Pcm:
    return np.asarray(np.clip(sound, -1, 1) * 32767, np.int16)


@dataclass(frozen=True, slots=True)
class Reaction:
    """One block, as the sound process and the ear take it."""

    end: int
    """Index of the first sample not yet heard: the earliest time at which anything can be done."""
    soft: bool
    """Whether the voice is softened."""
    events: list[Event]


def reactions(scene: Scene, hearing: Hearing, *, guarded: bool) -> Iterator[Reaction]:
    """What is made of a scene, block by block, by the same parts as in a session."""
    guard, onset = EchoGuard(), Onset()
    stream = 0
    size = BLOCK_SAMPLES
    for index in range(len(scene.heard) // size):
        start = index * size
        for ahead in range(AHEAD_BLOCKS) if index == 0 else [AHEAD_BLOCKS - 1]:
            first = start + ahead * size
            part = scene.played[first : first + size]
            stream += any(begin <= first < begin + size for begin, _ in scene.sentences)
            guard.played(stream, first / SAMPLE_RATE, SAMPLE_RATE, part)
        pcm = scene.heard[start : start + size].tobytes()
        echo, stirs = False, True
        if guarded:
            pcm, echo, stirs = guard.clean(start / SAMPLE_RATE, pcm)
        soft = onset.hear(pcm, may_be_voice=stirs)
        yield Reaction(
            start + size, soft, list(hearing.hear(AudioBlock(start, pcm, echo, soft, soft and onset.certain)))
        )


def new_hearing() -> Hearing:
    from mybro.audio.detector import SileroDetector

    turns = iter(range(1, 1_000_000))
    return Hearing(AudioSettings(), SileroDetector(), turns.__next__, live=False)
