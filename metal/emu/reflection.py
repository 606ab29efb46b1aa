"""What a kernel takes: read from the sources, written to the manifest, compared with a built library."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a kernel that has a buffer index."""

    name: str
    type: str
    """As it is written; in the manifest, the element's type alone."""
    space: str
    """`device` or `constant`."""
    writable: bool
    index: int
    size: int = 0
    """Of an element or of the struct, in bytes, as the compiler sees it."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel under the name by which the host finds it."""

    name: str
    file: str
    function: str
    """The function, with its template arguments."""
    aliases: dict[str, str]
    """The template's parameters and what they stand for."""
    parameters: tuple[Parameter, ...]
    body: str
    """The text between the kernel's braces, on one line."""

    def as_row(self) -> dict[str, Any]:
        row = asdict(self)
        row["parameters"] = [asdict(parameter) for parameter in self.parameters]
        return row


def kernel(row: dict[str, Any]) -> Kernel:
    """The reverse of `Kernel.as_row`."""
    return Kernel(**{**row, "parameters": tuple(Parameter(**one) for one in row["parameters"])})
