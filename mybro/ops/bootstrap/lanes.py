"""What is run beside the suite: lint, formatting, benchmarks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mybro.ops.bootstrap.console import say
from mybro.ops.bootstrap.places import ROOT, in_venv


def lint(_arguments: Sequence[str]) -> int:
    """Style, types for both platforms, and the direction of imports; returns how many complained."""
    failed = 0
    mypy: list[str | Path] = [in_venv("mypy"), "--no-error-summary"]
    commands: list[list[str | Path]] = [
        [in_venv("ruff"), "format", "--check", "--quiet", "."],
        [in_venv("ruff"), "check", "--quiet", "."],
        [*mypy, "--platform", "linux", "--cache-dir", ".mypy_cache/linux"],
        [*mypy, "--platform", "darwin", "--cache-dir", ".mypy_cache/darwin"],
        [in_venv("lint-imports"), "--no-logo"],
    ]
    running = [_captured(command) for command in commands]
    for command, child in zip(commands, running, strict=True):
        output, _ = child.communicate()
        if child.returncode != 0:
            failed += 1
            sys.stdout.write(output)
            say(f"failed: {' '.join(str(part).removeprefix(str(ROOT) + '/') for part in command)}")
    if not failed:
        say("lint: nothing to complain about")
    return min(failed, 1)


def _captured(command: Sequence[str | Path]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(part) for part in command], cwd=ROOT, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def tidy(_arguments: Sequence[str]) -> int:
    """Format the code, and mend what ruff can mend."""
    return _run([in_venv("ruff"), "check", "--fix", "--quiet", "."]) or _run([in_venv("ruff"), "format", "."])


def bench(arguments: Sequence[str]) -> int:
    """Run every benchmark, or the named ones."""
    stand = {file.stem.removesuffix("_bench"): file for file in (ROOT / "benchmarks").glob("*_bench.py")}
    unknown = [name for name in arguments if name not in stand]
    if unknown or not stand:
        say(f"no such benchmark: {' '.join(unknown)}" if unknown else "no benchmark stands here yet")
        return 2 if unknown else 0
    status = 0
    for name in arguments or sorted(stand):
        say(f"benchmark: {name}")
        status = _run([in_venv("python"), "-m", f"benchmarks.{stand[name].stem}"]) or status
    return status


def _run(command: Sequence[str | Path]) -> int:
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode
