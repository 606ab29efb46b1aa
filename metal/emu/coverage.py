"""Which lines of the `.metal` files and their headers were run, by clang's counters and llvm-cov."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from metal.emu import toolchain
from metal.emu.build import objects
from metal.emu.toolchain import FOLDER, METAL, ToolchainError, call

_ROW = re.compile(r"\s*([#=\-\d]+)\*?:\s*(\d+):(.*)")


def lines(files: Sequence[Path], counts: Path) -> dict[Path, dict[int, int]]:
    """For each source below metal/ its lines that can be run, and how often each was.

    Args:
        files: what the emulator was opened with, in the coverage lane.
        counts: the folder that it was given for its counts; it has been closed since.

    Raises:
        ToolchainError: llvm-cov is not there, or found no counts.
    """
    tool = toolchain.need().tool("llvm-cov")
    if tool is None:
        raise ToolchainError("no llvm-cov (apt-get install llvm-19)")
    found: dict[Path, dict[int, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for built in objects(files, "coverage"):
            data = Path(folder, built.name).with_suffix(".gcda")
            shutil.copy(f"{counts}{built.with_suffix('.gcda')}", data)
            shutil.copy(built.with_suffix(".gcno"), folder)
            _read(call([tool, "gcov", "--stdout", data]), found)
    return found


def _read(report: str, found: dict[Path, dict[int, int]]) -> None:
    source: Path | None = None
    for row in report.splitlines():
        parts = _ROW.match(row)
        if parts is None:
            continue
        count, number, text = parts.groups()
        if number == "0":
            if text.startswith("Source:"):
                path = Path(text.removeprefix("Source:")).resolve()
                ours = METAL in path.parents and FOLDER not in path.parents
                source = path if ours else None
        elif source is not None and "-" not in count:
            seen = found.setdefault(source, {})
            seen[int(number)] = seen.get(int(number), 0) + (int(count) if count.isdigit() else 0)
