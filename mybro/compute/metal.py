"""Sums, maps, scans, moves, quantisation and similarities of arrays, on the GPU where there is one.

Arrays are NumPy's or MLX's, and results are of the same kind. `backend=` forces one of `metal`, `mlx-metal`,
`mlx`, `numpy` and `emulator`; `using(array)` tells which is chosen otherwise, and why. Results are the same
everywhere: bit for bit for integers and moves, within the tolerances in metal/README.md for floats. Every
function raises `ComputeError` for an array or a backend that cannot be used.

Sums, means and scans of float16 are float32, because float16 overflows at 65504.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mybro.compute.arrays import (
    FLOATS,
    as_mlx,
    as_numpy,
    checked,
    is_mlx,
    module_of,
    rows_and_partners,
    rows_of,
    same_shape,
    same_type,
)
from mybro.compute.backends import BACKENDS, OF_MLX, Choice, choose
from mybro.errors import ComputeError

_NUMBERS = (*FLOATS, "int32")
_MASKS = ("bool", "uint8", "int8")
_MOVED = (
    *FLOATS, "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool", "float64",
)  # fmt: skip


def using(array: Any, backend: str | None = None) -> Choice:
    """The backend that would compute with this array, and why."""
    return choose(array, backend)


def sum(x: Any, *, axis: int | None = None, backend: str | None = None) -> Any:  # noqa: A001
    """The sum along an axis, or of everything. int32 wraps around."""
    return _reduce("sum", checked(x, _NUMBERS), axis, backend)


def mean(x: Any, *, axis: int | None = None, backend: str | None = None) -> Any:
    """The mean; of nothing it is no number."""
    return _reduce("mean", checked(x, FLOATS), axis, backend)


def min(x: Any, *, axis: int | None = None, backend: str | None = None) -> Any:  # noqa: A001
    """The smallest element, in the array's own type. What is no number wins."""
    return _extreme("min", x, axis, backend)


def max(x: Any, *, axis: int | None = None, backend: str | None = None) -> Any:  # noqa: A001
    """The largest element, in the array's own type. What is no number wins."""
    return _extreme("max", x, axis, backend)


def l2(x: Any, *, axis: int | None = None, backend: str | None = None) -> Any:
    """The Euclidean length."""
    return _reduce("l2", checked(x, FLOATS), axis, backend)


def square_sum(x: Any, *, axis: int | None = None, backend: str | None = None) -> Any:
    """The sum of squares."""
    return _reduce("square_sum", checked(x, FLOATS), axis, backend)


def abs_sum(x: Any, *, axis: int | None = None, backend: str | None = None) -> Any:
    """The sum of absolute values."""
    return _reduce("abs_sum", checked(x, FLOATS), axis, backend)


def threshold_count(x: Any, threshold: float, *, axis: int | None = None, backend: str | None = None) -> Any:
    """How many elements are larger than `threshold`, as int32."""
    x = checked(x, FLOATS)
    return _run(backend, "reduce", "threshold_count", x, axis=axis, threshold=threshold)


def masked_sum(x: Any, mask: Any, *, axis: int | None = None, backend: str | None = None) -> Any:
    """The sum of the elements whose mask is not zero; the others may be anything."""
    x, mask = checked(x, FLOATS), checked(mask, _MASKS, "The mask")
    same_shape(x, mask)
    return _run(backend, "masked_sum", x, mask, axis=axis)


def variance(x: Any, *, axis: int | None = None, ddof: int = 0, backend: str | None = None) -> Any:
    """The mean of squares around the mean, with `ddof` taken from the count."""
    return _run(backend, "variance", checked(x, FLOATS), axis=axis, ddof=ddof)


def histogram(
    x: Any, bins: int = 10, limits: tuple[float, float] | None = None, *, backend: str | None = None
) -> tuple[Any, Any]:
    """Counts (uint32) between `bins` + 1 equally spaced edges, and the edges (float32).

    A bin holds its lower edge and not its upper one, except for the last. What is outside or no number is
    counted nowhere. Without limits they are the array's extremes, which must be finite then.
    """
    x = checked(x, FLOATS)
    if bins < 1:
        raise ComputeError("wrong_bins", "A histogram has at least one bin")
    if limits is None:
        limits = (float(min(x, backend=backend)), float(max(x, backend=backend))) if x.size else (0.0, 1.0)
    low, high = limits
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise ComputeError("wrong_limits", "The limits of a histogram are finite and ascending")
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, bins + 1).astype(np.float32)
    if is_mlx(x):
        edges = module_of(x).array(edges)
    return _run(backend, "histogram", x, edges), edges


def exp(x: Any, *, backend: str | None = None) -> Any:
    """e to the power of each element."""
    return _run(backend, "unary", "exp", checked(x, FLOATS))


def log(x: Any, *, backend: str | None = None) -> Any:
    """The natural logarithm of each element."""
    return _run(backend, "unary", "log", checked(x, FLOATS))


def sigmoid(x: Any, *, backend: str | None = None) -> Any:
    """1 / (1 + exp(-x)) of each element, without overflow."""
    return _run(backend, "unary", "sigmoid", checked(x, FLOATS))


def tanh(x: Any, *, backend: str | None = None) -> Any:
    """The hyperbolic tangent of each element."""
    return _run(backend, "unary", "tanh", checked(x, FLOATS))


def relu(x: Any, *, backend: str | None = None) -> Any:
    """Each element, or zero where it is less; what is no number stays."""
    return _run(backend, "unary", "relu", checked(x, FLOATS))


def abs(x: Any, *, backend: str | None = None) -> Any:  # noqa: A001
    """The absolute value of each element."""
    return _run(backend, "unary", "abs", checked(x, FLOATS))


def neg(x: Any, *, backend: str | None = None) -> Any:
    """The negative of each element."""
    return _run(backend, "unary", "neg", checked(x, FLOATS))


def add(x: Any, y: Any, *, backend: str | None = None) -> Any:
    """x + y of two arrays of one shape and type."""
    return _binary("add", x, y, backend)


def sub(x: Any, y: Any, *, backend: str | None = None) -> Any:
    """x - y of two arrays of one shape and type."""
    return _binary("sub", x, y, backend)


def mul(x: Any, y: Any, *, backend: str | None = None) -> Any:
    """x * y of two arrays of one shape and type."""
    return _binary("mul", x, y, backend)


def div(x: Any, y: Any, *, backend: str | None = None) -> Any:
    """x / y of two arrays of one shape and type."""
    return _binary("div", x, y, backend)


def scan(x: Any, *, axis: int | None = None, exclusive: bool = False, backend: str | None = None) -> Any:
    """Running sums along an axis, or over the whole array as one row, in the array's shape.

    `exclusive` leaves out the element itself. Floats give float32, int32 gives int32 and wraps around.
    """
    return _run(backend, "scan", checked(x, _NUMBERS), axis=axis, exclusive=exclusive)


def compact(x: Any, mask: Any, *, backend: str | None = None) -> Any:
    """The elements whose mask is not zero, in their order, as one row."""
    x, mask = checked(x, _MOVED), checked(mask, _MASKS, "The mask")
    same_shape(x, mask)
    return _run(backend, "compact", x, mask)


def transpose(x: Any, *, backend: str | None = None) -> Any:
    """The last two axes exchanged, as a contiguous array."""
    x = checked(x, _MOVED)
    if x.ndim < 2:
        raise ComputeError("wrong_shape", "Only what has two dimensions can be transposed")
    return _run(backend, "transpose", x)


def repack(
    x: Any, axes: tuple[int, ...] | None = None, width: int | None = None, *, backend: str | None = None
) -> Any:
    """The axes in another order, contiguous; the last one padded with zeros or cut to `width`."""
    x = checked(x, _MOVED)
    order = tuple(range(x.ndim)) if axes is None else axes
    if not 1 <= x.ndim <= 4 or sorted(order) != list(range(x.ndim)):
        raise ComputeError("wrong_axes", "The axes are an order of the array's one to four dimensions")
    last = int(x.shape[order[-1]])
    if width is not None and width < 0:
        raise ComputeError("wrong_width", "A row has no less than no elements")
    return _run(backend, "repack", x, order, last if width is None else width)


@dataclass(frozen=True, slots=True)
class Quantised:
    """Numbers as eight bits: each is about scale * (level - zero)."""

    levels: Any
    """int8, in the shape of what was quantised."""
    scales: Any
    """float32 [rows]; one row if all have the same scale."""
    zeros: Any
    """int32 [rows]."""


def quantise(x: Any, *, affine: bool = False, per_row: bool = False, backend: str | None = None) -> Quantised:
    """Floats as eight bits, symmetric around zero or affine, with one scale or one for each row.

    A row is one of the last axis. The scale comes from what is finite; infinities saturate, and what is no
    number becomes 0.
    """
    x = checked(x, FLOATS)
    rows = 1
    if per_row and x.ndim:
        rows = int(np.prod(x.shape[:-1], dtype=np.int64))
    return Quantised(*_run(backend, "quantise", x, rows, affine=affine))


def dequantise(q: Quantised, *, dtype: str = "float32", backend: str | None = None) -> Any:
    """The numbers that the levels stand for, as float32 or float16."""
    checked(q.levels, ("int8",), "What is dequantised")
    if dtype not in FLOATS:
        raise ComputeError("wrong_type", f"Levels become {' or '.join(FLOATS)}, not {dtype}")
    return _run(backend, "dequantise", q.levels, q.scales, q.zeros, dtype)


def dot(x: Any, y: Any, *, backend: str | None = None) -> Any:
    """The product of each row of `x` [rows, width] with the same row of `y`, or with the only one [width].

    Floats give float32; int8 gives int32, exactly.
    """
    return _run(backend, "dot", *rows_and_partners(x, y, alone=True))


def cosine(x: Any, y: Any, *, backend: str | None = None) -> Any:
    """The cosine between each row of `x` and the same of `y`, or the only one; 0 for what has no length."""
    return _run(backend, "cosine", *rows_and_partners(x, y, alone=True))


def dot_queries(rows: Any, queries: Any, *, backend: str | None = None) -> Any:
    """The product of every query [queries, width] with every row [rows, width]: [queries, rows]."""
    return _run(backend, "dot_queries", *rows_and_partners(rows, queries, alone=False))


def cosine_queries(rows: Any, queries: Any, *, backend: str | None = None) -> Any:
    """The cosine between every query and every row: [queries, rows]."""
    return _run(backend, "cosine_queries", *rows_and_partners(rows, queries, alone=False))


def _run(backend: str | None, operation: str, *arguments: Any, **options: Any) -> Any:
    array = next(argument for argument in arguments if hasattr(argument, "shape"))
    name = choose(array, backend).name
    if (name in OF_MLX) == is_mlx(array):
        return BACKENDS[name].run(operation, *arguments, **options)
    there, back = (as_mlx, as_numpy) if name in OF_MLX else (as_numpy, as_mlx)
    result = BACKENDS[name].run(operation, *map(there, arguments), **options)
    return tuple(map(back, result)) if isinstance(result, tuple) else back(result)


def _reduce(name: str, x: Any, axis: int | None, backend: str | None) -> Any:
    return _run(backend, "reduce", name, x, axis=axis)


def _extreme(name: str, x: Any, axis: int | None, backend: str | None) -> Any:
    x = checked(x, _NUMBERS)
    columns = rows_of(x, axis)[2]
    if columns == 0:
        raise ComputeError("empty", f"Nothing has no {name}")
    # Kernels compare halves as floats; that these are halves again is exact.
    return _run(backend, "reduce", name, x, axis=axis).astype(x.dtype)


def _binary(name: str, x: Any, y: Any, backend: str | None) -> Any:
    x, y = checked(x, FLOATS), checked(y, FLOATS)
    same_shape(x, y)
    same_type(x, y)
    return _run(backend, "binary", name, x, y)
