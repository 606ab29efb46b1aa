"""How much speech each detector loses in noise, and what it costs.

    python -m benchmarks.vad_bench [--json] [--quick]

The peer is Silero alone: `kept` is the share of its speech frames that another detector also calls speech,
`false` the share of its other frames that the other takes for speech.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.harness import Spread, beside, report
from mybro.audio.detector import Detector, SileroDetector
from mybro.audio.webrtc import CascadeDetector, WebRtcDetector
from mybro.events import SAMPLE_RATE
from tests.audio_tools import Pcm, add_noise, dev_clips, noise, read_pcm

CONDITIONS = (("clean", 0), ("white", 20), ("white", 10), ("white", 5), ("clicks", 10))
THRESHOLD = 0.5
QUICK = 12
"""Recordings, spread over all voices."""
PEER = "silero"

Decisions = npt.NDArray[np.bool_]


def decisions(detector: Detector, pcm: Pcm) -> tuple[Decisions, float]:
    """Speech or not for every 10 ms, and the milliseconds of processor time for a second of sound."""
    detector.reset()
    size = detector.frame_samples
    raw, frames = pcm.tobytes(), len(pcm) // size
    began = time.process_time()
    found = [detector.probability(raw[i * size * 2 : (i + 1) * size * 2]) >= THRESHOLD for i in range(frames)]
    spent = 1000 * (time.process_time() - began) / (len(pcm) / SAMPLE_RATE)
    middles = np.minimum((np.arange(len(pcm) // 160) * 160 + 80) // size, frames - 1)
    return np.array(found)[middles], spent


def streams(clips: Sequence[Pcm], kind: str, snr_db: float, rng: np.random.Generator) -> list[Pcm]:
    """Each recording between a second and two of a quiet room, in noise of this kind."""
    padded = [np.concatenate([noise(1.0, rng), clip, noise(2.0, rng)]) for clip in clips]
    return padded if kind == "clean" else [add_noise(pcm, kind, snr_db, rng) for pcm in padded]


def compared(detectors: Mapping[str, Detector], sounds: Sequence[Pcm]) -> dict[str, dict[str, Any]]:
    """Each detector beside the peer, measured one after the other on the same sound."""
    runs = [{name: decisions(each, pcm) for name, each in detectors.items()} for pcm in sounds]
    costs = {name: Spread(tuple(run[name][1] for run in runs)) for name in detectors}
    found = {name: np.concatenate([run[name][0] for run in runs]) for name in detectors}
    speech = found[PEER]
    return {
        name: beside(costs[name], costs[PEER])
        | {
            "unit": "ms of processor time for a second of sound",
            "kept_percent": round(100 * float(np.mean(found[name][speech])), 2),
            "false_percent": round(100 * float(np.mean(found[name][~speech])), 2),
        }
        for name in detectors
        if name != PEER
    }


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--json", action="store_true", help="one JSON object")
    options.add_argument("--quick", action="store_true", help=f"{QUICK} recordings instead of all")
    chosen = options.parse_args()
    recordings = dev_clips()
    if chosen.quick:
        recordings = recordings[:: -(-len(recordings) // QUICK)]
    clips = [read_pcm(clip.path) for clip in recordings]
    detectors: dict[str, Detector] = {PEER: SileroDetector()}
    detectors |= {f"webrtc mode {mode}": WebRtcDetector(mode) for mode in range(4)}
    detectors |= {f"silero+webrtc mode {mode}": CascadeDetector(mode) for mode in range(4)}
    rng = np.random.default_rng(7)
    figures = {
        f"{name}, {kind}" + (f" noise at {snr} dB" if snr else ""): figure
        for kind, snr in CONDITIONS
        for name, figure in compared(detectors, streams(clips, kind, snr, rng)).items()
    }
    notes = [
        "the peer is Silero alone; a ratio below 1 is cheaper",
        "kept: the share of Silero's speech that is speech here too; false: of Silero's quiet",
    ]
    report(figures, as_json=chosen.json, notes=notes)


if __name__ == "__main__":
    main()
