"""metal/manifest.json: every kernel with its arguments, for hosts that do not read MSL."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from metal.emu.build import library
from metal.emu.build import read as translated
from metal.emu.reflection import Kernel, Parameter, kernel
from metal.emu.runner import Emulator
from metal.emu.toolchain import METAL

PATH = METAL / "manifest.json"


def from_sources() -> list[Kernel]:
    """What the sources say, with the types that the compiler sees."""
    with Emulator() as emulator:
        types = emulator.types()
    kernels = [one for file in library() for one in translated(file).kernels]
    return sorted((_with_types(one, types[one.name]) for one in kernels), key=lambda one: one.name)


def _with_types(one: Kernel, types: list[str]) -> Kernel:
    parameters = tuple(
        _with_type(parameter, *kind.split(":")) for parameter, kind in zip(one.parameters, types, strict=True)
    )
    return replace(one, file=Path(one.file).name, parameters=parameters)


def _with_type(parameter: Parameter, kind: str, size: str) -> Parameter:
    if kind == "struct":
        kind = parameter.type.removeprefix("constant").removesuffix("&").strip()
    return replace(parameter, type=kind, size=int(size))


def read() -> list[Kernel]:
    """What is checked in."""
    return [kernel(row) for row in json.loads(PATH.read_text(encoding="utf-8"))["kernels"]]


def as_text(kernels: list[Kernel]) -> str:
    """The manifest: one line to a kernel."""
    rows = ",\n".join(json.dumps(one.as_row()) for one in kernels)
    return f'{{"kernels": [\n{rows}\n]}}\n'
