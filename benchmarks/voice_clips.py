"""Recordings for the measurement of latency: where their speech ends, what they ask for, and with pauses."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from benchmarks.room import any_room, convolved
from mybro.brain.classify import classify
from mybro.brain.grammar import parse
from mybro.events import SAMPLE_RATE
from mybro.intent import Action
from tests.audio_tools import add_noise, zeros

Pcm = npt.NDArray[np.int16]
Group = Literal["complete", "sentence"]

PAUSES_S = (0.3, 1.2)
SNR_DB = 15.0
LEAD_S, TAIL_S = 0.7, 2.5
MANY_WORDS = 9
"""Sentences of so many words get two pauses."""
_EFFECTIVE = frozenset({Action.TEST, Action.GIT_STATUS, Action.DIFF, Action.COMMIT, Action.RENAME})
"""Commands of the local grammar that do something outside without a question."""
_LOUD_DB, _NOISE_DB = -35.0, 12.0
"""Decibels below the loudest stretch, and above the quietest tenth: what is louder than both is speech."""
_FRAME = SAMPLE_RATE // 100


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording."""

    name: str
    text: str
    group: Group
    """complete: a command that can be undone; sentence: work for a coding session."""
    pcm: Pcm
    last: int
    """Index of the last sample of speech."""
    pauses_ms: tuple[int, ...] = ()

    @property
    def seconds(self) -> float:
        return len(self.pcm) / SAMPLE_RATE


def clips(folder: Path) -> tuple[list[Clip], int]:
    """The recordings of a folder that can be measured, and how many cannot, having no effect outside."""
    found: list[Clip] = []
    left_out = 0
    for listing in sorted(folder.glob("*.jsonl")):
        for line in filter(str.strip, listing.read_text().splitlines()):
            row = json.loads(line)
            path = folder / row["file"]
            group = _group(row.get("text", ""))
            if group is None or not path.is_file():
                left_out += 1
                continue
            pcm = read(path)
            last = row.get("last_speech_sample", end_of_speech(pcm))
            found.append(Clip(row["file"], row["text"], group, pcm, last))
    if not found:
        raise SystemExit(f"{folder}: no recordings with a list (*.jsonl) that can be measured")
    return found, left_out


def read(path: Path) -> Pcm:
    """A recording of any rate and any number of channels, at 16 kHz and mono."""
    sound, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    mono = soxr.resample(sound.mean(axis=1), rate, SAMPLE_RATE)
    return np.asarray(np.clip(mono, -1, 1) * 32767, np.int16)


def _group(text: str) -> Group | None:
    known = parse(text)
    if known is not None:
        return "complete" if known.action in _EFFECTIVE and not known.needs_confirmation else None
    judged = classify(text)
    return None if judged.needs_confirmation or judged.kind == "chat" else "sentence"


def end_of_speech(pcm: Pcm) -> int:
    """The last sample of the last 10 ms that are loud enough to be speech."""
    levels = _levels(pcm)
    quiet = float(np.percentile(levels, 10))
    least = min(max(levels.max() + _LOUD_DB, quiet + _NOISE_DB), levels.max() - 10)
    return int((np.flatnonzero(levels >= least)[-1] + 1) * _FRAME) - 1


def _levels(pcm: Pcm) -> npt.NDArray[np.float64]:
    frames = pcm[: len(pcm) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    levels: npt.NDArray[np.float64] = 10 * np.log10((frames**2).mean(axis=1) + 1e-3)
    return levels


def with_pauses(chosen: Sequence[Clip], model: Any, seed: int) -> list[Clip]:
    """The same with quiet at word boundaries: where the recogniser hears them, in the quietest 10 ms."""
    rng = random.Random(seed)
    made = (_pausing(clip, _boundaries(clip, model), rng) for clip in chosen)
    return [clip for clip in made if clip is not None]


def _boundaries(clip: Clip, model: Any) -> list[int]:
    sound = clip.pcm.astype(np.float32) / 32768
    segments = model.transcribe(sound, word_timestamps=True, language="en")[0]
    words = [word for segment in segments for word in segment.words or ()]
    levels = _levels(clip.pcm)
    found = []
    for word, after in pairwise(words):
        middle = int((word.end + after.start) / 2 * 100)
        first = max(middle - 6, 0)
        near = levels[first : middle + 7]
        if len(near):
            found.append((first + int(near.argmin())) * _FRAME + _FRAME // 2)
    return [at for at in dict.fromkeys(found) if 0.25 * SAMPLE_RATE < at < clip.last - 0.25 * SAMPLE_RATE]


def _pausing(clip: Clip, boundaries: list[int], rng: random.Random) -> Clip | None:
    wanted = min(len(boundaries), 2 if len(clip.text.split()) >= MANY_WORDS else 1)
    if not wanted:
        return None
    pcm, last = clip.pcm, clip.last
    lengths = []
    for at in sorted(rng.sample(boundaries, wanted), reverse=True):
        length = rng.uniform(*PAUSES_S)
        quiet = room(int(length * SAMPLE_RATE), rng.randrange(1 << 30))
        pcm = np.concatenate([pcm[:at], quiet, pcm[at:]])
        last += len(quiet)
        lengths.append(round(length * 1000))
    return replace(clip, pcm=pcm, last=last, pauses_ms=tuple(reversed(lengths)))


def in_rooms(chosen: Sequence[Clip], seed: int) -> list[Clip]:
    """The same said in rooms with an echo, in noise that is there before and goes on afterwards."""
    rng = np.random.default_rng(seed)
    found = []
    for clip in chosen:
        place, _, microphone, person = any_room(rng)
        heard = convolved(clip.pcm.astype(np.float64), place.response(person, microphone))[: len(clip.pcm)]
        loud = np.sqrt(np.mean(clip.pcm.astype(np.float64) ** 2) / np.mean(heard**2))
        said = np.clip(heard * loud, -32768, 32767).astype(np.int16)
        before, after = zeros(LEAD_S), zeros(TAIL_S)
        pcm = add_noise(np.concatenate([before, said, after]), "white", SNR_DB, rng)
        found.append(replace(clip, pcm=pcm, last=clip.last + len(before)))
    return found


def room(samples: int, seed: int) -> Pcm:
    """A quiet room."""
    return np.random.default_rng(seed).integers(-8, 9, samples).astype(np.int16)


def sample(everything: Sequence[Clip], count: int) -> list[Clip]:
    """Some of them, always the same, in both groups alike as far as there are any."""
    rng = random.Random(1)
    chosen: list[Clip] = []
    for group, share in (("complete", count // 2), ("sentence", count - count // 2)):
        members = [clip for clip in everything if clip.group == group]
        chosen += rng.sample(members, min(share, len(members)))
    return chosen
