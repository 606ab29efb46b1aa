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
from tests.metal_cases import Case, need_emulator, u
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


def shapes(length: int) -> list[tuple[int, int]]:
    """Long rows, and many of them."""
    if length > 2**19:
        return [(4096, length // 4096), (5, length // 5)]
    return [(3, length), (min(length, 509), 3)]


def along_axes(dtype: type) -> Callable[[int], Iterator[Case]]:
    def cases(length: int) -> Iterator[Case]:
        for shape in shapes(length):
            chance = np.random.default_rng(length)
            x, mask = metal_cases.random_floats(chance, shape, dtype), chance.random(shape) < 0.5
            # Each of many short rows is a threadgroup's, which takes the emulator long.
            for axis in (0, 1) if shape[1] <= 4096 else (1,):
                yield from metal_cases.reductions(x, mask, axis)
                for exclusive in (False, True):
                    slack = np.cumsum(np.abs(x.astype(np.float64)), axis=axis) * 2.0**-36 + 1e-30
                    yield Case("scan", (x,), {"axis": axis, "exclusive": exclusive}, 2 * u, slack)
            for affine in (False, True):
                yield Case("quantise", (x, shape[0]), {"affine": affine})

    return cases


def dequantised(dtype: type) -> Callable[[int], Iterator[Case]]:
    def cases(length: int) -> Iterator[Case]:
        for rows, columns in (*shapes(length), (1, length)):
            chance = np.random.default_rng(length)
            levels = metal_cases.random_bits(chance, (rows, columns), np.int8)
            scales = chance.random(rows).astype(np.float32)
            zeros = chance.integers(-128, 128, rows).astype(np.int32)
            yield Case("dequantise", (levels, scales, zeros, np.dtype(dtype).name))

    return cases


def similarities(dtype: type) -> Callable[[int], Iterator[Case]]:
    def made(chance: np.random.Generator, shape: tuple[int, int]) -> metal_cases.Array:
        random = metal_cases.random_bits if dtype is np.int8 else metal_cases.random_floats
        return random(chance, shape, dtype)

    def cases(length: int) -> Iterator[Case]:
        sizes = [(3, min(length, 2**17), 3), (length, 3, 9)]  # so far sums of bytes fit 32 bits
        for rows, width, queries in sizes if length < 2**19 else [(length // 256, 256, 9)]:
            chance = np.random.default_rng(length)
            yield from metal_cases.batched(
                made(chance, (rows, width)), made(chance, (rows, width)), made(chance, (queries, width))
            )

    return cases


FAMILIES: list[Callable[[int], Iterator[Case]]] = [
    *(
        floats(dtype, operation)
        for dtype in metal_cases.FLOATS
        for operation in (
            "reduce", "masked_sum", "variance", "unary", "binary", "scan", "quantise", "histogram",
        )
    ),
    *(family(dtype) for dtype in metal_cases.FLOATS for family in (along_axes, dequantised)),
    *(similarities(dtype) for dtype in (*metal_cases.FLOATS, np.int8)),
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


@pytest.mark.parametrize("lane", share(["address", "thread"], 9))
def test_the_sanitizers_over_every_shape(lane: Lane) -> None:
    with Emulator(lane, seed=9) as emulator:
        device = EmulatorDevice(emulator)
        for case in metal_cases.of_shapes(np.random.default_rng(9)):
            case.judge(case.run(device))
