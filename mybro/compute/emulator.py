"""The kernels on a CPU, by the emulator of a checkout: slow, for tests and for looking into a kernel."""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mybro.compute.device import Array, Buffer, Groups
from mybro.compute.sources import kernels
from mybro.errors import ComputeError

if TYPE_CHECKING:
    from metal.emu.runner import Emulator


def missing() -> str:
    """Why the emulator cannot be used; empty if it can."""
    try:
        from metal.emu.toolchain import OLDEST, find
    except ImportError:
        return "the emulator is part of a checkout of mybro, not of the package"
    return "" if find() else f"it needs clang++ {OLDEST} or later"


def shared() -> EmulatorDevice:
    """One emulator for all calls of this process.

    Raises:
        ComputeError: it cannot be used here.
    """
    global _shared  # noqa: PLW0603 - its child process is worth keeping
    if _shared is None or _shared.closed():
        why = missing()
        if why:
            raise ComputeError("backend_missing", f"The emulator cannot be used: {why}")
        from metal.emu.runner import Emulator

        _shared = EmulatorDevice(Emulator())
        atexit.register(_shared.close)
    return _shared


_shared: EmulatorDevice | None = None


class EmulatorDevice:
    """A device over an open emulator, which it closes with itself."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def upload(self, array: Any) -> Buffer:
        whole = np.ascontiguousarray(array)
        return self._kept(self._emulator.upload(whole), whole.size, whole.dtype)

    def allocate(self, count: int, dtype: npt.DTypeLike, *, zero: bool = False) -> Buffer:
        if zero:
            return self.upload(np.zeros(count, dtype))
        return self._kept(self._emulator.allocate(count, dtype), count, np.dtype(dtype))

    def launch(self, kernel: str, arguments: Sequence[Buffer | bytes], groups: Groups, size: int) -> None:
        buffers, constants = {}, {}
        for parameter, argument in zip(kernels()[kernel].parameters, arguments, strict=True):
            if isinstance(argument, Buffer):
                buffers[parameter.index] = argument.handle.number
            else:
                constants[parameter.index] = argument
        threads = (groups[0] * size, groups[1], groups[2])
        self._emulator.launch(kernel, buffers, constants, threads, (size, 1, 1))

    def download(self, buffer: Buffer, shape: Sequence[int]) -> Array:
        count = int(np.prod(shape, dtype=np.int64))
        return self._emulator.download(buffer.handle.number, count, buffer.dtype, buffer.count).reshape(shape)

    def closed(self) -> bool:
        return self._emulator.closed

    def close(self) -> None:
        self._emulator.close()

    def _kept(self, number: int, count: int, dtype: np.dtype[Any]) -> Buffer:
        handle = _Handle(number)
        # The child keeps a buffer for as long as anybody here does.
        weakref.finalize(handle, self._emulator.forget, number)
        return Buffer(handle, count, dtype)


class _Handle:
    """The child's number for a buffer."""

    def __init__(self, number: int) -> None:
        self.number = number
