"""The kernels on MLX's own stream: arrays of MLX stay on the GPU, and MLX compiles the same headers."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from mybro.compute.arrays import dtype_of, is_mlx
from mybro.compute.device import Buffer, Groups
from mybro.compute.sources import Kernel, headers, kernels

FEWEST = 8
"""MLX hands over shorter arrays in the constant address space, and the kernels take device memory."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A kernel as `mx.fast.metal_kernel` takes it."""

    name: str
    input_names: list[str]
    output_names: list[str]
    source: str
    header: str


def definition(kernel: Kernel) -> Definition:
    """The kernel's own body, after the names that MLX does not give it: the template's and the arguments'."""
    lines = [_alias(name, value) for name, value in kernel.aliases.items()]
    for one in kernel.parameters:
        if one.space == "constant":
            cast = f"*reinterpret_cast<const device {one.type} *>({one.name}_)"
            lines.append(f"const {one.type} {one.name} = {cast};")
        else:
            element = f"metal::{one.type}" if one.type.startswith("atomic") else one.type
            kind = f"{'' if one.writable else 'const '}device {element} *"
            lines.append(f"{kind}{one.name} = reinterpret_cast<{kind}>({one.name}_);")
    return Definition(
        name=f"mybro_{kernel.name}",
        input_names=[f"{one.name}_" for one in kernel.parameters if not one.writable],
        output_names=[f"{one.name}_" for one in kernel.parameters if one.writable],
        source="\n".join([*lines, kernel.body]),
        header=headers(),
    )


def _alias(name: str, value: str) -> str:
    if value in ("true", "false"):
        return f"constexpr bool {name} = {value};"
    return f"constexpr uint {name} = {value};" if value.isdigit() else f"using {name} = {value};"


def missing() -> str:
    """Why MLX cannot run kernels here; empty if it can."""
    if importlib.util.find_spec("mlx") is None:
        return "MLX is not installed"
    mx = importlib.import_module("mlx.core")
    return "" if mx.metal.is_available() else "MLX has no Metal back end here"


@cache
def shared() -> MlxDevice:
    """The device for all calls of this process."""
    mx = importlib.import_module("mlx.core")
    return MlxDevice(mx.fast.metal_kernel)


class MlxDevice:
    """A device over `mx.fast.metal_kernel`. Buffers are MLX arrays, computed when somebody looks."""

    def __init__(self, compile_kernel: Callable[..., Callable[..., list[Any]]]) -> None:
        self._mx = importlib.import_module("mlx.core")
        self._compile = cache(lambda name: compile_kernel(**_fields(definition(kernels()[name]))))

    def upload(self, array: Any) -> Buffer:
        own = array if is_mlx(array) else self._mx.array(array)
        return Buffer(own.reshape(-1), int(own.size), dtype_of(own))

    def allocate(self, count: int, dtype: npt.DTypeLike, *, zero: bool = False) -> Buffer:
        """A buffer that gets its array from the launch that writes it."""
        kind = np.dtype(dtype)
        return Buffer(self._mx.zeros(count, self._own(kind)) if zero else None, count, kind)

    def launch(self, kernel: str, arguments: Sequence[Buffer | bytes], groups: Groups, size: int) -> None:
        given, written = [], []
        for parameter, argument in zip(kernels()[kernel].parameters, arguments, strict=True):
            if isinstance(argument, bytes):
                given.append(self._long_enough(self._mx.array(np.frombuffer(argument, np.uint32))))
            elif parameter.writable:
                written.append(argument)
            else:
                given.append(self._long_enough(argument.handle))
        options = {"init_value": 0} if any(one.handle is not None for one in written) else {}
        results = self._compile(kernel)(
            inputs=given,
            output_shapes=[(one.count,) for one in written],
            output_dtypes=[self._own(one.dtype) for one in written],
            grid=(groups[0] * size, groups[1], groups[2]),
            threadgroup=(size, 1, 1),
            **options,
        )
        for one, result in zip(written, results, strict=True):
            one.handle = result

    def download(self, buffer: Buffer, shape: Sequence[int]) -> Any:
        count = int(np.prod(shape, dtype=np.int64))
        whole = self._mx.zeros(0, self._own(buffer.dtype)) if buffer.handle is None else buffer.handle
        return whole[:count].reshape(tuple(shape))

    def _own(self, dtype: np.dtype[Any]) -> Any:
        return getattr(self._mx, dtype.name)

    def _long_enough(self, array: Any) -> Any:
        lacking = FEWEST - int(array.size)
        if lacking <= 0:
            return array
        return self._mx.concatenate([array, self._mx.zeros(lacking, array.dtype)])


def _fields(one: Definition) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Definition.__slots__}
