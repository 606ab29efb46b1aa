"""Running sums, and what rests on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from mybro.compute.arrays import SUFFIX, dtype_of, module_of, rows_of
from mybro.compute.device import Buffer, Device
from mybro.compute.passes.grid import THREADS, groups_for, pack
from mybro.compute.passes.moves import as_bits

TILE = 8 * THREADS


def scan(device: Device, x: Any, *, axis: int | None = None, exclusive: bool = False) -> Any:
    """Running sums along an axis, or over the whole array as one row.

    Floats give float32, int32 gives int32 and wraps around.
    """
    x, rows, columns, shape = rows_of(x, axis)
    suffix = SUFFIX[dtype_of(x).name]
    integer = suffix == "i32"
    result = device.allocate(rows * columns, np.int32 if integer else np.float32)
    if rows * columns:
        source = device.upload(x)
        kind = suffix if integer else "states"
        tiles = groups_for(columns, TILE)
        offsets = _offsets(device, f"scan_totals_{suffix}", kind, source, rows, columns)
        constants = pack("II", columns, exclusive)
        device.launch(f"scan_apply_{suffix}", [source, offsets, result, constants], (tiles, rows, 1), THREADS)
    if axis is None:
        return device.download(result, tuple(x.shape))
    whole = device.download(result, (*shape, columns))
    return module_of(whole).moveaxis(whole, -1, axis)


def _offsets(device: Device, totals: str, kind: str, source: Buffer, rows: int, columns: int) -> Buffer:
    """The state before each tile of each row."""
    tiles = groups_for(columns, TILE)
    width, dtype = (1, np.uint32) if kind == "i32" else (2, np.float32)
    if tiles == 1:
        return device.allocate(width * rows, dtype, zero=True)
    states = device.allocate(width * rows * tiles, dtype)
    device.launch(totals, [source, states, pack("II", columns, 0)], (tiles, rows, 1), THREADS)
    above = _offsets(device, f"scan_totals_{kind}", kind, states, rows, tiles)
    result = device.allocate(width * rows * tiles, dtype)
    grid = (groups_for(tiles, TILE), rows, 1)
    device.launch(f"scan_apply_{kind}", [states, above, result, pack("II", tiles, 1)], grid, THREADS)
    return result


def compact(device: Device, x: Any, mask: Any) -> Any:
    """The elements whose mask is not zero, in their order, as one row."""
    count = int(x.size)
    bits, restore = as_bits(x)
    if count == 0:
        return restore(device.download(device.upload(bits), (0,)))
    flags = device.upload(mask)
    tiles = groups_for(count, TILE)
    totals = device.allocate(tiles, np.uint32)
    device.launch("scan_totals_mask", [flags, totals, pack("II", count, 0)], (tiles, 1, 1), THREADS)
    sums = device.allocate(tiles, np.uint32)
    above = _offsets(device, "scan_totals_i32", "i32", totals, 1, tiles)
    grid = (groups_for(tiles, TILE), 1, 1)
    device.launch("scan_apply_i32", [totals, above, sums, pack("II", tiles, 0)], grid, THREADS)
    found = int(device.download(sums, (tiles,))[-1])
    offsets = device.allocate(tiles, np.uint32)
    device.launch("scan_apply_i32", [totals, above, offsets, pack("II", tiles, 1)], grid, THREADS)
    result = device.allocate(found, dtype_of(bits))
    if found:
        kernel = f"compact_{8 * dtype_of(bits).itemsize}"
        arguments: list[Buffer | bytes] = [device.upload(bits), flags, offsets, result, pack("II", count, 0)]
        device.launch(kernel, arguments, (tiles, 1, 1), THREADS)
    return restore(device.download(result, (found,)))
