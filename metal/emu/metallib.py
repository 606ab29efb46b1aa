"""Reads a `.metallib`: which kernels are in it, what they take, and how they were compiled.

The file is a container: a header with the offsets of its parts, a list of functions as tagged fields, and for
each function LLVM bitcode whose metadata says what it takes. Apple documents none of that; it was read from
libraries that Apple's compiler had made.
"""

from __future__ import annotations

import re
import struct
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from metal.emu import toolchain
from metal.emu.reflection import Kernel
from metal.emu.toolchain import ToolchainError, call

MAGIC = b"MTLB"
KERNEL = 2
SPACES = {"1": "device", "2": "constant"}


class MetallibError(Exception):
    """No library, a damaged one, or one that is not what the manifest says."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a library."""

    name: str
    kind: int
    """2 is a kernel."""
    air: tuple[int, int]
    """The version of the bitcode's dialect."""
    language: tuple[int, int]
    """The version of MSL."""
    bitcode: bytes


@dataclass(frozen=True, slots=True)
class Argument:
    """One buffer of a compiled kernel."""

    name: str
    type: str
    space: str
    writable: bool
    index: int
    size: int


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the bitcode of a kernel says."""

    arguments: tuple[Argument, ...]
    options: frozenset[str]
    """As `fast_math_disable`."""


def functions(file: Path) -> list[Function]:
    """All functions of a library. Raises `MetallibError`."""
    data = file.read_bytes()
    try:
        if data[:4] != MAGIC:
            raise MetallibError(f"{file.name} is no metallib")
        total, listed, *_, bitcode, _ = struct.unpack_from("<9Q", data, 16)
        if total != len(data):
            raise MetallibError(f"{file.name} is cut off: {len(data)} bytes of {total}")
        (count,) = struct.unpack_from("<I", data, listed)
        found, at = [], listed + 4
        for _ in range(count):
            (size,) = struct.unpack_from("<I", data, at)
            found.append(_function(data, at + 4, bitcode))
            at += size
    except (struct.error, KeyError, UnicodeDecodeError) as error:
        raise MetallibError(f"{file.name} is damaged: {error}") from None
    return found


def _function(data: bytes, at: int, bitcode: int) -> Function:
    fields: dict[bytes, bytes] = {}
    while data[at : at + 4] != b"ENDT":
        (length,) = struct.unpack_from("<H", data, at + 4)
        fields[data[at : at + 4]] = data[at + 6 : at + 6 + length]
        at += 6 + length
    *_, offset = struct.unpack("<3Q", fields[b"OFFT"])
    (size,) = struct.unpack("<Q", fields[b"MDSZ"])
    versions = struct.unpack("<4H", fields[b"VERS"])
    start = bitcode + offset
    if start + size > len(data):
        raise KeyError("a function lies outside")
    name = fields[b"NAME"].rstrip(b"\0").decode()
    return Function(name, fields[b"TYPE"][0], versions[:2], versions[2:], data[start : start + size])


def disassembled(function: Function) -> str:
    """A function's LLVM IR, by llvm-dis.

    Raises:
        ToolchainError: there is no llvm-dis, or it does not read this bitcode.
    """
    tool = toolchain.need().tool("llvm-dis")
    if tool is None:
        raise ToolchainError("no llvm-dis (apt-get install llvm-19)")
    with tempfile.NamedTemporaryFile(suffix=".bc") as file:
        file.write(function.bitcode)
        file.flush()
        return call([tool, file.name, "-o", "-"])


def compiled(function: Function) -> Compiled:
    """What a kernel takes. Raises as `disassembled` does."""
    text = disassembled(function)
    arguments = [_argument(row) for row in text.splitlines() if '!"air.buffer"' in row]
    options = re.findall(r'!"air\.compile\.(\w+)"', text)
    return Compiled(tuple(sorted(arguments, key=lambda one: one.index)), frozenset(options))


def _argument(row: str) -> Argument:
    def value(key: str, pattern: str) -> str:
        found = re.search(rf'!"air\.{key}", {pattern}', row)
        if found is None:
            raise MetallibError(f"the bitcode tells no {key}")
        return found.group(1)

    return Argument(
        name=value("arg_name", '!"([^"]*)"'),
        type=value("arg_type_name", '!"([^"]*)"'),
        space=SPACES.get(value("address_space", r"i32 (\d+)"), "another"),
        writable='!"air.read"' not in row,
        index=int(value("location_index", r"i32 (\d+)")),
        size=int(value("arg_type_size", r"i32 (\d+)")),
    )


def differences(file: Path, expected: Iterable[Kernel]) -> list[str]:
    """How a built library is not what the manifest says; empty if it is. Raises as its parts do."""
    built = {one.name: one for one in functions(file) if one.kind == KERNEL}
    wanted = {one.name: one for one in expected}
    found = [f"{name}: not in the library" for name in sorted(wanted.keys() - built.keys())]
    found += [f"{name}: not in the manifest" for name in sorted(built.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & built.keys()):
        found += [f"{name}: {what}" for what in _compare(compiled(built[name]), wanted[name])]
    return found


def _compare(ours: Compiled, theirs: Kernel) -> Iterable[str]:
    if "fast_math_disable" not in ours.options:
        yield "was compiled with fast math, under which compensated sums are plain ones"
    if len(ours.arguments) != len(theirs.parameters):
        yield f"takes {len(ours.arguments)} buffers, not {len(theirs.parameters)}"
        return
    for a, b in zip(ours.arguments, theirs.parameters, strict=True):
        for what in ("name", "index", "space", "writable", "size"):
            if getattr(a, what) != getattr(b, what):
                yield f"{what} of '{b.name}' is {getattr(a, what)}, not {getattr(b, what)}"
