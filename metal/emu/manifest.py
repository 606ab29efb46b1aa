"""metal/manifest.json: every kernel with its arguments, for hosts that do not read MSL."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from metal.emu.build import library, read
from metal.emu.reflection import Kernel, Parameter
from metal.emu.runner import Emulator
from metal.emu.toolchain import METAL

PATH = METAL / "manifest.json"


def from_sources() -> list[Kernel]:
    """What the sources say, with the types that the compiler sees."""
    with Emulator() as emulator:
        types = emulator.types()
    kernels = [kernel for file in library() for kernel in read(file).kernels]
    return sorted((_with_types(kernel, types[kernel.name]) for kernel in kernels), key=lambda k: k.name)


def _with_types(kernel: Kernel, types: list[str]) -> Kernel:
    parameters = tuple(
        _with_type(parameter, *kind.split(":"))
        for parameter, kind in zip(kernel.parameters, types, strict=True)
    )
    return replace(kernel, file=Path(kernel.file).name, parameters=parameters)


def _with_type(parameter: Parameter, kind: str, size: str) -> Parameter:
    if kind == "struct":
        kind = parameter.type.removeprefix("constant").removesuffix("&").strip()
    return replace(parameter, type=kind, size=int(size))


def as_text(kernels: list[Kernel]) -> str:
    """The manifest: one line to a kernel."""
    rows = ",\n".join(json.dumps(kernel.as_row()) for kernel in kernels)
    return f'{{"kernels": [\n{rows}\n]}}\n'
