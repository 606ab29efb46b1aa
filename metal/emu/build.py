"""Compiles `.metal` files, or a `.metallib`, into a program that runs their kernels; the same ones once."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from metal.emu import bitcode, toolchain
from metal.emu.entries import entries
from metal.emu.toolchain import CACHE, INCLUDE, MSL_VERSION, RUNTIME, Lane, Toolchain, call
from metal.emu.translate import Translation, translate

KEPT_DAYS = 14
"""What no build has used for so long leaves the cache."""

KERNELS = toolchain.METAL / "kernels"
_RUNTIME_SOURCES = ("scheduler.cpp", "main.cpp")
_OF_BITCODE = ("-O1", "-fPIC", "-Wno-override-module")


def library() -> list[Path]:
    """The library's own `.metal` files."""
    return sorted(KERNELS.glob("*.metal"))


def read(file: Path) -> Translation:
    """Preprocess and translate one file. Raises `MslError` or `ToolchainError`."""
    return translate(preprocess(file), str(file))


def preprocess(file: Path) -> str:
    defines = [f"-D__METAL_VERSION__={MSL_VERSION}", "-D__METAL__=1", "-U__x86_64__", "-U__linux__"]
    include: list[str | Path] = ["-nostdinc", "-I", RUNTIME / "include", "-I", INCLUDE]
    return call([toolchain.need().clang, "-E", "-x", "c++", "-std=c++17", *defines, *include, file])


def program(files: Sequence[Path], lane: Lane) -> Path:
    """The program for these files, compiled now if it is not in the cache.

    Raises:
        MslError: a file is no MSL that the emulator runs.
        ToolchainError: there is no compiler, or it refused.
    """
    tools = toolchain.need()
    parts = [*objects(files, lane), *_runtime(lane)]
    tables = [f"table_{_digest(str(file))}" for file in files]
    path = CACHE / f"run-{lane}-{_digest(tools.version, *map(str, parts))}"
    if not path.exists():
        declared = "\n".join(f"extern const msl::KernelEntry {table}[];" for table in tables)
        text = f'#include "runtime.h"\n{declared}\n'
        text += (
            f"extern const msl::KernelEntry *const msl_tables[] = {{{', '.join((*tables, 'nullptr'))}}};\n"
        )
        parts.append(_compile(tools, text, (), "tables"))
        with _beside(path) as made:
            call([tools.clang, *toolchain.LINK[lane], *parts, "-lpthread", "-lm", "-o", made])
        _tidy()
    for used in (*parts, path):
        os.utime(used)
    return path


def _tidy() -> None:
    oldest = time.time() - KEPT_DAYS * 86400
    for file in CACHE.iterdir():
        with suppress(FileNotFoundError):  # another build tidies, too
            if file.stat().st_mtime < oldest:
                file.unlink()


def objects(files: Sequence[Path], lane: Lane) -> list[Path]:
    """The compiled kernels of each file."""
    tools = toolchain.need()
    CACHE.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return [
            one for made in pool.map(lambda file: _kernel_objects(tools, file, lane), files) for one in made
        ]


def _runtime(lane: Lane) -> list[Path]:
    tools = toolchain.need()
    with ThreadPoolExecutor(len(_RUNTIME_SOURCES)) as pool:
        return list(pool.map(lambda name: _runtime_object(tools, RUNTIME / name, lane), _RUNTIME_SOURCES))


def _kernel_objects(tools: Toolchain, file: Path, lane: Lane) -> list[Path]:
    if file.suffix == ".metallib":
        modules = bitcode.modules(file)
        glue = bitcode.glue(file, f"table_{_digest(str(file))}", [text for _, text in modules])
        made = [_compile(tools, text, _OF_BITCODE, name, ".ll") for name, text in modules]
        return [*made, _compile(tools, glue, toolchain.FLAGS["plain"], file.stem)]
    translation = read(file)
    text = '#include "msl.h"\n' + translation.text + entries(translation, f"table_{_digest(str(file))}")
    return [_compile(tools, text, toolchain.FLAGS[lane], file.stem)]


def _runtime_object(tools: Toolchain, file: Path, lane: Lane) -> Path:
    flags = ("-std=c++17", "-O2", "-fPIC", *toolchain.SEEN_BY_RUNTIME[lane])
    return _compile(tools, f'#line 1 "{file}"\n' + file.read_text(), flags, file.stem)


def _compile(tools: Toolchain, text: str, flags: Sequence[str], name: str, suffix: str = ".cpp") -> Path:
    """Compile C++ or LLVM IR; the same text with the same flags is compiled once."""
    headers = [header.read_text() for header in sorted(RUNTIME.glob("*.h"))]
    key = _digest(tools.version, text, *flags, *tools.flags, *headers)
    target = CACHE / f"{name}-{key}.o"
    if not target.exists():
        source = target.with_suffix(suffix)
        source.write_text(text)
        command: list[str | Path] = [tools.clang, *tools.flags, *flags, "-I", RUNTIME]
        if "--coverage" in flags:
            # The notes bear the name of the object, which therefore is its last one from the start.
            call([*command, "-c", source, "-o", target])
            return target
        with _beside(target) as made:
            call([*command, "-c", source, "-o", made])
    return target


class _beside:  # noqa: N801 - used as a function
    """A name to write to, which takes the final one's place when all went well: two may build at once."""

    def __init__(self, target: Path) -> None:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
        os.close(handle)
        self._target, self._made = target, Path(name)

    def __enter__(self) -> Path:
        return self._made

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._made.chmod(0o755)
            self._made.replace(self._target)
        else:
            self._made.unlink(missing_ok=True)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
