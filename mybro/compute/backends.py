"""Which backend computes with an array, and why."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any, Protocol

from mybro.compute.arrays import is_mlx
from mybro.errors import ComputeError


class Backend(Protocol):
    """Computes operations by their names: the functions of `mybro.compute.passes`."""

    def missing(self) -> str:
        """Why it cannot be used here; empty if it can."""
        ...

    def run(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """The operation's result."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """A backend by its name."""

    name: str
    why: str


class _Kernels:
    """A device that runs our kernels; `module` has missing() and shared()."""

    def __init__(self, module: str) -> None:
        self._module = module

    def missing(self) -> str:
        found: str = importlib.import_module(self._module).missing()
        return found

    def run(self, operation: str, *arguments: Any, **options: Any) -> Any:
        device = importlib.import_module(self._module).shared()
        function = getattr(importlib.import_module("mybro.compute.passes"), operation)
        return function(device, *arguments, **options)


class _Functions:
    """A library's own operations; `module` has a function for each, and missing()."""

    def __init__(self, module: str, needs: str) -> None:
        self._module, self._needs = module, needs

    def missing(self) -> str:
        return "" if importlib.util.find_spec(self._needs) else f"{self._needs} is not installed"

    def run(self, operation: str, *arguments: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(self._module), operation)(*arguments, **options)


BACKENDS: dict[str, Backend] = {
    "metal": _Kernels("mybro.compute.metal_macos"),
    "mlx-metal": _Kernels("mybro.compute.mlx_device"),
    "mlx": _Functions("mybro.compute.mlx_ops", "mlx"),
    "numpy": _Functions("mybro.compute.numpy_ops", "numpy"),
    "emulator": _Kernels("mybro.compute.emulator"),
}

OF_MLX = ("mlx", "mlx-metal")
"""What computes with MLX's arrays; the others compute with NumPy's."""


def choose(array: Any, backend: str | None = None) -> Choice:
    """The backend for an array: the one that is asked for, or the fastest that is here.

    Args:
        array: a NumPy or MLX array.
        backend: `metal`, `mlx-metal`, `mlx`, `numpy` or `emulator`.

    Raises:
        ComputeError: there is no such backend, or not here.
    """
    if backend is not None:
        if backend not in BACKENDS:
            raise ComputeError(
                "no_such_backend", f"There is no backend '{backend}'", hint=f"One of {', '.join(BACKENDS)}"
            )
        why = BACKENDS[backend].missing()
        if why:
            raise ComputeError("backend_missing", f"The backend '{backend}' cannot be used: {why}")
        return Choice(backend, "it was asked for")
    first, second = ("mlx-metal", "mlx") if is_mlx(array) else ("metal", "numpy")
    why = BACKENDS[first].missing()
    return Choice(second, f"not {first}: {why}") if why else Choice(first, "there is an Apple GPU")
