"""Compiles the kernels with the address spaces as real types, which is where most of MSL differs from C++."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from metal.emu import toolchain
from metal.emu.build import read
from metal.emu.entries import uses
from metal.emu.tokens import MslError
from metal.emu.toolchain import RUNTIME, ToolchainError, call

_FLAGS = (
    "-std=c++17", "-fsyntax-only", "-DMSL_LINT", "-ferror-limit=0", "-Wall", "-Wextra", "-Werror",
    "-Wno-unused-parameter", "-Wno-unused-const-variable", "-Wno-unused-function", "-Wno-undefined-internal",
    "-Wmissing-variable-declarations", "-Wvla",
)  # fmt: skip


def check(files: Sequence[Path]) -> None:
    """Raises `MslError` with everything that is wrong, in all of the files."""
    wrong = [complaint for file in files if (complaint := _look(file))]
    if wrong:
        raise MslError("\n".join(wrong))


def _look(file: Path) -> str:
    try:
        translation = read(file)
    except MslError as error:
        return str(error)
    text = '#include "msl.h"\n' + translation.text + uses(translation)
    try:
        call([toolchain.need().clang, *_FLAGS, "-x", "c++", "-I", RUNTIME, "-"], text=text)
    except ToolchainError as error:
        return str(error)
    return ""
