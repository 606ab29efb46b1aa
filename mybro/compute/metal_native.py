"""The kernels on a Mac's GPU, for NumPy arrays: through Apple's own API, by the Rust engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from mybro.compute.device import Array, Buffer, Groups
from mybro.compute.sources import kernels
from mybro.errors import ComputeError
from mybro.native import engine

_HINTS = {"kernels_old": "Run make metal again"}


def host() -> Any:
    """The engine's class for the GPU; None where the engine is not built, or for another system."""
    return getattr(engine(), "MetalDevice", None)


class NativeDevice:
    """A device over the engine's. Kernels run in the order of their launches; a download waits for them."""

    def __init__(self, opened: Any) -> None:
        self._host = opened

    def upload(self, array: Any) -> Buffer:
        whole = np.ascontiguousarray(array)
        with _translated():
            return Buffer(self._host.upload(whole.tobytes()), whole.size, whole.dtype)

    def allocate(self, count: int, dtype: npt.DTypeLike, *, zero: bool = False) -> Buffer:
        kind = np.dtype(dtype)
        with _translated():  # Metal fills it with zeros
            return Buffer(self._host.allocate(count * kind.itemsize), count, kind)

    def launch(self, kernel: str, arguments: Sequence[Buffer | bytes], groups: Groups, size: int) -> None:
        given = [
            (parameter.index, one if isinstance(one, bytes) else one.handle)
            for parameter, one in zip(kernels()[kernel].parameters, arguments, strict=True)
        ]
        with _translated():
            self._host.launch(kernel, given, groups, size)

    def download(self, buffer: Buffer, shape: Sequence[int]) -> Array:
        count = int(np.prod(shape, dtype=np.int64))
        with _translated():
            content = self._host.download(buffer.handle, count * buffer.dtype.itemsize)
        return np.frombuffer(bytearray(content), buffer.dtype, count).reshape(shape)

    @property
    def gpu_seconds(self) -> float:
        """What the kernels so far took on the GPU, of those that were waited for."""
        return float(self._host.gpu_seconds)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        code, message = error.args if len(error.args) == 2 else ("gpu_failed", str(error))
        raise ComputeError(code, message, hint=_HINTS.get(code, "")) from None


def opened(made: Any, library: str | None, source: str | None) -> NativeDevice:
    """The device over a built library, or over sources that the driver compiles. Raises `ComputeError`."""
    with _translated():
        return NativeDevice(made(library=library, source=source))
