"""What is common to NumPy's and MLX's arrays, and what is asked of an argument."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from mybro.errors import ComputeError

MOST = 2**31 - 1
"""Elements of an array: kernels count with 32 bits."""

MOST_WIDTH_I8 = 131072
"""A longer row of eight bits could overflow the 32 bits of its sum."""

FLOATS = ("float32", "float16")
SUFFIX = {"float32": "f32", "float16": "f16", "int32": "i32", "int8": "i8"}


def is_mlx(array: Any) -> bool:
    """Whether this is an MLX array; MLX is not imported for it."""
    mlx = sys.modules.get("mlx.core")
    return mlx is not None and isinstance(array, mlx.array)


def as_numpy(value: Any) -> Any:
    """The same memory as a NumPy array, if it is an MLX array; otherwise the value itself."""
    return np.array(value, copy=False) if is_mlx(value) else value


def as_mlx(value: Any) -> Any:
    """An MLX array, if it is a NumPy array; otherwise the value itself."""
    own = isinstance(value, np.ndarray | np.generic)
    return importlib.import_module("mlx.core").array(value) if own else value


def dtype_of(array: Any) -> np.dtype[Any]:
    """NumPy's name for the element's type.

    Raises:
        ComputeError: NumPy has none, as for bfloat16.
    """
    name = str(array.dtype).removeprefix("mlx.core.")
    try:
        return np.dtype("bool" if name == "bool_" else name)
    except TypeError:
        raise ComputeError("wrong_type", f"Arrays of {name} are not computed with") from None


def module_of(array: Any) -> Any:
    """`mlx.core` or `numpy`, whichever the array belongs to."""
    return sys.modules["mlx.core"] if is_mlx(array) else np


def checked(array: Any, types: Sequence[str], what: str = "The array") -> Any:
    """The array, if its type is among `types` and it is not too long; lists become arrays.

    Raises:
        ComputeError: it cannot be computed with.
    """
    if not is_mlx(array):
        try:
            array = np.asarray(array)
        except ValueError:
            raise ComputeError("wrong_shape", f"{what} has rows of different lengths") from None
    name = dtype_of(array).name
    if name not in types:
        hint = "Metal has no double: use .astype(np.float32)" if name == "float64" else ""
        raise ComputeError("wrong_type", f"{what} is of {name}, not of {' or '.join(types)}", hint=hint)
    if array.size > MOST:
        raise ComputeError("too_long", f"{what} has more than {MOST} elements")
    return array


def rows_of(array: Any, axis: int | None) -> tuple[Any, int, int, tuple[int, ...]]:
    """The array with `axis` last: it, its rows, its columns, and the shape that is left without the axis.

    Without an axis the whole array is one row.

    Raises:
        ComputeError: there is no such axis.
    """
    if axis is None:
        return array, 1, int(array.size), ()
    if not -array.ndim <= axis < array.ndim:
        raise ComputeError("wrong_axis", f"An array of {array.ndim} dimensions has no axis {axis}")
    moved = module_of(array).moveaxis(array, axis, -1)
    shape = tuple(int(extent) for extent in moved.shape)
    rows = int(np.prod(shape[:-1], dtype=np.int64))
    return moved, rows, shape[-1], shape[:-1]


def rows_and_partners(x: Any, y: Any, *, alone: bool) -> tuple[Any, Any]:
    """Rows [rows, width] and what they are multiplied with: [n, width], or [width] if it may stand alone."""
    x, y = checked(x, (*FLOATS, "int8")), checked(y, (*FLOATS, "int8"))
    same_type(x, y)
    fits = x.ndim == 2 and (y.ndim == 2 or (alone and y.ndim == 1)) and x.shape[-1] == y.shape[-1]
    if not fits or (alone and y.ndim == 2 and x.shape != y.shape):
        raise ComputeError("wrong_shape", f"Rows of {tuple(x.shape)} do not go with {tuple(y.shape)}")
    if dtype_of(x).name == "int8" and x.shape[-1] > MOST_WIDTH_I8:
        raise ComputeError("too_long", f"Rows of int8 have at most {MOST_WIDTH_I8} elements")
    return x, y


def same_shape(x: Any, y: Any) -> None:
    """Raises `ComputeError` if the shapes differ."""
    if x.shape != y.shape:
        raise ComputeError("wrong_shape", f"Shapes {tuple(x.shape)} and {tuple(y.shape)} are not the same")


def same_type(x: Any, y: Any) -> None:
    """Raises `ComputeError` if the types differ."""
    if x.dtype != y.dtype:
        raise ComputeError("wrong_type", f"Types {dtype_of(x)} and {dtype_of(y)} are not the same")
