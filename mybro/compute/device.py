"""What the operations need of a device that runs kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Groups: TypeAlias = tuple[int, int, int]


@dataclass(slots=True)
class Buffer:
    """Elements on a device."""

    handle: Any
    """The device's own."""
    count: int
    dtype: np.dtype[Any]


class Device(Protocol):
    """Runs the library's kernels. Arrays are NumPy's, or the device's own where it has some."""

    def upload(self, array: Any) -> Buffer:
        """A buffer with the array's elements in C order."""
        ...

    def allocate(self, count: int, dtype: npt.DTypeLike, *, zero: bool = False) -> Buffer:
        """A buffer with undefined elements, or with zeros."""
        ...

    def launch(self, kernel: str, arguments: Sequence[Buffer | bytes], groups: Groups, size: int) -> None:
        """Run a kernel; the arguments are in the order of their buffer indices, bytes are constants.

        Args:
            kernel: its name in metal/manifest.json.
            arguments: one for each parameter of the kernel.
            groups: threadgroups in each direction.
            size: threads of a threadgroup.
        """
        ...

    def download(self, buffer: Buffer, shape: Sequence[int]) -> Any:
        """An array of this shape, with the buffer's first elements."""
        ...
