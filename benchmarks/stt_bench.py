"""Our way from sound to text beside faster-whisper's own, on the same weights and recordings, in one run.

    python -m benchmarks.stt_bench --json [--quick] [--audio DIR] [--backend NAME] [--model NAME]

Ours goes the whole way that the program goes: through the service, the socket, the worker and the guards.
The peer is `faster_whisper.WhisperModel(weights).transcribe(sound)` with its defaults. DIR holds FLAC or WAV
files (16 kHz, mono) and a *.jsonl whose lines have "file" and "text".
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from benchmarks.harness import Stopwatch, beside, report
from benchmarks.wer import score
from mybro.config import TranscribeSettings
from mybro.events import SAMPLE_RATE, AudioBlock
from mybro.models import resolve
from mybro.transcribe.service import Transcription

AUDIO = Path(__file__).parents[1] / "tests" / "audio"
QUICK = 12


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording and what is said in it."""

    name: str
    text: str
    pcm: npt.NDArray[np.int16]


def clips(folder: Path) -> list[Clip]:
    """Every recording that a list in the folder names."""
    found: dict[str, Clip] = {}
    for listing in sorted(folder.glob("*.jsonl")):
        for line in listing.read_text().splitlines():
            row = json.loads(line)
            path = folder / row["file"]
            if row["file"] in found or not path.is_file():
                continue
            pcm, rate = soundfile.read(str(path), dtype="int16")
            if rate != SAMPLE_RATE or pcm.ndim != 1:
                raise SystemExit(f"{path}: 16 kHz mono is needed")
            found[row["file"]] = Clip(row["file"], row["text"], pcm)
    if not found:
        raise SystemExit(f"{folder}: no list of recordings (*.jsonl)")
    return list(found.values())


async def measure(
    chosen: list[Clip], backend: str, model: str, rounds: int
) -> tuple[dict[str, Any], list[str]]:
    """The figures, and a note for each sentence that one side hears better."""
    from faster_whisper import WhisperModel

    settings = TranscribeSettings.model_validate({"backend": backend, "model": model})
    peer = WhisperModel(str(resolve("faster-whisper", model).path), device="cpu")
    service = Transcription(settings)
    await service.start()
    watch = Stopwatch()
    heard: dict[str, tuple[str, str]] = {}
    worked: list[float] = []
    try:
        number = 0
        for _ in range(rounds):
            for clip in chosen:
                number += 1
                with watch("ours"):
                    ours = await service.transcribe(number, number, AudioBlock(0, clip.pcm.tobytes()))
                sound = clip.pcm.astype(np.float32) / 32768
                with watch("peer"):
                    theirs = " ".join(segment.text.strip() for segment in peer.transcribe(sound)[0])
                if ours is None:
                    raise SystemExit(f"{clip.name}: no answer")
                worked.append(ours.processing_ms)
                heard[clip.name] = (ours.text, theirs)
    finally:
        await service.aclose()
    wer_ours = score((clip.text, heard[clip.name][0]) for clip in chosen)
    wer_peer = score((clip.text, heard[clip.name][1]) for clip in chosen)
    spent = watch.spread("ours")
    figures = {
        "over_faster_whisper": beside(spent, watch.spread("peer")),
        "wer_delta": {
            "unit": "percent",
            "ours": round(wer_ours.percent, 2),
            "peer": round(wer_peer.percent, 2),
            "delta": round(wer_ours.percent - wer_peer.percent, 2),
            "ratio": round(wer_ours.percent / max(wer_peer.percent, 0.01), 3),
            "words": wer_ours.words,
            "exact": {"ours": wer_ours.exact, "peer": wer_peer.exact, "of": wer_ours.sentences},
        },
        "way_to_the_worker": {
            "unit": "ms",
            "ours": round(spent.median - float(np.median(worked)), 2),
        },
    }
    return figures, [f"{clip.text!r}: ours {heard[clip.name][0]!r}" for clip in chosen if _worse(clip, heard)]


def _worse(clip: Clip, heard: dict[str, tuple[str, str]]) -> bool:
    ours, theirs = heard[clip.name]
    return score([(clip.text, ours)]).errors > score([(clip.text, theirs)]).errors


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stt_bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} recordings, once")
    parser.add_argument("--audio", type=Path, default=AUDIO, help="a folder of recordings and their list")
    parser.add_argument("--backend", default="faster-whisper", choices=("faster-whisper", "mlx-whisper"))
    parser.add_argument("--model", default="tiny.en")
    asked = parser.parse_args()
    chosen = clips(asked.audio)
    if asked.quick and len(chosen) > QUICK:
        chosen = random.Random(1).sample(chosen, QUICK)
    figures, notes = asyncio.run(measure(chosen, asked.backend, asked.model, rounds=1 if asked.quick else 3))
    report(figures, as_json=asked.json, notes=notes)


if __name__ == "__main__":
    main()
