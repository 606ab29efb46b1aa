"""Moves of elements, as bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mybro.compute.arrays import dtype_of, is_mlx, module_of
from mybro.compute.device import Device
from mybro.compute.passes.grid import THREADS, groups_for, pack

TILE = 32
UNSIGNED = {1: "uint8", 2: "uint16", 4: "uint32", 8: "uint64"}


def as_bits(x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The array as unsigned integers of the same size, and how such a result becomes its own type again."""
    dtype = dtype_of(x)
    module = module_of(x)
    if is_mlx(x):
        own, bits = x.dtype, getattr(module, UNSIGNED[dtype.itemsize])
        return module.contiguous(x).view(bits), lambda y: y.view(own)
    return np.ascontiguousarray(x).view(UNSIGNED[dtype.itemsize]), lambda y: y.view(dtype)


def copy(device: Device, x: Any) -> Any:
    """The same elements again: what a device can read and write at all. Of four bytes each."""
    bits, restore = as_bits(x)
    count = int(x.size)
    result = device.allocate(count, dtype_of(bits))
    if count:
        grid = (groups_for(count, 4 * THREADS), 1, 1)
        device.launch("copy_32", [device.upload(bits), result, pack("I", count)], grid, THREADS)
    return restore(device.download(result, tuple(x.shape)))


def transpose(device: Device, x: Any) -> Any:
    """The last two axes exchanged."""
    bits, restore = as_bits(x)
    *outer, rows, columns = (int(extent) for extent in x.shape)
    result = device.allocate(int(x.size), dtype_of(bits))
    if x.size:
        grid = (groups_for(columns, TILE), groups_for(rows, TILE), int(np.prod(outer, dtype=np.int64)))
        kernel = f"transpose_{8 * dtype_of(bits).itemsize}"
        device.launch(kernel, [device.upload(bits), result, pack("II", rows, columns)], grid, THREADS)
    return restore(device.download(result, (*outer, columns, rows)))


def repack(device: Device, x: Any, axes: tuple[int, ...], width: int) -> Any:
    """The axes in another order, at most four; the last one padded with zeros or cut to `width`."""
    bits, restore = as_bits(x)
    shape = [int(extent) for extent in x.shape]
    strides = [int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape))]
    extent = [shape[axis] for axis in axes]
    columns, extent[-1] = extent[-1], width
    stride = [strides[axis] for axis in axes]
    filler = 4 - len(extent)
    count = int(np.prod(extent, dtype=np.int64))
    result = device.allocate(count, dtype_of(bits))
    if count:
        constants = pack("II4I4i", count, columns, *[1] * filler, *extent, *[0] * filler, *stride)
        kernel = f"repack_{8 * dtype_of(bits).itemsize}"
        grid = (groups_for(count, THREADS), 1, 1)
        device.launch(kernel, [device.upload(bits), result, constants], grid, THREADS)
    return restore(device.download(result, tuple(extent)))
