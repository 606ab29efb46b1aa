"""How often a spoken sentence comes to the same intent as the typed one: clean, and with noise at 10 dB.

    python -m benchmarks.intent_parity_bench --json [--quick] [--audio DIR] [--model NAME] [--show]

DIR holds FLAC or WAV files (16 kHz, mono) and a *.jsonl whose lines have "file" and "text"; those of people
who read to others ("kind": "human…") are left out: they ask for nothing. What is spoken goes through
`mybro hear`, ear and all, the typed ones through the brain; no language model is asked. Intents are the same
where kind, action, agent and arguments are; names and messages count by their words, whatever their spelling.
The noise is white, pink, a fan's or a keyboard's, by turns.

Figures: clean and db10 (percent of sentences; peer: faster-whisper with its defaults instead of the ear and
the transcription, its words through the same brain; `of`: how many there was time for).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from benchmarks.harness import report
from benchmarks.stt_bench import AUDIO, Clip, clips, heard_by_peer, sample
from benchmarks.wer import normalise
from mybro import naming
from mybro.config import BrainSettings
from mybro.events import SAMPLE_RATE
from mybro.intent import Intent

QUICK = 24
SECONDS, QUICK_SECONDS = 150.0, 45.0
"""For hearing; a busy machine hears less in it."""
LEAST = 8
"""Recordings that are heard however long it takes."""
SNR_DB = 10.0
NOISES = ("white", "pink", "fan", "keyboard")
Sound = npt.NDArray[np.float64]


def noise(kind: str, size: int, chance: np.random.Generator) -> Sound:
    """Noise of one kind; its level is of no meaning."""
    white = chance.standard_normal(size)
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    spectrum = np.fft.rfft(white)
    match kind:
        case "pink":
            return np.asarray(np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 20)), size))
        case "fan":
            hum = sum(
                np.sin(2 * np.pi * 50 * tone * np.arange(size) / SAMPLE_RATE) / tone for tone in (1, 2, 3, 5)
            )
            low = np.fft.irfft(spectrum / (1 + (hertz / 300) ** 2), size)
            return np.asarray(low / low.std() + 0.7 * np.asarray(hum))
        case "keyboard":
            clicks = np.zeros(size)
            at = 0
            while (at := at + int(chance.uniform(0.08, 0.35) * SAMPLE_RATE)) < size - 400:
                clicks[at : at + 400] += chance.uniform(0.4, 1) * white[:400] * np.exp(-np.arange(400) / 60)
            return clicks + 0.02 * white
        case _:
            return white


def noisy(pcm: npt.NDArray[np.int16], kind: str, seed: int) -> npt.NDArray[np.int16]:
    """A recording with noise at SNR_DB below the speech in it."""
    sound = pcm / 32768
    loud = np.abs(sound) > 0.05 * np.abs(sound).max()
    added = noise(kind, len(sound), np.random.default_rng(seed))
    power = np.mean(sound[loud] ** 2) / 10 ** (SNR_DB / 10)
    mixed = sound + added * np.sqrt(power / np.mean(added**2))
    return np.asarray(np.clip(mixed, -1, 1) * 32767, np.int16)


def essence(intent: Intent | dict[str, Any]) -> dict[str, Any]:
    """What must be the same: kind, action, agent, and the words of the arguments."""
    body = intent.model_dump(mode="json") if isinstance(intent, Intent) else intent
    given = {}
    for name, value in (body.get("arguments") or {}).items():
        if value is None:
            continue
        spelled = (
            normalise(value)
            if name == "message"
            else " ".join(naming.parts(value))
            if isinstance(value, str)
            else value
        )
        given[name] = str(spelled).replace(" ", "")
    return {"kind": body["kind"], "action": body.get("action"), "agent": body.get("agent"), **given}


class Program:
    """`mybro hear` over files, in a process of its own; used as a context."""

    def __init__(self, files: Sequence[Path], model: str) -> None:
        options = ["--json", "--stt", "faster-whisper", "--model", model]
        command = [sys.executable, "-m", "mybro", "hear", *options, *map(str, files)]
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._intents: list[list[dict[str, Any]]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait(self, seconds: float) -> bool:
        """Until all files are done, or until so much time has passed: whether they are done.

        Exits where the program failed.
        """
        self._reader.join(max(0.0, seconds))
        if self._reader.is_alive():
            return False
        if self._child.wait():
            raise SystemExit("mybro hear failed")
        return True

    @property
    def heard(self) -> list[list[dict[str, Any]]]:
        """The intents of each file that is done."""
        return self._intents[: -1 if self._reader.is_alive() else None]

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._reader.join()
        self._child.communicate()

    def _read(self) -> None:
        for line in map(json.loads, self._child.stdout or ()):
            if line["event"] == "SourceOpened":
                self._intents.append([])
            elif line["event"] == "Intent":
                self._intents[-1].append(line["intent"])


async def typed(texts: Sequence[str]) -> list[Intent]:
    """What the same brain makes of sentences as they are written."""
    from mybro.brain.brain import Brain
    from mybro.clock import MonotonicClock

    brain = Brain(BrainSettings(provider="none"), MonotonicClock())
    return [await brain.understand(text) for text in texts]


def measure(
    chosen: Sequence[Clip], model: str, *, seconds: float, show: bool
) -> tuple[dict[str, Any], list[str]]:
    """The figures, of as many recordings as can be heard in so much time but at least LEAST, and notes."""
    began = time.monotonic()
    wanted = [essence(intent) for intent in asyncio.run(typed([clip.text for clip in chosen]))]
    with tempfile.TemporaryDirectory() as folder:
        # Turn about, so that both conditions get as far.
        used = [
            each for at, clip in enumerate(chosen) for each in (clip, _with_noise(clip, at, Path(folder)))
        ]
        with Program([clip.path for clip in used], model) as program:
            theirs = _heard_by_peer(used, model, began + seconds)
            program.wait(began + seconds - time.monotonic())
            while len(program.heard) < 2 * LEAST and not program.wait(1.0):
                pass
            ours = program.heard
    figures, notes = {}, []
    for first, name in enumerate(("clean", "db10")):
        mine = [
            len(intents) == 1 and essence(intents[0]) == expected
            for intents, expected in zip(ours[first::2], wanted, strict=False)
        ]
        other = [
            essence(their) == expected for their, expected in zip(theirs[first::2], wanted, strict=False)
        ]
        both = min(len(mine), len(other))
        figures[name] = {
            "unit": "percent", "ours": _percent(mine), "peer": _percent(other),
            "ratio": round(sum(mine[:both]) / max(1, sum(other[:both])), 3),
            "of": {"ours": len(mine), "peer": len(other)},
        }  # fmt: skip
        for at, same in enumerate(mine):
            if show or not same:
                got = [f"{one['text']!r} {essence(one)}" for one in ours[first::2][at]]
                mark, clip = " " if same else "-", chosen[at]
                notes.append(f"{mark} {name} {clip.path.stem}: {clip.text!r} {wanted[at]}: {'; '.join(got)}")
    return figures, notes


def _heard_by_peer(used: Sequence[Clip], model: str, until: float) -> list[Intent]:
    """What the brain makes of faster-whisper's words; of the first two at least, then of all that fit."""
    from faster_whisper import WhisperModel

    from mybro.models import resolve

    # The words are the same with one thread, and the other core is ours.
    peer = WhisperModel(str(resolve("faster-whisper", model).path), device="cpu", cpu_threads=1)
    texts: list[str] = []
    for at in range(0, len(used), 2):
        if at and time.monotonic() > until:
            break
        texts += heard_by_peer(used[at : at + 2], peer)
    return asyncio.run(typed(texts))


def _percent(same: Sequence[bool]) -> float:
    return round(100 * sum(same) / len(same), 1)


def _with_noise(clip: Clip, at: int, folder: Path) -> Clip:
    pcm = noisy(clip.pcm, NOISES[at % len(NOISES)], at)
    path = folder / f"{at:03}_{clip.path.stem}.wav"
    soundfile.write(str(path), pcm, SAMPLE_RATE, subtype="PCM_16")
    return Clip(path, clip.text, clip.human, pcm)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intent_parity_bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} recordings at most, in about a minute")
    parser.add_argument("--show", action="store_true", help="a note for each sentence, not only for misses")
    parser.add_argument("--audio", type=Path, default=AUDIO, help="a folder of recordings and their list")
    parser.add_argument("--model", default="tiny.en")
    asked = parser.parse_args()
    chosen = [clip for clip in clips(asked.audio) if not clip.human]
    # Shuffled, so that those for which there is time are like all.
    chosen = sample(chosen, QUICK if asked.quick else len(chosen))
    seconds = QUICK_SECONDS if asked.quick else SECONDS
    figures, notes = measure(chosen, asked.model, seconds=seconds, show=asked.show)
    report(figures, as_json=asked.json, notes=notes)


if __name__ == "__main__":
    main()
