"""How often a spoken sentence comes to the same intent as the typed one: clean, and with noise at 10 dB.

    python -m benchmarks.intent_parity_bench --json [--quick] [--audio DIR] [--model NAME] [--show]

DIR holds FLAC or WAV files (16 kHz, mono) and a *.jsonl whose lines have "file" and "text"; those of people
who read to others ("kind": "human…") are left out: they ask for nothing. What is spoken goes through
`mybro hear`, ear and all, the typed ones through the brain; no language model is asked. Intents are the same
where kind, action, agent and arguments are; names and messages count by their words, whatever their spelling.
The noise is white, pink, a fan's or a keyboard's, by turns.

Figures: clean and db10 (percent of sentences; peer: faster-whisper with its defaults instead of the ear and
the transcription, its words through the same brain).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
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


def heard(files: Sequence[Path], model: str) -> list[list[dict[str, Any]]]:
    """The intents that `mybro hear` comes to for each file, and what it heard as their text."""
    command = [sys.executable, "-m", "mybro", "hear", "--json", "--stt", "faster-whisper", "--model", model]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"mybro hear failed: {done.stderr.strip()}")
    found: list[list[dict[str, Any]]] = []
    for line in map(json.loads, done.stdout.splitlines()):
        if line["event"] == "SourceOpened":
            found.append([])
        elif line["event"] == "Intent":
            found[-1].append(line["intent"])
    return found


async def typed(texts: Sequence[str]) -> list[Intent]:
    """What the same brain makes of sentences as they are written."""
    from mybro.brain.brain import Brain
    from mybro.clock import MonotonicClock

    brain = Brain(BrainSettings(provider="none"), MonotonicClock())
    return [await brain.understand(text) for text in texts]


def measure(chosen: Sequence[Clip], model: str, *, show: bool) -> tuple[dict[str, Any], list[str]]:
    from faster_whisper import WhisperModel

    from mybro.models import resolve

    peer = WhisperModel(str(resolve("faster-whisper", model).path), device="cpu")
    wanted = [essence(intent) for intent in asyncio.run(typed([clip.text for clip in chosen]))]
    figures, notes = {}, []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("clean", "db10"):
            used = list(chosen)
            if name == "db10":
                used = [_with_noise(clip, at, Path(folder)) for at, clip in enumerate(chosen)]
            ours = heard([clip.path for clip in used], model)
            theirs = asyncio.run(typed(heard_by_peer(used, peer)))
            good = other = 0
            for clip, intents, their, expected in zip(chosen, ours, theirs, wanted, strict=True):
                same = len(intents) == 1 and essence(intents[0]) == expected
                good += same
                other += essence(their) == expected
                if show or not same:
                    got = [f"{one['text']!r} {essence(one)}" for one in intents]
                    mark = " " if same else "-"
                    notes.append(
                        f"{mark} {name} {clip.path.stem}: {clip.text!r} {expected}: {'; '.join(got)}"
                    )
            figures[name] = {
                "unit": "percent", "ours": round(100 * good / len(chosen), 1),
                "peer": round(100 * other / len(chosen), 1), "ratio": round(good / max(1, other), 3),
                "of": len(chosen),
            }  # fmt: skip
    return figures, notes


def _with_noise(clip: Clip, at: int, folder: Path) -> Clip:
    pcm = noisy(clip.pcm, NOISES[at % len(NOISES)], at)
    path = folder / f"{at:03}_{clip.path.stem}.wav"
    soundfile.write(str(path), pcm, SAMPLE_RATE, subtype="PCM_16")
    return Clip(path, clip.text, clip.human, pcm)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intent_parity_bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} recordings")
    parser.add_argument("--show", action="store_true", help="a note for each sentence, not only for misses")
    parser.add_argument("--audio", type=Path, default=AUDIO, help="a folder of recordings and their list")
    parser.add_argument("--model", default="tiny.en")
    asked = parser.parse_args()
    chosen = [clip for clip in clips(asked.audio) if not clip.human]
    if asked.quick:
        chosen = sample(chosen, QUICK)
    figures, notes = measure(chosen, asked.model, show=asked.show)
    report(figures, as_json=asked.json, notes=notes)


if __name__ == "__main__":
    main()
