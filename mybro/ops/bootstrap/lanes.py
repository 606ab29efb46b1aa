"""The lanes: tests with their coverage, lint, benchmarks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mybro.ops.bootstrap.console import say
from mybro.ops.bootstrap.npm_tools import ACP_AGENT, CLAUDE_CLI, TYPESCRIPT
from mybro.ops.bootstrap.places import CACHE, ROOT, in_venv

NO_TESTS_COLLECTED = 5
INTERRUPTED = (2, 130, -2)
SOME_FAILED = 1
MAX_ALONE = 5
"""More failures than these are not the other lane's doing."""
SLOWEST = 40
"""So many of the slowest are named, as a suite that takes long is not run."""
COVERAGE_GATE = "MYBRO_COVERAGE_GATE"
"""Set to 1, too little coverage fails `make test`, as it does in CI."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A part of the suite that has a coverage of its own."""

    name: str
    marks: str
    wanted_percent: float
    """Lines of mybro/ that the lane has to run."""


LANES = (
    Lane("units and parts", "not end_to_end and not trial", 85.0),
    Lane("end to end", "end_to_end or trial", 70.0),
)


def test(arguments: Sequence[str]) -> int:
    """Run the suite, one pytest for each lane, side by side; with arguments, one pytest with those.

    Returns the first exit status that is not 0.
    """
    env = _test_env()
    if arguments:
        return _run([in_venv("python"), "-m", "pytest", *arguments], env)
    first, *others = (_Pytest(lane, env) for lane in LANES)
    beside = [(started, started.start()) for started in others]
    say(f"tests: {first.lane.name}; beside them, shown afterwards: {', '.join(s.lane.name for s in others)}")
    ends = [_run(first.command, first.env)]
    for started, child in beside:
        ends.append(child.wait())
        say(f"tests: {started.lane.name}")
        sys.stdout.write(started.output.read_text(encoding="utf-8", errors="replace"))
    if any(end in INTERRUPTED for end in ends):
        return next(end for end in ends if end in INTERRUPTED)
    ends = [
        started.alone() if end == SOME_FAILED else end
        for started, end in zip((first, *(started for started, _ in beside)), ends, strict=True)
    ]
    judged = judge([(started.lane, _percent(started.env)) for started in (first, *others)])
    return next((end for end in ends if end not in (0, NO_TESTS_COLLECTED)), judged)


class _Pytest:
    """A lane with a coverage file of its own."""

    def __init__(self, lane: Lane, env: dict[str, str]) -> None:
        self.lane = lane
        self._folder = _fresh_folder(CACHE / "coverage" / lane.name.replace(" ", "-"))
        self.env = {**env, "COVERAGE_FILE": str(self._folder / "data")}
        self._pytest = ["-m", "pytest", "-m", lane.marks, "-o", f"cache_dir={self._folder / 'pytest'}"]
        self.command: list[str | Path] = [in_venv("coverage"), "run", *self._pytest, f"--durations={SLOWEST}"]
        self.output = self._folder / "output.txt"

    def start(self) -> subprocess.Popen[bytes]:
        """Begin it; what it prints goes to a file, so that two lanes do not talk at once."""
        with self.output.open("wb") as output:
            return subprocess.Popen(
                [str(part) for part in self.command], cwd=ROOT, env=self.env,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def alone(self) -> int:
        """Run the few that failed once more, with nothing beside them; returns pytest's exit status.

        Two lanes share the machine's cores, and what is timed by real processes, sound and a browser can be
        late for no fault of its own. Whoever needs the second try is named, so that it is looked at.
        """
        failed = failures(self._folder / "pytest")
        if not 0 < len(failed) <= MAX_ALONE:
            return SOME_FAILED
        say(f"tests: {self.lane.name}: {len(failed)} failed beside the other lane; once more, alone")
        again: list[str | Path] = [
            in_venv("python"),
            *self._pytest,
            "--last-failed",
            "--last-failed-no-failures=none",
        ]
        status = _run(again, self.env)
        if status == 0:
            for test in failed:
                say(f"tests: PASSED ONLY ALONE: {test}")
        return status


def failures(cache: Path) -> list[str]:
    """The tests that pytest, with this folder as its cache, noted as failed."""
    noted = cache / "v" / "cache" / "lastfailed"
    try:
        return sorted(json.loads(noted.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


def trials(arguments: Sequence[str]) -> int:
    """Run every heavy trial in full, where `make test` runs a seeded tenth."""
    env = {**_test_env(), "MYBRO_TRIALS": "all"}
    return _run([in_venv("python"), "-m", "pytest", "-m", "trial", *arguments], env)


def _test_env() -> dict[str, str]:
    # The person's own settings and keys are no part of a test.
    env = {key: value for key, value in os.environ.items() if not key.startswith("MYBRO_")}
    for tool in (CLAUDE_CLI, ACP_AGENT, TYPESCRIPT):
        path = tool.provide()
        if path is not None:
            env[tool.variable] = str(path)
    return env


def _percent(env: dict[str, str]) -> float | None:
    """Combine what the lane's processes measured; None if nothing was."""
    coverage = in_venv("coverage")
    combined = subprocess.run(
        [coverage, "combine", "--quiet"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    if combined.returncode != 0:
        return None
    report = subprocess.run(
        [coverage, "report", "--precision=1"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    Path(env["COVERAGE_FILE"]).with_name("report.txt").write_text(report.stdout, encoding="utf-8")
    words = report.stdout.split()
    return float(words[-1].rstrip("%")) if words else None


def judge(measured: Sequence[tuple[Lane, float | None]]) -> int:
    gate = os.environ.get(COVERAGE_GATE) == "1"
    status = 0
    for lane, percent in measured:
        told = "nothing measured" if percent is None else f"{percent:.1f} % of mybro/'s lines"
        short = percent is None or percent < lane.wanted_percent
        if short and gate:
            status = 1
        verdict = "" if not short else ": TOO LITTLE" if gate else ": too little yet"
        say(f"coverage, {lane.name}: {told} ({lane.wanted_percent:.0f} % wanted){verdict}")
    if status:
        say(f"which lines were not run: {CACHE / 'coverage'}/*/report.txt")
    return status


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


def _run(command: Sequence[str | Path], env: dict[str, str] | None = None) -> int:
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=env, check=False).returncode


def _fresh_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
