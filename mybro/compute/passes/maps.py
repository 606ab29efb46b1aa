"""One result for each element."""

from __future__ import annotations

from typing import Any

from mybro.compute.arrays import SUFFIX, dtype_of
from mybro.compute.device import Device
from mybro.compute.passes.grid import THREADS, groups_for, pack

RUN = 4


def unary(device: Device, name: str, x: Any) -> Any:
    """`exp`, `log`, `sigmoid`, `tanh`, `relu`, `abs` or `neg` of each element."""
    return _map(device, name, x)


def binary(device: Device, name: str, x: Any, y: Any) -> Any:
    """`add`, `sub`, `mul` or `div` of two arrays of one shape."""
    return _map(device, name, x, y)


def _map(device: Device, name: str, *arrays: Any) -> Any:
    x, count = arrays[0], int(arrays[0].size)
    dtype = dtype_of(x)
    result = device.allocate(count, dtype)
    if count:
        given = [device.upload(array) for array in arrays]
        grid = (groups_for(count, RUN * THREADS), 1, 1)
        device.launch(f"{name}_{SUFFIX[dtype.name]}", [*given, result, pack("I", count)], grid, THREADS)
    return device.download(result, tuple(x.shape))
