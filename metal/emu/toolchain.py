"""Where clang and its tools are, and what each lane is compiled with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Lane = Literal["plain", "portable", "address", "thread", "coverage"]

OLDEST = 15  # half precision in software came with it
FOLDER = Path(__file__).parent
METAL = FOLDER.parent
RUNTIME = FOLDER / "runtime"
INCLUDE = METAL / "include"
CACHE = METAL.parent / ".cache" / "metal"
MSL_VERSION = 310
MOST_CHARS = 40_000  # of a tool's complaint

_WARNINGS = ("-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-const-variable")
_COMMON = (
    "-std=c++17", "-fPIC", "-ffp-contract=off", "-fno-math-errno", "-fno-exceptions",
    "-ftrivial-auto-var-init=pattern",  # what a kernel never set is garbage, not by chance a zero
    *_WARNINGS,
)  # fmt: skip
_SANITISED = ("-O1", "-gline-tables-only", "-fno-omit-frame-pointer")
_UNDEFINED = (
    "-fsanitize=alignment,shift,integer-divide-by-zero,float-cast-overflow,bounds,return,unreachable,bool",
    "-fno-sanitize-recover=all",
)
FLAGS: dict[Lane, tuple[str, ...]] = {
    "plain": (*_COMMON, "-O2"),
    "portable": (*_COMMON, "-O2"),
    "address": (
        *_COMMON,
        *_SANITISED,
        "-fsanitize=address",
        "-fsanitize-address-use-after-return=never",
        *_UNDEFINED,
    ),
    "thread": (*_COMMON, *_SANITISED, "-fsanitize=thread"),
    "coverage": (*_COMMON, "-O0", "--coverage"),
}
LINK: dict[Lane, tuple[str, ...]] = {
    "plain": (),
    "portable": (),
    "address": ("-fsanitize=address", *_UNDEFINED),
    "thread": ("-fsanitize=thread",),
    "coverage": ("--coverage",),
}
SEEN_BY_RUNTIME: dict[Lane, tuple[str, ...]] = {
    "plain": (),
    "portable": ("-DMSL_UCONTEXT=1",),
    "address": ("-DMSL_ASAN=1",),
    "thread": ("-DMSL_TSAN=1", "-fno-builtin"),
    "coverage": (),
}


class ToolchainError(Exception):
    """A compiler that is not there, or that refused."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """One installation of clang."""

    clang: Path
    version: str
    flags: tuple[str, ...]

    def tool(self, name: str) -> Path | None:
        """Another program of the same installation, as `llvm-cov`."""
        beside = self.clang.resolve().with_name(name)
        found = str(beside) if beside.exists() else shutil.which(name)
        return Path(found) if found else None


@cache
def find() -> Toolchain | None:
    """The newest clang on this machine; None if there is none that is new enough."""
    found = [path] if (path := shutil.which("clang++")) else []
    found += map(str, Path("/usr/lib").glob("llvm-*/bin/clang++"))
    best: tuple[int, Toolchain] | None = None
    for path in found:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        number = re.search(r"version (\d+)", told)
        major = int(number.group(1)) if number else 0
        if major >= OLDEST and (best is None or major > best[0]):
            flags = () if sys.platform == "darwin" else ("-march=native",)
            best = major, Toolchain(Path(path), told, flags)
    return best[1] if best else None


def need() -> Toolchain:
    """Raises `ToolchainError` if there is no clang."""
    found = find()
    if found is None:
        raise ToolchainError(f"no clang++ of version {OLDEST} or later (apt-get install clang-19)")
    return found


def call(command: Sequence[str | Path], *, text: str | None = None) -> str:
    """Run a tool and return what it printed. Raises `ToolchainError` with its complaint."""
    done = subprocess.run(
        [str(part) for part in command], input=text, capture_output=True, text=True, check=False,
        env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    if done.returncode != 0:
        raise ToolchainError(done.stderr[:MOST_CHARS] or f"{command[0]} failed")
    return done.stdout
