"""How much speech each detector loses in noise, and what it costs.

    python -m benchmarks.vad_bench

The peer is Silero alone: `kept` is the share of its speech frames that the others also call speech.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

from mybro.audio.detector import Detector, SileroDetector
from mybro.audio.webrtc import CascadeDetector, WebRtcDetector
from mybro.events import SAMPLE_RATE
from tests.audio_tools import Pcm, add_noise, dev_clips, noise, read_pcm

CONDITIONS = (("clean", 0), ("white", 20), ("white", 10), ("white", 5), ("clicks", 10))
THRESHOLD = 0.5


def decisions(detector: Detector, pcm: Pcm) -> tuple[npt.NDArray[np.bool_], float]:
    """Speech or not for every 10 ms, and the processor seconds it took."""
    detector.reset()
    size = detector.frame_samples
    raw, frames = pcm.tobytes(), len(pcm) // size
    began = time.process_time()
    found = [detector.probability(raw[i * size * 2 : (i + 1) * size * 2]) >= THRESHOLD for i in range(frames)]
    spent = time.process_time() - began
    middles = np.minimum((np.arange(len(pcm) // 160) * 160 + 80) // size, frames - 1)
    return np.array(found)[middles], spent


def main() -> None:
    rng = np.random.default_rng(7)
    clips = [read_pcm(clip.path) for clip in dev_clips()]
    detectors: dict[str, Detector] = {"silero": SileroDetector()}
    detectors |= {f"webrtc mode {mode}": WebRtcDetector(mode) for mode in range(4)}
    detectors |= {f"silero+webrtc mode {mode}": CascadeDetector(mode) for mode in range(4)}
    print(f"{'noise':>10}  {'detector':22}  {'kept %':>7}  {'false %':>7}  {'CPU ms per s':>12}")
    for kind, snr in CONDITIONS:
        streams = []
        for clip in clips:
            padded = np.concatenate([noise(1.0, rng), clip, noise(2.0, rng)])
            streams.append(padded if kind == "clean" else add_noise(padded, kind, snr, rng))
        seconds = sum(map(len, streams)) / SAMPLE_RATE
        peer = np.concatenate([decisions(detectors["silero"], stream)[0] for stream in streams])
        for name, detector in detectors.items():
            runs = [decisions(detector, stream) for stream in streams]
            found = np.concatenate([run[0] for run in runs])
            kept, false = 100 * np.mean(found[peer]), 100 * np.mean(found[~peer])
            cost = 1000 * sum(run[1] for run in runs) / seconds
            print(f"{kind:>7} {snr:>2}  {name:22}  {kept:7.2f}  {false:7.2f}  {cost:12.2f}")


if __name__ == "__main__":
    main()
