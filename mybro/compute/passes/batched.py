"""Dot products and cosines of many rows at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mybro.compute.arrays import SUFFIX, dtype_of
from mybro.compute.device import Device
from mybro.compute.passes.grid import THREADS, groups_for, pack

SIMD_WIDTH = 32
REGISTERS = 4
LANES = {"narrow": (64, 2), "wide": (16, 8)}
"""Lanes across rows and across queries, as the kernels were instantiated."""
MOST_NARROW = 8
"""So many queries fit the narrow tile."""


def dot(device: Device, x: Any, y: Any) -> Any:
    """The product of each row with its partner, or with the only one."""
    return _rowwise(device, "dot", x, y)


def cosine(device: Device, x: Any, y: Any) -> Any:
    """The cosine between each row and its partner, or the only one."""
    return _rowwise(device, "cosine", x, y)


def dot_queries(device: Device, rows: Any, queries: Any) -> Any:
    """The product of every query with every row: [queries, rows]."""
    return _tiled(device, "dot", rows, queries)


def cosine_queries(device: Device, rows: Any, queries: Any) -> Any:
    """The cosine between every query and every row: [queries, rows]."""
    return _tiled(device, "cosine", rows, queries)


def _rowwise(device: Device, name: str, x: Any, y: Any) -> Any:
    rows, width = (int(extent) for extent in x.shape)
    suffix = SUFFIX[dtype_of(x).name]
    result = device.allocate(rows, _result(name, suffix))
    if rows:
        constants = pack("IIII", rows, 1, width, width if y.ndim == 2 else 0)
        grid = (groups_for(rows, THREADS // SIMD_WIDTH), 1, 1)
        given = [device.upload(x), device.upload(y)]
        device.launch(f"{name}_rowwise_{suffix}", [*given, result, constants], grid, THREADS)
    return device.download(result, (rows,))


def _tiled(device: Device, name: str, x: Any, y: Any) -> Any:
    (rows, width), queries = (int(extent) for extent in x.shape), int(y.shape[0])
    suffix = SUFFIX[dtype_of(x).name]
    result = device.allocate(queries * rows, _result(name, suffix))
    if queries * rows:
        shape = "narrow" if queries <= MOST_NARROW else "wide"
        across, down = LANES[shape]
        grid = (groups_for(rows, REGISTERS * across), groups_for(queries, REGISTERS * down), 1)
        constants = pack("IIII", rows, queries, width, width)
        given = [device.upload(x), device.upload(y)]
        device.launch(f"{name}_{shape}_{suffix}", [*given, result, constants], grid, across * down)
    return device.download(result, (queries, rows))


def _result(name: str, suffix: str) -> npt.DTypeLike:
    return np.int32 if name == "dot" and suffix == "i8" else np.float32
