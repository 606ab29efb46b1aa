"""Floats as eight bits, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from mybro.compute.arrays import SUFFIX, dtype_of
from mybro.compute.device import Device
from mybro.compute.passes.grid import THREADS, groups_for, pack
from mybro.compute.passes.reductions import parts_for

RUN = 4


def quantise(device: Device, x: Any, rows: int, *, affine: bool = False) -> tuple[Any, Any, Any]:
    """The levels in the array's shape, and the scale and zero of each row.

    Args:
        device: where the kernels run.
        x: any shape.
        rows: how many equal parts of it have a scale of their own.
        affine: whether zero need not be the middle.
    """
    columns = int(x.size) // max(rows, 1)
    levels = device.allocate(int(x.size), np.int8)
    scales, zeros = device.allocate(rows, np.float32), device.allocate(rows, np.int32)
    if rows == 0:
        return device.download(levels, x.shape), device.download(scales, (0,)), device.download(zeros, (0,))
    source, suffix = device.upload(x), SUFFIX[dtype_of(x).name]
    parts = parts_for(rows, columns)
    reduction = pack("IIff", columns, parts, 1.0, 0.0)
    states = device.allocate(2 * rows * parts, np.float32)
    ranges = device.allocate(2 * rows, np.float32)
    constants = pack("III", columns, affine, rows)
    device.launch(f"part_range_{suffix}", [source, states, reduction], (parts, rows, 1), THREADS)
    device.launch("states_range", [states, ranges, reduction], (1, rows, 1), THREADS)
    grid = (groups_for(rows, THREADS), 1, 1)
    device.launch("quantise_scales", [ranges, scales, zeros, constants], grid, THREADS)
    if columns:
        grid = (groups_for(columns, RUN * THREADS), rows, 1)
        device.launch(f"quantise_{suffix}", [source, scales, zeros, levels, constants], grid, THREADS)
    shape = tuple(x.shape)
    return device.download(levels, shape), device.download(scales, (rows,)), device.download(zeros, (rows,))


def dequantise(device: Device, levels: Any, scales: Any, zeros: Any, dtype: str) -> Any:
    """The numbers that the levels stand for, as float32 or float16."""
    rows, count = int(scales.size), int(levels.size)
    result = device.allocate(count, dtype)
    if count:
        columns = count // rows
        grid = (groups_for(columns, RUN * THREADS), rows, 1)
        given = [device.upload(one) for one in (levels, scales, zeros)]
        constants = pack("III", columns, 0, rows)
        device.launch(f"dequantise_{SUFFIX[dtype]}", [*given, result, constants], grid, THREADS)
    return device.download(result, tuple(levels.shape))
