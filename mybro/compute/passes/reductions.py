"""Sums, extremes and counts along an axis, and histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from mybro.compute.arrays import SUFFIX, dtype_of, rows_of
from mybro.compute.device import Buffer, Device
from mybro.compute.passes.grid import THREADS, groups_for, pack

SHARE = 16384
"""Elements of a row for one threadgroup, if the row is long."""
MOST_PARTS = 1024
ENOUGH_ROWS = 64
"""So many rows keep the GPU busy with one threadgroup each."""
MOST_LOCAL_BINS = 4096

_INTEGER = {"sum", "min", "max"}


def reduce(device: Device, name: str, x: Any, *, axis: int | None = None, threshold: float = 0.0) -> Any:
    """One of the named reductions of each row.

    Args:
        device: where the kernels run.
        name: as in the kernels' names: `sum`, `mean`, `min`, `threshold_count`...
        x: any shape.
        axis: the one that goes; all of them if None.
        threshold: what is counted is larger than that.
    """
    x, rows, columns, shape = rows_of(x, axis)
    suffix = SUFFIX[dtype_of(x).name]
    op = f"{name}_int" if suffix == "i32" else name
    integer = suffix == "i32" or name == "threshold_count"
    result = device.allocate(rows, np.int32 if integer else np.float32)
    if rows == 0:
        return device.download(result, shape)
    source = device.upload(x)
    parts = parts_for(rows, columns)
    constants = pack("IIff", columns, parts, float(columns), threshold)
    if parts == 1:
        device.launch(f"whole_{op}_{suffix}", [source, result, constants], (1, rows, 1), THREADS)
        return device.download(result, shape)
    states = _states(device, rows * parts, name, integer)
    device.launch(f"part_{op}_{suffix}", [source, states, constants], (parts, rows, 1), THREADS)
    device.launch(f"states_{op}", [states, result, constants], (1, rows, 1), THREADS)
    return device.download(result, shape)


def parts_for(rows: int, columns: int) -> int:
    """How many threadgroups share a row."""
    if rows >= ENOUGH_ROWS:
        return 1
    return min(MOST_PARTS, groups_for(columns, SHARE))


def _states(device: Device, count: int, name: str, integer: bool) -> Buffer:
    if integer:
        return device.allocate(count, np.int32 if name in ("min", "max") else np.uint32)
    return device.allocate(count * (1 if name in ("min", "max") else 2), np.float32)


def masked_sum(device: Device, x: Any, mask: Any, *, axis: int | None = None) -> Any:
    """The sum of the elements whose mask is not zero."""
    x, rows, columns, shape = rows_of(x, axis)
    mask = rows_of(mask, axis)[0]
    result = device.allocate(rows, np.float32)
    if rows == 0:
        return device.download(result, shape)
    parts = parts_for(rows, columns)
    constants = pack("IIff", columns, parts, 1.0, 0.0)
    states = device.allocate(2 * rows * parts, np.float32)
    kernel = f"part_masked_{SUFFIX[dtype_of(x).name]}"
    device.launch(
        kernel, [device.upload(x), device.upload(mask), states, constants], (parts, rows, 1), THREADS
    )
    device.launch("states_sum", [states, result, constants], (1, rows, 1), THREADS)
    return device.download(result, shape)


def variance(device: Device, x: Any, *, axis: int | None = None, ddof: int = 0) -> Any:
    """The mean of squares around the mean, in two readings: one would lose small spreads of large numbers."""
    x, rows, columns, shape = rows_of(x, axis)
    result = device.allocate(rows, np.float32)
    if rows == 0:
        return device.download(result, shape)
    source, suffix = device.upload(x), SUFFIX[dtype_of(x).name]
    parts = parts_for(rows, columns)
    states = device.allocate(2 * rows * parts, np.float32)
    sums = device.allocate(2 * rows, np.float32)
    grid = (parts, rows, 1)
    constants = pack("IIff", columns, parts, float(max(columns - ddof, 0)), 0.0)
    device.launch(f"part_sum_{suffix}", [source, states, constants], grid, THREADS)
    device.launch("states_sum_pair", [states, sums, constants], (1, rows, 1), THREADS)
    around = device.allocate(2 * rows * parts, np.float32)
    device.launch(f"part_centred_{suffix}", [source, sums, around, constants], grid, THREADS)
    device.launch("states_mean", [around, result, constants], (1, rows, 1), THREADS)
    return device.download(result, shape)


def histogram(device: Device, x: Any, edges: Any) -> Any:
    """Counts of all elements between the edges, as uint32.

    Args:
        device: where the kernels run.
        x: any shape.
        edges: float32, ascending, one more than there are bins.
    """
    bins, count = edges.size - 1, int(x.size)
    first, last = float(edges[0]), float(edges[-1])
    counts = device.allocate(bins, np.uint32, zero=True)
    if count:
        with np.errstate(over="ignore"):
            scale = np.float32(bins / (last - first)) if last > first else np.float32(0)
        constants = pack("IIf", count, bins, float(scale))
        wide = "_wide" if bins > MOST_LOCAL_BINS else ""
        kernel = f"histogram{wide}_{SUFFIX[dtype_of(x).name]}"
        groups = min(MOST_PARTS, groups_for(count, SHARE))
        device.launch(
            kernel, [device.upload(x), device.upload(edges), counts, constants], (groups, 1, 1), THREADS
        )
    return device.download(counts, (bins,))
