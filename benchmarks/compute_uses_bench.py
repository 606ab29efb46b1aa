"""What mybro computes at every turn, as it does it now, beside what an Apple GPU could do at best.

    python -m benchmarks.compute_uses_bench [--json] [--quick]

lexicon_sound    a name of this repository by its sound: the index of sounds that mybro uses
lexicon_vectors  the same as a search over 20,000 vectors of 256 float32, by NumPy
lexicon_i8       the same over 8-bit vectors, dequantised by the scale of each row
near_command     a sentence of two words beside the commands that steer mybro
level            the level of a block of 20 ms
resample         a block of 20 ms from 48 kHz to 16 kHz

`ours` is measured here, in microseconds. `peer` is COMPUTED, not measured: one launch that is waited for, and
the bytes over the memory of an M4 Pro. A ratio below 1 means that a GPU could not be faster.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import report
from mybro.brain import alike
from mybro.compute import numpy_ops, roofline
from mybro.index import build
from mybro.index.lexicon import Lexicon, names_of, sounds_of, spoken
from mybro.native import in_use, sound
from mybro.native.resample import make_resampler

LAUNCH_US = 150.0
"""Assumed: committing one command buffer and waiting for it. Nobody has measured it on a Mac for this."""
NAMES = 20_000
WIDTH = 256
ROOT = Path(__file__).parent.parent


def _median_us(operation: Callable[[], object], rounds: int) -> float:
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        operation()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1e6


def _figure(ours_us: float, moved: float) -> dict[str, Any]:
    gpu_us = LAUNCH_US + moved / roofline.BANDWIDTH_GBPS[roofline.ASSUMED] / 1e3
    ratio = round(ours_us / gpu_us, 3)
    return {"unit": "us", "ours": round(ours_us, 1), "peer": round(gpu_us, 1), "ratio": ratio}


def _lexicon(rounds: int) -> dict[str, Any]:
    lexicon = Lexicon(names_of(build(ROOT)))
    drawn = random.Random(5).choices(lexicon.ordered, k=rounds)
    asked = iter([sounds_of(spoken(name.written)[:4])[0] for name in drawn])
    chance = np.random.default_rng(5)
    rows = chance.standard_normal((NAMES, WIDTH)).astype(np.float32)
    query = rows[7] + np.float32(0.1)
    levels, scales, _ = numpy_ops.quantise(rows, NAMES)
    small = levels[7]

    def search() -> int:
        return int(np.argmax(rows @ query))

    def search_i8() -> int:
        products = numpy_ops.dot(levels, small)
        return int(np.argmax(products * scales))

    return {
        "lexicon_sound": _figure(_median_us(lambda: lexicon.alike(next(asked), 0.6), rounds), rows.nbytes),
        "lexicon_vectors": _figure(_median_us(search, rounds), rows.nbytes),
        "lexicon_i8": _figure(_median_us(search_i8, max(3, rounds // 20)), levels.nbytes),
    }


def _sound(rounds: int) -> dict[str, Any]:
    block = np.random.default_rng(6).integers(-9000, 9000, 320, np.int16).tobytes()
    long = np.random.default_rng(7).integers(-9000, 9000, 960, np.int16).tobytes()
    converter = make_resampler(48_000, 16_000)
    return {
        "near_command": _figure(_median_us(lambda: alike.command(["undo", "bat"]), rounds), 13 * 4 * WIDTH),
        "level": _figure(_median_us(lambda: sound.level(block), rounds), len(block)),
        "resample": _figure(_median_us(lambda: converter.convert(long), rounds), len(long) * 4 / 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args()
    rounds = 100 if options.quick else 1000
    notes = [
        f"with {in_use()}",
        f"the GPU's side is computed: {LAUNCH_US:g} us for a launch (assumed), "
        f"{roofline.BANDWIDTH_GBPS[roofline.ASSUMED]:g} GB/s ({roofline.ASSUMED})",
    ]
    report(_lexicon(rounds) | _sound(rounds), as_json=options.json, notes=notes)


if __name__ == "__main__":
    main()
