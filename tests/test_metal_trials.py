"""Every kernel over sixteen million elements (in `make trials`), many lengths and orders, and sanitized."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from metal.emu.runner import Emulator
from metal.emu.toolchain import Lane
from mybro.compute.emulator import EmulatorDevice
from tests import metal_cases
from tests.metal_cases import Case, need_emulator
from tests.trials import share

pytestmark = pytest.mark.trial

LONG = (16 if os.environ.get("MYBRO_TRIALS") == "all" else 1) * 2**20
PRIMES = (2, 3, 5, 13, 61, 251, 509, 1019, 2039, 4093, 8191, 16381, 32749, 65521, 131071, 262139)
POWERS = tuple(2**k + d for k in range(2, 19) for d in (-1, 0, 1))


@pytest.fixture(autouse=True)
def _compiler() -> None:
    need_emulator()


def floats(dtype: type, operation: str) -> Callable[[int], Iterator[Case]]:
    def cases(length: int) -> Iterator[Case]:
        chance = np.random.default_rng(length)
        x, y = (metal_cases.random_floats(chance, length, dtype) for _ in range(2))
        found = metal_cases.of_floats(x, y, chance.random(length) < 0.5)
        return (case for case in found if case.operation == operation)

    return cases


def integers(length: int) -> Iterator[Case]:
    return metal_cases.of_integers(metal_cases.random_bits(np.random.default_rng(length), length, np.int32))


def moved(kind: type) -> Callable[[int], Iterator[Case]]:
    def cases(length: int) -> Iterator[Case]:
        chance = np.random.default_rng(length)
        x = metal_cases.random_bits(chance, length, kind)
        yield Case("compact", (x, chance.random(length) < 0.5))
        square = x[: length // 64 * 64].reshape(64, -1)
        yield Case("transpose", (square,))
        yield Case("repack", (square, (1, 0), 61))

    return cases


FAMILIES: list[Callable[[int], Iterator[Case]]] = [
    *(
        floats(dtype, operation)
        for dtype in metal_cases.FLOATS
        for operation in (
            "reduce", "masked_sum", "variance", "unary", "binary", "scan", "quantise", "histogram",
        )
    ),
    integers,
    *(moved(kind) for kind in (np.uint8, np.uint16, np.uint32, np.uint64)),
]  # fmt: skip


@pytest.mark.parametrize("family", share(range(len(FAMILIES)), 8))
def test_millions_of_elements(family: int) -> None:
    with Emulator(seed=family) as emulator:
        device = EmulatorDevice(emulator)
        for case in FAMILIES[family](LONG):
            case.judge(case.run(device))


@pytest.mark.parametrize("length", share([*PRIMES, *POWERS], 5))
def test_many_lengths_in_many_orders(length: int) -> None:
    for seed in (0, 1, 2**30 + length):
        with Emulator(seed=seed, workers=1 + seed % 4) as emulator:
            device = EmulatorDevice(emulator)
            for family in FAMILIES:
                for case in family(length):
                    case.judge(case.run(device))


@pytest.mark.parametrize(
    ("lane", "length"),
    share([(lane, n) for n in (*metal_cases.LENGTHS, 20_011) for lane in ("address", "thread")], 6),
)
def test_the_sanitizers_over_every_length(lane: Lane, length: int) -> None:
    with Emulator(lane, seed=length) as emulator:
        device = EmulatorDevice(emulator)
        for case in metal_cases.of_length(np.random.default_rng(length), length):
            case.judge(case.run(device))
