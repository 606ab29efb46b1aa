"""Our way from sound to text beside faster-whisper's own and mlx-whisper's, on the same weights.

    python -m benchmarks.stt_bench --json [--quick] [--audio DIR] [--backend NAME] [--model NAME]

The words are those of `mybro hear`: ear, service, worker, guards and corrections, each turn that the ear
makes of a recording. The times are those of the service with the whole recording at once, for commands of
2 to 4 s (all recordings, where there are none). The peers are
`faster_whisper.WhisperModel(weights).transcribe(sound)` and `mlx_whisper.transcribe(sound)` with
their defaults, MLX with the same OpenBLAS as ours. DIR holds FLAC or
WAV files and a *.jsonl whose lines have "file" and "text", and may have "kind": "human…" for
ordinary speech; the others are commands.

Figures: over_faster_whisper and mlx_over_stock (ms for a recording), wer_commands (percent of words),
wer_delta (percent of words, ordinary speech, all where there is none; `delta` in points), way_to_the_worker
(ms of a request that are not the recogniser's), and without --quick wer_commands_noise and
wer_commands_room, and int8_over_float32 (percent of words, ours against ours in float32).
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from benchmarks.harness import Stopwatch, beside, report
from benchmarks.voice_clips import read
from benchmarks.wer import score
from mybro.config import TranscribeSettings
from mybro.events import SAMPLE_RATE, AudioBlock
from mybro.models import resolve
from mybro.transcribe.service import Transcription

AUDIO = Path(__file__).parents[1] / "tests" / "audio"
QUICK = 16
COMMAND_S = (2.0, 4.0)
NOISE_DB = 10.0
ROOM = int(0.35 * SAMPLE_RATE)


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
        for line in filter(str.strip, listing.read_text().splitlines()):
            row = json.loads(line)
            path = folder / row["file"]
            if row["file"] in found or not path.is_file() or not row.get("text"):
                continue
            human = str(row.get("kind") or "").startswith("human")
            found[row["file"]] = Clip(path, row["text"], human, read(path))
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


def timed(chosen: list[Clip]) -> list[Clip]:
    """The commands of a command's usual length."""
    low, high = (seconds * SAMPLE_RATE for seconds in COMMAND_S)
    return [clip for clip in chosen if low <= len(clip.pcm) <= high and not clip.human] or chosen


def heard_by_mlx(chosen: Sequence[Clip], model: str, watch: Stopwatch) -> None:
    """Ours and stock mlx-whisper, turn about, in this process: MLX belongs to one thread."""
    from mybro.transcribe.listener import Listener
    from mybro.transcribe.prompt import prompt_for
    from mybro.transcribe.recogniser import Hints, Setup, build

    path = str(resolve("mlx-whisper", model).path)
    recogniser = build(Setup("mlx-whisper", model, path=path))
    recogniser.load()
    listener, hints = Listener(recogniser), Hints(prompt_for("en"))
    import mlx_whisper

    for number, clip in enumerate([chosen[0], *chosen]):
        sound = clip.pcm.astype(np.float32) / np.float32(32768)
        for name in ("ours", "peer"):
            # The first of each warms it.
            with watch(name if number else f"{name} cold"):
                if name == "ours":
                    listener.transcribe(sound, hints)
                else:
                    mlx_whisper.transcribe(sound, path_or_hf_repo=path, fp16=False)


def harder(chosen: Sequence[Clip], folder: Path) -> dict[str, list[Clip]]:
    """The same in noise, 10 dB below the speech, and in a room that sounds for 0.35 s."""
    rng = np.random.default_rng(4)
    made: dict[str, list[Clip]] = {"noise": [], "room": []}
    for clip in chosen:
        sound = clip.pcm / 32768
        level = np.sqrt(np.mean(sound[np.abs(sound) > 0.05 * np.abs(sound).max()] ** 2))
        echo = rng.standard_normal(ROOM) * np.exp(-6.9 * np.arange(ROOM) / ROOM)
        echo[0] = 2 * np.sqrt(np.sum(echo**2))
        room = np.convolve(sound, echo)[: len(sound)]
        for kind, other in (
            ("noise", sound + rng.standard_normal(len(sound)) * level * 10 ** (-NOISE_DB / 20)),
            ("room", room * np.abs(sound).max() / np.abs(room).max()),
        ):
            path = folder / f"{kind}_{clip.path.stem}.flac"
            pcm = np.asarray(np.clip(other, -1, 1) * 32767, np.int16)
            soundfile.write(str(path), pcm, SAMPLE_RATE)
            made[kind].append(Clip(path, clip.text, clip.human, pcm))
    return made


def words(chosen: Sequence[Clip], backend: str, model: str, peer: Any) -> tuple[list[str], list[str]]:
    """What the program and the peer make of recordings."""
    ours = heard_by_program([clip.path for clip in chosen], backend, model)
    return ours, heard_by_peer(chosen, peer)


def accuracy(
    chosen: list[Clip], backend: str, model: str, peer: Any, *, quick: bool
) -> tuple[dict[str, Any], list[str]]:
    """The word error rates, and a note for each recording that the peer hears better."""
    ours, theirs = words(chosen, backend, model, peer)
    figures: dict[str, Any] = {}
    for name, human in (("wer_delta", True), ("wer_commands", False)):
        some = [index for index, clip in enumerate(chosen) if clip.human is human]
        if name == "wer_delta" and not some:
            some = list(range(len(chosen)))
        if some:
            texts = [[each[index] for index in some] for each in (ours, theirs)]
            figures[name] = compare([chosen[index] for index in some], *texts)
    commands = [] if quick else [clip for clip in chosen if not clip.human]
    with tempfile.TemporaryDirectory() as folder:
        for kind, clips_ in harder(commands, Path(folder)).items() if commands else ():
            figures[f"wer_commands_{kind}"] = compare(clips_, *words(clips_, backend, model, peer))
    worse = [
        f"{clip.text!r}: ours {mine!r}, theirs {other!r}"
        for clip, mine, other in zip(chosen, ours, theirs, strict=True)
        if score([(clip.text, mine)]).errors > score([(clip.text, other)]).errors
    ]
    return figures, worse


async def speed(chosen: list[Clip], settings: TranscribeSettings, peer: Any, rounds: int) -> dict[str, Any]:
    """How long a recording takes, ours beside the peer."""
    watch, worked = Stopwatch(), list[float]()
    # Turn about, so that both meet the same machine.
    for _ in range(rounds):
        await heard_by_service(chosen, settings, watch, worked)
        heard_by_peer(chosen, peer, watch)
    spent = watch.spread("ours")
    way = {"unit": "ms", "ours": round(spent.median - float(np.median(worked)), 2)}
    return {"over_faster_whisper": beside(spent, watch.spread("peer")), "way_to_the_worker": way}


def measure(chosen: list[Clip], backend: str, model: str, *, quick: bool) -> tuple[dict[str, Any], list[str]]:
    """The figures, and notes."""
    from faster_whisper import WhisperModel

    peer = WhisperModel(str(resolve("faster-whisper", model).path), device="cpu")
    settings = TranscribeSettings.model_validate({"backend": backend, "model": model})
    short = timed(chosen)
    figures = asyncio.run(speed(short[:QUICK], settings, peer, rounds=1 if quick else 3))
    if importlib.util.find_spec("mlx_whisper") and backend == "faster-whisper":
        watch = Stopwatch()
        heard_by_mlx(short[: 5 if quick else QUICK], model, watch)
        figures["mlx_over_stock"] = beside(watch.spread("ours"), watch.spread("peer"))
    rates, notes = accuracy(chosen, backend, model, peer, quick=quick)
    figures |= rates
    if not quick:
        exact = settings.model_copy(update={"compute_type": "float32"})
        both = [asyncio.run(heard_by_service(chosen, each, Stopwatch(), [])) for each in (settings, exact)]
        figures["int8_over_float32"] = compare(chosen, *both)
    return figures, notes


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
    figures, notes = measure(chosen, asked.backend, asked.model, quick=asked.quick)
    report(figures, as_json=asked.json, notes=notes)


if __name__ == "__main__":
    main()
