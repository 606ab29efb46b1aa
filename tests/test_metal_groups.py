"""Kernels that take any threadgroup give the same with each size, in any order of lanes.

A scan's tile, a transposed tile and the tiles of many queries have their sizes in their kernels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from metal.emu.runner import Emulator
from mybro.compute.emulator import EmulatorDevice
from mybro.compute.passes import batched, maps, quantisation, reductions
from tests import metal_cases
from tests.metal_cases import Case, need_emulator
from tests.trials import share

pytestmark = pytest.mark.integration

SIZES = (32, 64, 96, 128, 512, 1024)
SEEDS = (0, 3, 2**30 + 7)
LENGTHS = (0, 1, 31, 1023, 2049, 16411)


def of_any_size(length: int) -> Iterator[Case]:
    chance = np.random.default_rng(length)
    free = ("reduce", "masked_sum", "variance", "unary", "binary", "quantise", "histogram")
    for dtype in metal_cases.FLOATS:
        x, y = (metal_cases.random_floats(chance, length, dtype) for _ in range(2))
        cases = metal_cases.of_floats(x, y, chance.random(length) < 0.5)
        yield from (case for case in cases if case.operation in free)
        rows = metal_cases.random_floats(chance, (max(1, length // 64), 37), dtype)
        both = metal_cases.batched(rows, rows[::-1].copy(), rows[:3])
        yield from (case for case in both if case.operation in ("dot", "cosine"))
    whole = metal_cases.random_bits(chance, length, np.int32)
    yield from (case for case in metal_cases.of_integers(whole) if case.operation == "reduce")


@pytest.mark.parametrize(("size", "seed"), share([(size, seed) for size in SIZES for seed in SEEDS], 3))
def test_any_size_of_threadgroup(size: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    need_emulator()
    for module in (batched, maps, quantisation, reductions):
        monkeypatch.setattr(module, "THREADS", size)
    with Emulator(seed=seed, workers=1 + seed % 3) as emulator:
        device = EmulatorDevice(emulator)
        for length in LENGTHS:
            for case in of_any_size(length):
                case.judge(case.run(device))
