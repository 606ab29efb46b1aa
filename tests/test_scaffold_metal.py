"""The kernels of a new Metal project, run as they are by the emulator."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import pytest

from metal.emu import lint, toolchain
from metal.emu.runner import Emulator
from mybro.scaffold.catalogue import find
from tests.requirements import need

pytestmark = pytest.mark.integration

KERNELS = sorted((find("metal-compute").path / "project/kernels").glob("*.metal"))


@pytest.fixture(scope="module")
def device() -> Iterator[Emulator]:
    try:
        toolchain.need()
    except toolchain.ToolchainError as error:
        need(None, str(error))
    with Emulator(files=KERNELS, seed=5) as device:
        yield device


def count(number: int) -> bytes:
    return struct.pack("<I", number)


@pytest.mark.parametrize("length", [1, 255, 256, 257, 10_007])
def test_sums_and_maps(device: Emulator, length: int) -> None:
    chance = np.random.default_rng(length)
    x, y = (chance.normal(size=length).astype(np.float32) for _ in range(2))
    given, out = device.upload(x), device.allocate(4, np.float32)
    device.launch("sum_f32", {0: given, 1: out}, {2: count(length)}, (1024, 1, 1), (256, 1, 1))
    total = float(device.download(out, 4, np.float32).sum(dtype=np.float64))
    assert total == pytest.approx(float(x.sum(dtype=np.float64)), abs=1e-6 * float(np.abs(x).sum()))
    threads = ((length + 255) // 256 * 256, 1, 1)
    result = device.upload(y)
    device.launch(
        "axpy_f32", {0: given, 1: result}, {2: count(length), 3: struct.pack("<f", 0.5)}, threads, (256, 1, 1)
    )
    exact = 0.5 * x.astype(np.float64) + y
    assert np.array_equal(device.download(result, length, np.float32), exact.astype(np.float32))
    x[0] = np.nan
    positive = device.allocate(length, np.float32)
    device.launch("relu_f32", {0: device.upload(x), 1: positive}, {2: count(length)}, threads, (256, 1, 1))
    assert np.array_equal(
        device.download(positive, length, np.float32), np.where(x < 0, 0, x), equal_nan=True
    )


@pytest.mark.parametrize("shape", [(1, 1, 1), (16, 16, 16), (17, 33, 15), (3, 50, 40)])
def test_products(device: Emulator, shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    chance = np.random.default_rng(k)
    a, b = chance.normal(size=(m, k)).astype(np.float32), chance.normal(size=(k, n)).astype(np.float32)
    out = device.allocate(m * n, np.float32)
    threads = ((n + 15) // 16 * 16, (m + 15) // 16 * 16, 1)
    buffers = {0: device.upload(a), 1: device.upload(b), 2: out}
    device.launch("matmul_f32", buffers, {3: struct.pack("<4I", m, k, n, 0)}, threads, (16, 16, 1))
    product = device.download(out, m * n, np.float32).reshape(m, n)
    assert np.allclose(product, a.astype(np.float64) @ b, atol=1e-5 * k)


def test_the_kernels_are_clean() -> None:
    lint.check(KERNELS)
