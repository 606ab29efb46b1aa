"""Operations with their inputs, what NumPy says to each, and how far a kernel may be from it.

The tolerances are those that metal/README.md promises. `u` is half a unit in the last place of float32.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from metal.emu.toolchain import find
from mybro.compute import numpy_ops, passes
from mybro.compute.device import Device
from tests.requirements import need

Array = npt.NDArray[Any]

u = 2.0**-24
FLOATS = (np.float32, np.float16)
LENGTHS = (0, 1, 2, 3, 7, 31, 32, 33, 127, 128, 129, 257, 1021, 1024, 2047, 2048, 2049, 16411)
SHAPES = ((1, 1), (3, 5), (31, 33), (32, 32), (65, 7), (2, 40, 3), (2, 3, 4, 5), (5, 0))
SIZES = ((1, 1, 1), (3, 5, 2), (65, 16, 8), (33, 129, 9), (130, 67, 33))
"""Rows, width and queries."""
MAPS = ("exp", "log", "sigmoid", "tanh", "relu", "abs", "neg")
PAIRS = ("add", "sub", "mul", "div")
SUMS = ("sum", "mean", "abs_sum", "square_sum", "l2")


def need_emulator() -> None:
    """Go on where the emulator is known to run: on Linux, with clang."""
    need(find() if sys.platform == "linux" else None, "clang (apt-get install clang-19), on Linux")


@dataclass(slots=True)
class Case:
    """One operation on one input."""

    operation: str
    arguments: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    relative: float = 0.0
    """Allowed share of the result, for float32."""
    absolute: float | Array = 0.0
    """Allowed besides; what is smaller than the smallest normal number always is."""

    def __str__(self) -> str:
        shown = [f"{a.dtype}{list(a.shape)}" if isinstance(a, np.ndarray) else str(a) for a in self.arguments]
        return f"{self.operation}({', '.join(shown)}, {self.options})"

    def run(self, device: Device) -> Any:
        return getattr(passes, self.operation)(device, *self.arguments, **self.options)

    def expected(self) -> Any:
        return getattr(numpy_ops, self.operation)(*self.arguments, **self.options)

    def judge(self, result: Any) -> None:
        """Raises AssertionError if the result is not NumPy's, within the tolerance."""
        expected = self.expected()
        if not isinstance(result, tuple):
            result, expected = (result,), (expected,)
        for ours, theirs in zip(result, expected, strict=True):
            self._judge(np.asarray(ours), theirs)

    def _judge(self, ours: Array, theirs: Array) -> None:
        assert ours.dtype == theirs.dtype, f"{self}: {ours.dtype} for {theirs.dtype}"
        assert ours.shape == theirs.shape, f"{self}: {ours.shape} for {theirs.shape}"
        if ours.dtype.kind != "f" or (
            self.relative == 0 and np.ndim(self.absolute) == 0 and not self.absolute
        ):
            assert np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f"), f"{self}: not the same"
            return
        step = 2.0**-10 if ours.dtype == np.float16 else 0.0
        tiny = 2.0**-24 if ours.dtype == np.float16 else 2.0**-126
        with np.errstate(all="ignore"):
            allowed = np.abs(theirs.astype(np.float64)) * (self.relative + step) + self.absolute + tiny
            far = np.abs(ours.astype(np.float64) - theirs.astype(np.float64)) > allowed
        wrong = (far & np.isfinite(theirs)) | (np.isfinite(ours) != np.isfinite(theirs))
        wrong |= np.isnan(ours) != np.isnan(theirs)
        wrong |= np.isinf(theirs) & ~np.isnan(ours) & (ours != theirs)
        assert not wrong.any(), f"{self}: {ours[wrong][:3]} for {theirs[wrong][:3]}"


def magnitude(x: Array, axis: int | None = None) -> Any:
    """What a compensated sum of these may be off by, besides its own last rounding."""
    with np.errstate(all="ignore"):
        return np.abs(x.astype(np.float64)).sum(axis=axis) * 2.0**-36


def reductions(x: Array, mask: Array, axis: int | None = None) -> Iterator[Case]:
    slack, squares = magnitude(x, axis), magnitude(np.square(x.astype(np.float64)), axis)
    count = max(1, x.size if axis is None else x.shape[axis])
    for name in SUMS:
        more = {"mean": slack / count, "square_sum": squares, "l2": 0.0}.get(name, slack)
        yield Case("reduce", (name, x), {"axis": axis}, 4 * u, more)
    for name in ("min", "max") if (x.size if axis is None else x.shape[axis]) else ():
        yield Case("reduce", (name, x), {"axis": axis})
    yield Case("reduce", ("threshold_count", x), {"axis": axis, "threshold": 0.25})
    yield Case("masked_sum", (x, mask), {"axis": axis}, 2 * u, slack)
    for ddof in (0, 1):
        yield Case("variance", (x,), {"axis": axis, "ddof": ddof}, 8 * u)


def of_floats(x: Array, y: Array, mask: Array) -> Iterator[Case]:
    """Everything that takes any number of floats."""
    yield from reductions(x, mask)
    for name in MAPS:
        of = np.abs(x) if name == "log" else x
        exact = name in ("relu", "abs", "neg")
        yield Case("unary", (name, of), {}, 0.0 if exact else 16 * u, 0.0 if exact else 2 * u)
    for name in PAIRS:
        yield Case("binary", (name, x, y))
    for exclusive in (False, True):
        slack = np.cumsum(np.abs(x.astype(np.float64)).reshape(-1)).reshape(x.shape) * 2.0**-36
        yield Case("scan", (x,), {"exclusive": exclusive}, 2 * u, slack + 1e-30)
    for affine in (False, True):
        yield Case("quantise", (x, 1), {"affine": affine})
    for bins in (1, 13, 5000):
        yield Case("histogram", (x, np.linspace(-2, 2, bins + 1).astype(np.float32)))


def of_integers(x: Array) -> Iterator[Case]:
    yield Case("copy", (x,))
    for name in ("sum", "min", "max") if x.size else ("sum",):
        yield Case("reduce", (name, x))
    for exclusive in (False, True):
        yield Case("scan", (x,), {"exclusive": exclusive})


def moves(x: Array, mask: Array) -> Iterator[Case]:
    yield Case("compact", (x, mask))
    if x.ndim > 1:
        yield Case("transpose", (x,))
    for order in {tuple(range(x.ndim)), tuple(reversed(range(x.ndim)))}:
        for width in {1, 7, x.shape[order[-1]]}:
            yield Case("repack", (x, order, width))


def batched(x: Array, y: Array, queries: Array) -> Iterator[Case]:
    integer = x.dtype == np.int8
    wide, partner, asked = (a.astype(np.float64) for a in (x, y, queries))
    tile = (16 + x.shape[1] / 16 + 2) * u
    for other, compared in ((y, partner), (queries[0], asked[0])):
        slack = np.abs(wide * compared).sum(axis=1) * 2.0**-36
        yield Case("dot", (x, other), {}, 0.0 if integer else 2 * u, 0.0 if integer else slack)
        yield Case("cosine", (x, other), {}, 0.0, 16 * u)
    yield Case(
        "dot_queries", (x, queries), {}, 0.0, 0.0 if integer else tile * (np.abs(asked) @ np.abs(wide).T)
    )
    yield Case("cosine_queries", (x, queries), {}, 0.0, 2 * tile + 16 * u)


def random_floats(chance: np.random.Generator, shape: Any, dtype: npt.DTypeLike) -> Array:
    return np.asarray(chance.standard_normal(shape)).astype(dtype)


def random_bits(chance: np.random.Generator, shape: Any, dtype: npt.DTypeLike) -> Array:
    """Elements with any bits at all: moves keep them."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(chance.bytes(size), dtype).reshape(shape)


def everything(seed: int, lengths: tuple[int, ...] = LENGTHS) -> Iterator[Case]:
    """All operations over all lengths and shapes."""
    chance = np.random.default_rng(seed)
    for length in lengths:
        yield from of_length(chance, length)
    yield from of_shapes(chance)


def of_length(chance: np.random.Generator, length: int) -> Iterator[Case]:
    """Everything that takes any number of elements."""
    mask = chance.random(length) < 0.5
    for dtype in FLOATS:
        x, y = random_floats(chance, length, dtype), random_floats(chance, length, dtype)
        yield from of_floats(x, y, mask)
    yield from of_integers(random_bits(chance, length, np.int32))
    for kind in (np.uint8, np.float16, np.int32, np.float64):
        yield from moves(random_bits(chance, length, kind), mask)


def of_shapes(chance: np.random.Generator) -> Iterator[Case]:
    for shape in SHAPES:
        x, mask = random_floats(chance, shape, np.float32), chance.random(shape) < 0.5
        for axis in range(len(shape)):
            yield from reductions(x, mask, axis)
            yield Case("scan", (x,), {"axis": axis}, 2 * u, 1e-6)
        for affine in (False, True):
            yield Case("quantise", (x, int(np.prod(shape[:-1]))), {"affine": affine})
        for kind in (np.uint8, np.float16, np.int32, np.int64):
            yield from moves(random_bits(chance, shape, kind), mask)
    for dtype in FLOATS:
        levels = random_bits(chance, (3, 50), np.int8)
        scales, zeros = np.array([0.5, 1e-3, 7], np.float32), np.array([0, -128, 5], np.int32)
        yield Case("dequantise", (levels, scales, zeros, np.dtype(dtype).name))
    for rows, width, count in SIZES:
        for dtype in FLOATS:
            yield from batched(*(random_floats(chance, (n, width), dtype) for n in (rows, rows, count)))
        yield from batched(*(random_bits(chance, (n, width), np.int8) for n in (rows, rows, count)))
