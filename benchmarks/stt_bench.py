"""Our way from sound to text beside faster-whisper's own, on the same weights and recordings, in one run.

    python -m benchmarks.stt_bench --json [--quick] [--audio DIR] [--backend NAME] [--model NAME]

The words are those of `mybro hear`: ear, service, worker and guards, each turn that the ear makes of a
recording. The times are those of the service with the whole recording at once. The peer is
`faster_whisper.WhisperModel(weights).transcribe(sound)` with its defaults. DIR holds FLAC or WAV files
(16 kHz, mono) and a *.jsonl whose lines have "file" and "text", and may have "kind": "human…".

Figures: over_faster_whisper (ms for a recording), wer_delta and wer_human (percent of words, all recordings
and those of people), int8_over_float32 (percent of words, ours against ours in float32), way_to_the_worker
(ms of a request that are not the recogniser's).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
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
QUICK = 16


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording and what is said in it."""

    path: Path
    text: str
    human: bool
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
            found[row["file"]] = Clip(path, row["text"], row.get("kind", "").startswith("human"), pcm)
    if not found:
        raise SystemExit(f"{folder}: no list of recordings (*.jsonl)")
    return list(found.values())


def heard_by_program(
    files: Sequence[Path], backend: str, model: str, env: Mapping[str, str] | None = None
) -> list[str]:
    """What `mybro hear` makes of each recording: the texts of its turns."""
    command = [sys.executable, "-m", "mybro", "hear", "--json", "--stt", backend, "--model", model]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        raise SystemExit(f"mybro hear failed: {done.stderr.strip()}")
    texts: list[list[str]] = []
    for line in map(json.loads, done.stdout.splitlines()):
        if line["event"] == "SourceOpened":
            texts.append([])
        elif line["event"] == "Transcript" and line["final"]:
            texts[-1].append(line["text"])
    return [" ".join(filter(None, turns)) for turns in texts]


def heard_by_peer(chosen: Sequence[Clip], peer: Any, watch: Stopwatch | None = None) -> list[str]:
    """What faster-whisper with its defaults makes of each recording."""
    watch = watch or Stopwatch()
    texts = []
    for clip in chosen:
        sound = clip.pcm.astype(np.float32) / 32768
        with watch("peer"):
            texts.append(" ".join(segment.text.strip() for segment in peer.transcribe(sound)[0]))
    return texts


async def heard_by_service(
    chosen: Sequence[Clip], settings: TranscribeSettings, watch: Stopwatch, worked: list[float]
) -> list[str]:
    """What the service makes of each recording; `worked` gets the recogniser's own milliseconds."""
    service = Transcription(settings)
    texts = []
    try:
        await service.start()
        for number, clip in enumerate(chosen):
            with watch("ours"):
                heard = await service.transcribe(number, number, AudioBlock(0, clip.pcm.tobytes()))
            if heard is None:
                raise SystemExit(f"{clip.path.name}: no answer")
            worked.append(heard.processing_ms)
            texts.append(heard.text)
    finally:
        await service.aclose()
    return texts


def compare(chosen: Sequence[Clip], ours: Sequence[str], peer: Sequence[str]) -> dict[str, Any]:
    """Two word error rates in percent, their difference in points, their ratio (below 1: ours is better)."""
    one, other = (
        score((clip.text, text) for clip, text in zip(chosen, texts, strict=True)) for texts in (ours, peer)
    )
    return {
        "unit": "percent",
        "ours": round(one.percent, 2),
        "peer": round(other.percent, 2),
        "delta": round(one.percent - other.percent, 2),
        "ratio": round(one.percent / max(other.percent, 0.01), 3),
        "words": one.words,
        "exact": {"ours": one.exact, "peer": other.exact, "of": one.sentences},
    }


async def measure(
    chosen: list[Clip], backend: str, model: str, rounds: int
) -> tuple[dict[str, Any], list[str]]:
    """The figures, and a note for each recording that the peer hears better."""
    from faster_whisper import WhisperModel

    peer = WhisperModel(str(resolve("faster-whisper", model).path), device="cpu")
    settings = TranscribeSettings.model_validate({"backend": backend, "model": model})
    exact = settings.model_copy(update={"compute_type": "float32"})
    watch, worked = Stopwatch(), list[float]()
    # Turn about, so that both meet the same machine.
    for _ in range(rounds):
        usual = await heard_by_service(chosen, settings, watch, worked)
        theirs = heard_by_peer(chosen, peer, watch)
    in_float32 = await heard_by_service(chosen, exact, Stopwatch(), [])
    ours = heard_by_program([clip.path for clip in chosen], backend, model)
    spent = watch.spread("ours")
    figures = {
        "over_faster_whisper": beside(spent, watch.spread("peer")),
        "wer_delta": compare(chosen, ours, theirs),
    }
    people = [index for index, clip in enumerate(chosen) if clip.human]
    if people:
        figures["wer_human"] = compare(
            [chosen[index] for index in people],
            [ours[index] for index in people],
            [theirs[index] for index in people],
        )
    figures["int8_over_float32"] = compare(chosen, usual, in_float32)
    figures["way_to_the_worker"] = {
        "unit": "ms",
        "ours": round(spent.median - float(np.median(worked)), 2),
    }
    worse = [
        f"{clip.text!r}: ours {mine!r}, theirs {other!r}"
        for clip, mine, other in zip(chosen, ours, theirs, strict=True)
        if score([(clip.text, mine)]).errors > score([(clip.text, other)]).errors
    ]
    return figures, worse


def sample(everything: list[Clip], count: int = QUICK) -> list[Clip]:
    """A few recordings, always the same: all that people spoke, and as many of the others as fit."""
    human = [clip for clip in everything if clip.human][: count // 2]
    others = [clip for clip in everything if not clip.human]
    return [*human, *random.Random(1).sample(others, min(len(others), count - len(human)))]


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
        chosen = sample(chosen)
    figures, notes = asyncio.run(measure(chosen, asked.backend, asked.model, rounds=1 if asked.quick else 2))
    report(figures, as_json=asked.json, notes=notes)


if __name__ == "__main__":
    main()
