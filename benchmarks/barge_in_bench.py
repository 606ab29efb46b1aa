"""Speaking over mybro: how fast it falls silent, and whether it interrupts itself.

    python -m benchmarks.barge_in_bench [--json] [--quick] [--audio DIR]

stop_ms_p95 is measured in the real sound process, through a sound server's silent room: from the call of
`stop` until nothing comes out of the loudspeaker; the peer is muting alone, with the sound that the device
holds still to come. Where there is no sound server, a virtual loudspeaker takes its place.

The rest happens in simulated rooms (see echo_scene.py): six sentences each from a loudspeaker at full volume,
the first of them never heard before.

    self_interruptions   sentences during which the ear takes an echo for a person; the peer has no guard
    true_recall          interruptions by a person that cut the voice within a second; the peer is the same
                         person without a loudspeaker
    duck_ms, cut_ms      from the person's first audible sound (AUDIBLE_DB in echo_scene.py) until the voice
                         is softened, and until it is cut, with what was missed counted as late; the peer is
                         the same without a loudspeaker
    duck_in_time         interruptions that soften the voice within 60 ms
    in_time              interruptions that cut it within 250 ms
    false_ducks          sentences that were softened for no more than their own echo
    ducked_s             for how long, of each minute of our own voice

A full run measures the same with the loudspeaker 20 dB softer, as people have it: usual_self_interruptions
and so on.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.echo_scene import SENTENCES, new_hearing, reactions, scene
from benchmarks.harness import Spread, report
from benchmarks.recordings import Recording, add_audio_option, recordings
from mybro.audio.playback import DevicePlayer
from mybro.audio.sound import SoundProcess
from mybro.audio.source import BLOCK_SAMPLES
from mybro.audio.virtual import NullPlayer
from mybro.events import SAMPLE_RATE, SpeechStarted, SpeechSustained
from tests.sound_server import SoundServer, missing

ROOMS, QUICK_ROOMS = 40, 8
STOPS, QUICK_STOPS = 40, 10
FIRST_SEED = 1000
SOUNDING = 200
"""Largest sample that counts as silence."""
TOO_LATE = SAMPLE_RATE
DUCK_IN_TIME_MS = 60.0
IN_TIME_MS = 250.0
USUAL_DB = 20.0
"""So far below full volume a loudspeaker is turned as a rule."""
TAIL = SAMPLE_RATE // 2
"""What is heard so soon after a sentence is its echo."""


def p95(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1] if values else math.nan


# ------------------------------------------------------------------ how fast it is silent


async def stops(count: int) -> tuple[list[float], list[float], str]:
    """Milliseconds from a stop to silence, the same for muting, and where it was measured."""
    if lacking := missing():
        return await _virtual_stops(count), [], f"a virtual loudspeaker: {lacking} is not here"
    folder = Path(tempfile.mkdtemp(prefix="mybro-"))
    server = SoundServer(folder)
    try:
        await asyncio.to_thread(server.start)
        process = SoundProcess(env=server.env)
        try:
            ours = [await _stop(server, process, mute=False) for _ in range(count)]
            peer = [await _stop(server, process, mute=True) for _ in range(max(count // 4, 3))]
        finally:
            await process.aclose()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return ours, peer, "the real sound process and a sound server"


def _tone(seconds: float) -> bytes:
    tone = np.sin(np.arange(int(SAMPLE_RATE * seconds)) * 0.2) * 12000
    return bytes(tone.astype(np.int16).tobytes())


async def _stop(server: SoundServer, process: SoundProcess, *, mute: bool) -> float:
    recording = server.record_loudspeaker()
    playback = await DevicePlayer(process).play(SAMPLE_RATE)
    saying = asyncio.create_task(playback.write(_tone(6.0)))
    while np.count_nonzero(np.abs(recording.pcm()) > SOUNDING) < SAMPLE_RATE // 4:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    at = len(recording.pcm())
    if mute:
        process.post({"do": "gain", "gain": 0.0})
    else:
        playback.stop()
    await asyncio.sleep(0.4)
    playback.stop()
    await saying
    await playback.finish()
    process.post({"do": "gain", "gain": 1.0})
    loud = np.flatnonzero(np.abs(recording.close()) > SOUNDING)
    return max(1000 * (int(loud[-1]) + 1 - at) / SAMPLE_RATE, 0.0)


async def _virtual_stops(count: int) -> list[float]:
    spent = []
    for _ in range(count):
        playback = await NullPlayer().play(SAMPLE_RATE)
        saying = asyncio.create_task(playback.write(_tone(4.0)))
        await asyncio.sleep(0.1)
        before, began = playback.position, time.perf_counter()
        playback.stop()
        await saying
        await playback.finish()
        heard = (playback.position - before) / SAMPLE_RATE
        spent.append(1000 * max(time.perf_counter() - began, heard))
    return spent


# ------------------------------------------------------------------ who is heard


def self_interruptions(
    recorded: Sequence[Recording], seeds: Sequence[int], *, guarded: bool, softer_db: float = 0.0
) -> tuple[int, int, float]:
    """Sentences that were taken for a person, those that were softened, and for how much of a minute."""
    found = softened = blocks = samples = 0
    for seed in seeds:
        alone = scene(recorded, seed, person=False, softer_db=softer_db)
        began, soft = [], []
        for reaction in reactions(alone, new_hearing(), guarded=guarded):
            began += [event.sample for event in reaction.events if isinstance(event, SpeechStarted)]
            soft += [reaction.end] * reaction.soft
        found += sum(any(a <= at < b + TAIL for at in began) for a, b in alone.sentences)
        softened += sum(any(a <= at < b + TAIL for at in soft) for a, b in alone.sentences)
        blocks += len(soft)
        samples += sum(b - a for a, b in alone.sentences)
    return found, softened, 60 * blocks * BLOCK_SAMPLES / samples


def interruptions(
    recorded: Sequence[Recording], seeds: Sequence[int], *, echo: bool = True, softer_db: float = 0.0
) -> tuple[list[float], list[float], int]:
    """Milliseconds from a person's onset to the duck and to the cut (infinite: none), and of how many."""
    ducks: list[float] = []
    cuts: list[float] = []
    total = 0
    for seed in seeds:
        both = scene(recorded, seed, person=True, echo=echo, softer_db=softer_db)
        seen = list(reactions(both, new_hearing(), guarded=True))
        for onset in both.onsets:
            total += 1
            around = [r for r in seen if onset < r.end <= onset + TOO_LATE]
            soft = next((r.end for r in around if r.soft), None)
            cut = next((r.end for r in around if _is_cut(r.events)), None)
            firsts = (min(each for each in (soft, cut, onset + TOO_LATE) if each), cut or math.inf)
            for times, at in zip((ducks, cuts), firsts, strict=True):
                times.append(1000 * (at - onset) / SAMPLE_RATE)
    return ducks, cuts, total


def _is_cut(events: Sequence[object]) -> bool:
    return any(isinstance(event, SpeechSustained) for event in events)


def figures(recorded: Sequence[Recording], seeds: Sequence[int], *, usual: bool) -> dict[str, Any]:
    alone = interruptions(recorded, seeds, echo=False)
    found = _loud(recorded, seeds, 0.0, alone)
    if usual:
        softer = _loud(recorded, seeds, USUAL_DB, alone)
        found |= {f"usual_{key}": figure for key, figure in softer.items()}
    return found


def _loud(
    recorded: Sequence[Recording],
    seeds: Sequence[int],
    softer_db: float,
    alone: tuple[list[float], list[float], int],
) -> dict[str, Any]:
    """Figures of one volume, beside those of a person without a loudspeaker."""
    sentences = SENTENCES * len(seeds)
    own, softened, ducked_s = self_interruptions(recorded, seeds, guarded=True, softer_db=softer_db)
    raw, *_ = self_interruptions(recorded, seeds, guarded=False, softer_db=softer_db)
    ducks, cuts, total = interruptions(recorded, seeds, softer_db=softer_db)
    alone_ducks, alone_cuts, _ = alone

    def share(ours: Sequence[float], peer: Sequence[float], limit_ms: float) -> dict[str, Any]:
        parts = (round(float(np.mean(np.less(each, limit_ms))), 4) for each in (ours, peer))
        return _beside(f"of {total} interruptions", *parts)

    return {
        "self_interruptions": _beside(f"of {sentences} sentences", own, raw),
        "true_recall": share(cuts, alone_cuts, math.inf),
        "duck_ms": _times(ducks, alone_ducks),
        "cut_ms": _times(cuts, alone_cuts),
        "duck_in_time": share(ducks, alone_ducks, DUCK_IN_TIME_MS),
        "in_time": share(cuts, alone_cuts, IN_TIME_MS),
        "false_ducks": {"unit": f"of {sentences} sentences", "ours": softened},
        "ducked_s": {"unit": "s per minute", "ours": round(ducked_s, 2)},
    }


def _beside(unit: str, ours: float, peer: float) -> dict[str, Any]:
    return {"unit": unit, "ours": ours, "peer": peer, "ratio": round(ours / peer, 4) if peer else None}


def _times(ours: Sequence[float], peer: Sequence[float]) -> dict[str, Any]:
    """Medians; the peer is the same without a loudspeaker."""
    one, other = Spread(tuple(ours)), Spread(tuple(peer))
    beside = _beside("ms, median", round(one.median, 1), round(other.median, 1))
    for share in (90, 95):
        ours_at, peer_at = (each.quantile(share / 100) for each in (one, other))
        beside |= {f"p{share}": _finite(ours_at), f"peer_p{share}": _finite(peer_at)}
    return beside


def _finite(value: float) -> float | None:
    """JSON has no infinity."""
    return round(value, 1) if math.isfinite(value) else None


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--json", action="store_true", help="one JSON object")
    options.add_argument("--quick", action="store_true", help=f"{QUICK_ROOMS} rooms instead of {ROOMS}")
    options.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first room")
    add_audio_option(options)
    chosen = options.parse_args()
    rooms, count = (QUICK_ROOMS, QUICK_STOPS) if chosen.quick else (ROOMS, STOPS)
    ours, peer, where = asyncio.run(stops(count))
    spent = _beside("ms", round(p95(ours), 1), round(p95(peer), 1) if peer else 0.0)
    seeds = range(chosen.seed, chosen.seed + rooms)
    found = {"stop_ms_p95": spent | {"p50": round(float(np.median(ours)), 1)}}
    found |= figures(recordings(chosen.audio), seeds, usual=not chosen.quick)
    notes = [
        f"{len(ours)} stops, measured through {where}",
        f"{rooms} rooms; the loudspeaker is 20 to 300 ms late, changes its level, and clips mildly",
    ]
    report(found, as_json=chosen.json, notes=notes)


if __name__ == "__main__":
    main()
