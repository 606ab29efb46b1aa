"""Times of the kernels on an Apple GPU, beside MLX's own operations and a copy in the same run."""

from __future__ import annotations

import importlib
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mybro.compute import mlx_device, passes, roofline
from mybro.compute.roofline import Work

ELEMENTS = 64 * 2**20
WIDTH = 768
"""Of a row, as of a small model's embedding."""
ROUNDS = 15
WARM_UP = 3

Operation = Callable[[], Any]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Measured:
    """One kernel's median, and that of MLX's own operation."""

    work: Work
    elements: int
    ours_s: float
    mlx_s: float | None
    """None if MLX has no such operation."""

    @property
    def gbps(self) -> float:
        return self.work.bytes * self.elements / self.ours_s / 1e9

    @property
    def gflops(self) -> float:
        return self.work.flop * self.elements / self.ours_s / 1e9


def missing() -> str:
    """Why nothing can be measured here; empty if it can."""
    return mlx_device.missing()


def chip() -> str:
    """This Mac's chip, as `Apple M4 Pro`; empty elsewhere."""
    if platform.system() != "Darwin":
        return ""
    told = subprocess.run(
        ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
    )
    return told.stdout.strip()


def medians_s(
    sides: Sequence[Operation], *, rounds: int = ROUNDS, clock: Clock = time.perf_counter
) -> list[float]:
    """The median of each side, measured alternately, after some rounds that warm up."""
    spent: list[list[float]] = [[] for _ in sides]
    for _ in range(WARM_UP + rounds):
        for operation, times in zip(sides, spent, strict=True):
            began = clock()
            operation()
            times.append(clock() - began)
    return [statistics.median(times[WARM_UP:]) for times in spent]


def measure(elements: int = ELEMENTS, rounds: int = ROUNDS) -> list[Measured]:
    """Every kernel of the roofline's list; needs MLX with a GPU."""
    mx = importlib.import_module("mlx.core")
    sides = operations(mx, mlx_device.shared(), elements)
    found = []
    for work in roofline.WORK:
        count, *both = sides[work.name]
        waited = [partial(_wait_for, mx, side) for side in both if side is not None]
        ours, *theirs = medians_s(waited, rounds=rounds)
        found.append(Measured(work, count, ours, theirs[0] if theirs else None))
    return found


def _wait_for(mx: Any, operation: Operation) -> None:
    mx.eval(operation())


def operations(mx: Any, device: Any, elements: int) -> dict[str, tuple[int, Operation, Operation | None]]:
    """For each kernel its number of elements, our operation and MLX's, on arrays that are there already."""
    chance = np.random.default_rng(0)
    rows = max(1, elements // WIDTH)
    x = mx.array(chance.standard_normal(elements).astype(np.float32))
    matrix = mx.array(chance.standard_normal((rows, WIDTH)).astype(np.float32))
    square = x[: int(elements**0.5) ** 2].reshape(int(elements**0.5), -1)
    q8, q32 = matrix[:8] + 1, mx.concatenate([matrix[:8] + k for k in range(4)])
    levels = mx.array(chance.integers(-127, 128, (rows, WIDTH), np.int8))
    mx.eval(x, matrix, square, q8, q32, levels)
    whole = rows * WIDTH

    def reduction(name: str) -> Operation:
        return lambda: passes.reduce(device, name, x)

    return {
        "copy": (elements, lambda: passes.copy(device, x), lambda: x + 0),
        "sum": (elements, reduction("sum"), lambda: mx.sum(x)),
        "max": (elements, reduction("max"), lambda: mx.max(x)),
        "l2": (elements, reduction("l2"), lambda: mx.linalg.norm(x)),
        "square_sum": (elements, reduction("square_sum"), lambda: mx.sum(mx.square(x))),
        "variance": (elements, lambda: passes.variance(device, x), lambda: mx.var(x)),
        "relu": (elements, lambda: passes.unary(device, "relu", x), lambda: mx.maximum(x, 0)),
        "add": (elements, lambda: passes.binary(device, "add", x, x), lambda: x + x),
        "sigmoid": (elements, lambda: passes.unary(device, "sigmoid", x), lambda: mx.sigmoid(x)),
        "scan": (elements, lambda: passes.scan(device, x), lambda: mx.cumsum(x)),
        "transpose": (
            int(square.size),
            lambda: passes.transpose(device, square),
            lambda: mx.contiguous(square.T),
        ),
        "quantise": (elements, lambda: passes.quantise(device, x, 1), None),
        "dot": (whole, lambda: passes.dot(device, matrix, q8[0]), lambda: matrix @ q8[0]),
        "cosine": (whole, lambda: passes.cosine(device, matrix, q8[0]), None),
        "dot_queries_8": (whole, lambda: passes.dot_queries(device, matrix, q8), lambda: q8 @ matrix.T),
        "dot_queries_32": (whole, lambda: passes.dot_queries(device, matrix, q32), lambda: q32 @ matrix.T),
        "dot_queries_8_i8": (whole, lambda: passes.dot_queries(device, levels, levels[:8]), None),
    }


def table(found: Sequence[Measured], name: str, width: int = 24) -> list[str]:
    """The measurements as a person reads them: bars are shares of the copy's bandwidth."""
    copy = next(one for one in found if one.work.name == "copy")
    known = roofline.bandwidth(name)
    said = f", whose memory Apple gives {known:g} GB/s" if known else ""
    lines = [
        f"Measured on {name}{said}; a copy reaches {copy.gbps:.0f} GB/s",
        "",
        f"{'':18}{'GB/s':>7}{'of copy':>9}{'GFLOPS':>8}{'MLX takes':>11}",
    ]
    for one in found:
        share = one.gbps / copy.gbps
        times = f"{one.mlx_s / one.ours_s:.2f} x" if one.mlx_s else "-"
        bar = "█" * min(width, round(width * share))
        row = f"{one.work.name:18}{one.gbps:7.0f}{share:9.0%}{one.gflops:8.0f}{times:>11}  {bar}"
        lines.append(row.rstrip())
    return lines


def as_figures(found: Sequence[Measured]) -> dict[str, dict[str, Any]]:
    """Milliseconds beside MLX's, or beside the copy's speed; a ratio below 1 means that ours is faster."""
    copy = next(one for one in found if one.work.name == "copy")
    figures = {}
    for one in found:
        peer = one.mlx_s if one.mlx_s is not None else one.work.bytes * one.elements / copy.gbps / 1e9
        figures[one.work.name] = {
            "unit": "ms",
            "ours": round(one.ours_s * 1e3, 4),
            "peer": round(peer * 1e3, 4),
            "ratio": round(one.ours_s / peer, 3),
            "gbps": round(one.gbps, 1),
            "gflops": round(one.gflops, 1),
        }
    return figures
