"""Every operation in MLX's own: for MLX arrays where there is no GPU.

What MLX has no operation for is done by NumPy, which reads MLX's memory where it lies. So are sums of
nothing, over which MLX's CPU can take minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np

from mybro.compute import numpy_ops
from mybro.compute.arrays import FLOATS, dtype_of, rows_of

_BLOCK = 128

_UNARY: dict[str, Callable[[Any], Any]] = {
    "exp": mx.exp,
    "log": mx.log,
    "sigmoid": mx.sigmoid,
    "tanh": mx.tanh,
    "abs": mx.abs,
    "neg": mx.negative,
    "relu": lambda x: mx.where(x < 0, mx.zeros_like(x), x),
}
_BINARY = {"add": mx.add, "sub": mx.subtract, "mul": mx.multiply, "div": mx.divide}


def reduce(name: str, x: Any, *, axis: int | None = None, threshold: float = 0.0) -> Any:
    if not x.size:
        return mx.array(numpy_ops.reduce(name, _seen(x), axis=axis))
    x, rows, columns, shape = rows_of(x, axis)
    matrix = x.reshape(rows, columns)
    if dtype_of(x).name in FLOATS:
        matrix = matrix.astype(mx.float32)
    match name:
        case "sum":
            result = _total(matrix)
        case "mean":
            result = _total(matrix) / columns
        case "abs_sum":
            result = _total(mx.abs(matrix))
        case "square_sum":
            result = _total(mx.square(matrix))
        case "l2":
            result = mx.sqrt(_total(mx.square(matrix)))
        case "min":
            result = _propagating(mx.min(matrix, axis=1), matrix)
        case "max":
            result = _propagating(mx.max(matrix, axis=1), matrix)
        case "threshold_count":
            result = mx.sum((matrix > threshold).astype(mx.int32), axis=1)
        case _:
            raise NotImplementedError(name)
    return result.reshape(shape)


def _total(matrix: Any) -> Any:
    """The sum of each row, in blocks: MLX adds one number after the other, and errs more and more."""
    rows, columns = matrix.shape
    whole = columns // _BLOCK * _BLOCK
    if whole <= _BLOCK or dtype_of(matrix).kind != "f":
        return mx.sum(matrix, axis=1)
    parts = mx.sum(matrix[:, :whole].reshape(rows, -1, _BLOCK), axis=2)
    return _total(mx.concatenate([parts, matrix[:, whole:]], axis=1))


def _propagating(result: Any, matrix: Any) -> Any:
    if dtype_of(matrix).kind != "f":
        return result
    return mx.where(mx.any(mx.isnan(matrix), axis=1), mx.array(float("nan")), result)


def masked_sum(x: Any, mask: Any, *, axis: int | None = None) -> Any:
    if not x.size:
        return mx.array(numpy_ops.masked_sum(_seen(x), _seen(mask), axis=axis))
    x, rows, columns, shape = rows_of(x, axis)
    mask = rows_of(mask, axis)[0]
    wide = x.astype(mx.float32)
    kept = mx.where(mask != 0, wide, mx.zeros_like(wide))
    return _total(kept.reshape(rows, columns)).reshape(shape)


def variance(x: Any, *, axis: int | None = None, ddof: int = 0) -> Any:
    if not x.size:
        return mx.array(numpy_ops.variance(_seen(x), axis=axis, ddof=ddof))
    x, rows, columns, shape = rows_of(x, axis)
    wide = x.reshape(rows, columns).astype(mx.float32)
    around = wide - _total(wide).reshape(rows, 1) / columns
    # What the rounded mean is off by is taken out again.
    rest = mx.square(_total(around)) / columns
    return ((_total(mx.square(around)) - rest) / mx.array(float(max(columns - ddof, 0)))).reshape(shape)


def histogram(x: Any, edges: Any) -> Any:
    return mx.array(numpy_ops.histogram(_seen(x), _seen(edges)))


def unary(name: str, x: Any) -> Any:
    return _UNARY[name](x.astype(mx.float32)).astype(x.dtype)


def binary(name: str, x: Any, y: Any) -> Any:
    return _BINARY[name](x.astype(mx.float32), y.astype(mx.float32)).astype(x.dtype)


def scan(x: Any, *, axis: int | None = None, exclusive: bool = False) -> Any:
    line = x.reshape(-1) if axis is None else x
    wide = line.astype(mx.float32) if dtype_of(x).name in FLOATS else line
    along = 0 if axis is None else axis
    return (
        mx.cumsum(wide, axis=along, inclusive=not exclusive).reshape(x.shape)
        if x.size
        else wide.reshape(x.shape)
    )


def compact(x: Any, mask: Any) -> Any:
    return mx.array(numpy_ops.compact(_seen(x), _seen(mask)))


def copy(x: Any) -> Any:
    return mx.array(x)


def transpose(x: Any) -> Any:
    return mx.contiguous(mx.swapaxes(x, -1, -2))


def repack(x: Any, axes: tuple[int, ...], width: int) -> Any:
    turned = mx.transpose(x, axes)
    kept = turned[..., :width]
    lacking = width - int(kept.shape[-1])
    return mx.contiguous(mx.pad(kept, [(0, 0)] * (kept.ndim - 1) + [(0, lacking)]))


def quantise(x: Any, rows: int, *, affine: bool = False) -> tuple[Any, Any, Any]:
    levels, scales, zeros = numpy_ops.quantise(_seen(x), rows, affine=affine)
    return mx.array(levels), mx.array(scales), mx.array(zeros)


def dequantise(levels: Any, scales: Any, zeros: Any, dtype: str) -> Any:
    if not levels.size:
        return mx.zeros(levels.shape, getattr(mx, dtype))
    matrix = levels.reshape(int(scales.size), -1).astype(mx.int32) - zeros.reshape(-1, 1)
    return (
        (matrix.astype(mx.float32) * scales.reshape(-1, 1)).astype(getattr(mx, dtype)).reshape(levels.shape)
    )


def dot(x: Any, y: Any) -> Any:
    return mx.sum(_wide(x) * _wide(y), axis=1)


def cosine(x: Any, y: Any) -> Any:
    a, b = x.astype(mx.float32), y.astype(mx.float32)
    lengths = mx.sqrt(mx.sum(a * a, axis=1)) * mx.sqrt(mx.sum(b * b, axis=-1))
    return _quotient(mx.sum(a * b, axis=1), lengths)


def dot_queries(rows: Any, queries: Any) -> Any:
    if dtype_of(rows).name == "int8":
        return mx.array(numpy_ops.dot_queries(_seen(rows), _seen(queries)))
    return _wide(queries) @ _wide(rows).T


def cosine_queries(rows: Any, queries: Any) -> Any:
    a, b = rows.astype(mx.float32), queries.astype(mx.float32)
    lengths = mx.sqrt(mx.sum(b * b, axis=1))[:, None] * mx.sqrt(mx.sum(a * a, axis=1))
    return _quotient(b @ a.T, lengths)


def _quotient(product: Any, lengths: Any) -> Any:
    return mx.where(lengths == 0, mx.zeros_like(product), product / lengths)


def _wide(x: Any) -> Any:
    return x.astype(mx.int32 if dtype_of(x).name == "int8" else mx.float32)


def _seen(x: Any) -> Any:
    """The same memory as a NumPy array."""
    return np.array(x, copy=False)
