"""Every operation in NumPy: what runs where there is no GPU, and what the kernels are compared with.

Sums are made in float64 and rounded once: at least as exact as the kernels' compensated ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mybro.compute.arrays import FLOATS, rows_of
from mybro.compute.device import Array


def reduce(name: str, x: Array, *, axis: int | None = None, threshold: float = 0.0) -> Array:
    x, rows, columns, shape = rows_of(x, axis)
    matrix = x.reshape(rows, columns)
    with np.errstate(all="ignore"):
        return np.asarray(_reduce(name, matrix, threshold)).reshape(shape)


def _reduce(name: str, x: Array, threshold: float) -> Any:
    if name in ("min", "max"):
        best = x.min(axis=1) if name == "min" else x.max(axis=1)
        return best if x.dtype == np.int32 else best.astype(np.float32)
    if name == "threshold_count":
        return np.count_nonzero(x > np.float32(threshold), axis=1).astype(np.int32)
    if x.dtype == np.int32:
        return x.view(np.uint32).sum(axis=1, dtype=np.uint32).view(np.int32)
    wide = x.astype(np.float64)
    if name in ("l2", "square_sum"):
        squares = np.square(wide).sum(axis=1).astype(np.float32)
        return np.sqrt(squares) if name == "l2" else squares
    total = (np.abs(wide) if name == "abs_sum" else wide).sum(axis=1)
    return (total / x.shape[1] if name == "mean" else total).astype(np.float32)


def masked_sum(x: Array, mask: Array, *, axis: int | None = None) -> Array:
    x, rows, columns, shape = rows_of(x, axis)
    mask = rows_of(mask, axis)[0]
    with np.errstate(all="ignore"):
        total = x.reshape(rows, columns).sum(axis=1, dtype=np.float64, where=mask.reshape(rows, columns) != 0)
        return np.asarray(total.astype(np.float32)).reshape(shape)


def variance(x: Array, *, axis: int | None = None, ddof: int = 0) -> Array:
    x, rows, columns, shape = rows_of(x, axis)
    with np.errstate(all="ignore"):
        wide = x.reshape(rows, columns).astype(np.float64)
        around = wide - wide.sum(axis=1, keepdims=True) / columns
        result = np.square(around).sum(axis=1) / np.float64(max(columns - ddof, 0))
        return np.asarray(result.astype(np.float32)).reshape(shape)


def histogram(x: Array, edges: Array) -> Array:
    return np.histogram(x, bins=edges.astype(np.float64))[0].astype(np.uint32)


def unary(name: str, x: Array) -> Array:
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64)
        match name:
            case "exp":
                result = np.exp(wide)
            case "log":
                result = np.log(wide)
            case "sigmoid":
                e = np.exp(-np.abs(wide))
                result = np.where(wide < 0, e, 1.0) / (1.0 + e)
            case "tanh":
                result = np.tanh(wide)
            case "relu":
                result = np.where(wide < 0, 0.0, wide)
            case "abs":
                return np.abs(x)
            case "neg":
                return np.negative(x)
            case _:
                raise NotImplementedError(name)
        return np.asarray(result.astype(x.dtype))


def binary(name: str, x: Array, y: Array) -> Array:
    function = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}[name]
    with np.errstate(all="ignore"):
        return np.asarray(function(x.astype(np.float32), y.astype(np.float32)).astype(x.dtype))


def scan(x: Array, *, axis: int | None = None, exclusive: bool = False) -> Array:
    integer = x.dtype == np.int32
    along = 0 if axis is None else axis
    line = x.reshape(-1) if axis is None else x
    with np.errstate(all="ignore"):
        sums = np.cumsum(line, axis=along, dtype=np.int64 if integer else np.float64)
    if exclusive:
        sums = np.roll(sums, 1, axis=along)
        if sums.shape[along]:
            np.moveaxis(sums, along, 0)[0] = 0
    with np.errstate(all="ignore"):
        return np.asarray(sums.astype(np.int32 if integer else np.float32)).reshape(x.shape)


def compact(x: Array, mask: Array) -> Array:
    return np.asarray(x.reshape(-1)[mask.reshape(-1) != 0])


def copy(x: Array) -> Array:
    return x.copy()


def transpose(x: Array) -> Array:
    return np.ascontiguousarray(np.swapaxes(x, -1, -2))


def repack(x: Array, axes: tuple[int, ...], width: int) -> Array:
    turned = np.transpose(x, axes)
    result = np.zeros((*turned.shape[:-1], width), x.dtype)
    kept = min(width, turned.shape[-1])
    result[..., :kept] = turned[..., :kept]
    return result


def quantise(x: Array, rows: int, *, affine: bool = False) -> tuple[Array, Array, Array]:
    with np.errstate(all="ignore"):  # a signalling NaN is as good as any
        matrix = x.reshape(rows, -1).astype(np.float32)
    finite = np.where(np.isfinite(matrix), matrix, np.float32(0))
    low, high = finite.min(axis=1, initial=0), finite.max(axis=1, initial=0)
    with np.errstate(all="ignore"):
        steps = (
            high / np.float32(255) - low / np.float32(255)
            if affine
            else np.maximum(-low, high) / np.float32(127)
        )
        scales = np.where(steps > 0, steps, np.float32(1)).astype(np.float32)
        zeros = np.clip(np.rint(np.float32(-128) - low / scales), -128, 127) if affine else np.zeros(rows)
        levels = np.rint(matrix / scales[:, None]) + zeros[:, None].astype(np.float32)
        levels = np.where(np.isnan(matrix), zeros[:, None], levels)
    clipped = np.clip(levels, -128 if affine else -127, 127).astype(np.int8)
    return clipped.reshape(x.shape), scales, zeros.astype(np.int32)


def dequantise(levels: Array, scales: Array, zeros: Array, dtype: str) -> Array:
    matrix = levels.reshape(scales.size, -1).astype(np.int32) - zeros.reshape(-1, 1)
    with np.errstate(all="ignore"):
        result = (matrix.astype(np.float32) * scales.reshape(-1, 1)).astype(dtype)
    return np.asarray(result).reshape(levels.shape)


def dot(x: Array, y: Array) -> Array:
    if x.dtype.name not in FLOATS:
        return np.asarray((x.astype(np.int32) * y.astype(np.int32)).sum(axis=1, dtype=np.int32))
    with np.errstate(all="ignore"):
        return np.asarray((x.astype(np.float64) * y.astype(np.float64)).sum(axis=1).astype(np.float32))


def cosine(x: Array, y: Array) -> Array:
    with np.errstate(all="ignore"):
        a, b = x.astype(np.float64), y.astype(np.float64)
        lengths = np.sqrt(np.square(a).sum(axis=1)) * np.sqrt(np.square(b).sum(axis=-1))
        return _quotient((a * b).sum(axis=1), lengths)


def dot_queries(rows: Array, queries: Array) -> Array:
    wide = np.float64  # holds the sums of products of bytes exactly as well
    with np.errstate(all="ignore"):
        product = queries.astype(wide) @ rows.astype(wide).T
        return np.asarray(product.astype(np.float32 if rows.dtype.name in FLOATS else np.int32))


def cosine_queries(rows: Array, queries: Array) -> Array:
    with np.errstate(all="ignore"):
        a, b = rows.astype(np.float64), queries.astype(np.float64)
        lengths = np.sqrt(np.square(b).sum(axis=1))[:, None] * np.sqrt(np.square(a).sum(axis=1))
        return _quotient(b @ a.T, lengths)


def _quotient(product: Array, lengths: Array) -> Array:
    return np.asarray(
        np.where(lengths == 0, 0.0, product / np.where(lengths == 0, 1.0, lengths)).astype(np.float32)
    )
