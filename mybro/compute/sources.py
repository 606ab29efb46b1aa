"""Where the kernels are, and what each of them takes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mybro.errors import ComputeError

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a kernel."""

    name: str
    type: str
    """The element's type in MSL."""
    space: str
    """`device` or `constant`."""
    writable: bool
    index: int
    size: int
    """Of an element or of the struct, in bytes."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel of the library, as metal/manifest.json describes it."""

    name: str
    file: str
    function: str
    aliases: dict[str, str]
    """The template's parameters and what they stand for."""
    parameters: tuple[Parameter, ...]
    body: str


def folder() -> Path:
    """The kernels' sources: of the checkout, or what was packed with mybro.

    Raises:
        ComputeError: they are not there.
    """
    for candidate in (_HERE.parents[1] / "metal", _HERE / "library"):
        if (candidate / "manifest.json").exists():
            return candidate
    raise ComputeError(
        "kernels_missing", "The Metal kernels are not part of this installation", hint="Install mybro again"
    )


@cache
def kernels() -> dict[str, Kernel]:
    """Every kernel by its name."""
    rows = json.loads((folder() / "manifest.json").read_text(encoding="utf-8"))["kernels"]
    return {row["name"]: _kernel(row) for row in rows}


def _kernel(row: dict[str, Any]) -> Kernel:
    return Kernel(**{**row, "parameters": tuple(Parameter(**one) for one in row["parameters"])})


@cache
def headers() -> str:
    """All headers as one text, each once, in the order in which they include each other."""
    include = folder() / "include"
    seen: set[str] = set()

    def text_of(name: str) -> str:
        if name in seen:
            return ""
        seen.add(name)
        text = (include / name).read_text(encoding="utf-8").replace("#pragma once\n", "")
        return re.sub(r'#include "([^"]+)"\n', lambda found: text_of(found.group(1)), text)

    return "".join(text_of(f"mybro/{file.name}") for file in sorted((include / "mybro").glob("*.h")))


@cache
def whole_source() -> str:
    """The whole library as one text, for a driver that compiles source."""
    files = sorted((folder() / "kernels").glob("*.metal"))
    bodies = [re.sub(r'#include "[^"]+"\n', "", file.read_text(encoding="utf-8")) for file in files]
    return headers() + "\n".join(bodies)
