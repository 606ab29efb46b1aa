"""The suite: lanes with a coverage of their own, cut into parts that run a few at a time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

from mybro.ops.bootstrap.console import say
from mybro.ops.bootstrap.npm_tools import ACP_AGENT, CLAUDE_CLI, TYPESCRIPT
from mybro.ops.bootstrap.part import INTERRUPTED, NO_TESTS_COLLECTED, SOME_FAILED, Part
from mybro.ops.bootstrap.places import CACHE, ROOT, in_venv

MAX_ALONE = 5
"""More failures than these in a lane are not its neighbours' doing."""
COVERAGE_GATE = "MYBRO_COVERAGE_GATE"
"""Set to 1, too little coverage fails `make test`, as it does in CI."""
ENGINE_SWITCH = "MYBRO_NATIVE"
MOST_AT_ONCE = 4
TIDIES_S = 5.0
"""A terminal interrupts the parts, too; a second time would cut their tidying short."""

_HEAVY_MARK = re.compile(r"\bmark\.(end_to_end|trial)\b")
_MODULE_MARKS = re.compile(r"^pytestmark = (?:\[[^]]*\]|.*$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lane:
    """A part of the suite that has a coverage of its own."""

    name: str
    marks: str
    wanted_percent: float
    """Lines of mybro/ that the lane has to run."""
    files_a_part: int
    """So many files of tests take a minute or two."""

    @property
    def folder(self) -> Path:
        return CACHE / "coverage" / self.name.replace(" ", "-")


UNITS = Lane("units and parts", "not end_to_end and not trial", 85.0, 20)
WHOLE = Lane("end to end", "end_to_end or trial", 70.0, 6)
LANES = (UNITS, WHOLE)


def lanes_of(text: str) -> list[Lane]:
    """The lanes that a file of tests has something for; pytest's own choice by marks stays the judge."""
    marks = _MODULE_MARKS.search(text)
    whole_file = marks is not None and _HEAVY_MARK.search(marks.group()) is not None
    return [lane for lane, wanted in ((UNITS, not whole_file), (WHOLE, _HEAVY_MARK.search(text))) if wanted]


def test(arguments: Sequence[str]) -> int:
    """Run the suite, a few parts at a time; with arguments, one pytest with those.

    Returns the first exit status that is not 0.
    """
    env = _env()
    if arguments:
        return _run([in_venv("python"), "-m", "pytest", *arguments], env)
    parts = list(_parts(env))
    ends = _all(parts)
    if any(end in INTERRUPTED for end in ends.values()):
        return next(end for end in ends.values() if end in INTERRUPTED)
    for lane in LANES:
        ends.update(_alone([part for part in parts if part.lane == lane.name and ends[part] == SOME_FAILED]))
    judged = judge([(lane, _percent(lane, env)) for lane in LANES])
    return next((end for end in ends.values() if end not in (0, NO_TESTS_COLLECTED)), judged)


def trials(arguments: Sequence[str]) -> int:
    """Run every heavy trial in full, where `make test` runs a seeded tenth."""
    env = {**_env(), "MYBRO_TRIALS": "all"}
    return _run([in_venv("python"), "-m", "pytest", "-m", "trial", *arguments], env)


def _parts(env: dict[str, str]) -> Iterator[Part]:
    """Neighbours in the alphabet together, as they share a room's fixtures; the lanes by turns."""
    files: dict[Lane, list[str]] = {lane: [] for lane in LANES}
    for file in sorted((ROOT / "tests").glob("test_*.py")):
        for lane in lanes_of(file.read_text(encoding="utf-8")):
            files[lane].append(str(file.relative_to(ROOT)))
    cut = []
    for lane in LANES:
        shutil.rmtree(lane.folder, ignore_errors=True)
        step = lane.files_a_part
        blocks = [files[lane][at : at + step] for at in range(0, len(files[lane]), step)]
        cut.append([
            Part(lane.name, lane.marks, tuple(block), lane.folder / f"{number:02}", env)
            for number, block in enumerate(blocks, 1)
        ])  # fmt: skip
    for part in chain.from_iterable(zip_longest(*cut)):
        if part is not None:
            yield part


def _all(parts: Sequence[Part]) -> dict[Part, int]:
    """Every part's exit status. What a part prints is shown when it ends, so that two do not talk at once."""
    # The parts wait for children, sound and answers more than they compute.
    at_once = min((os.cpu_count() or 1) + 1, MOST_AT_ONCE)
    say(f"tests: {len(parts)} parts, {at_once} at a time, each shown when it ends")
    ends: dict[Part, int] = {}
    began = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        running = {pool.submit(part.run): part for part in parts}
        try:
            for done in as_completed(running):
                part = running[done]
                ends[part] = done.result()
                sys.stdout.write(part.output.read_text(encoding="utf-8", errors="replace"))
                sys.stdout.flush()
                say(
                    f"tests: {len(ends)} of {len(parts)} parts, {time.monotonic() - began:.0f} s: {part.name}"
                )
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            until = time.monotonic() + TIDIES_S
            for part in parts:
                part.stop(max(0.0, until - time.monotonic()))
            raise
    return ends


def _alone(parts: Sequence[Part]) -> dict[Part, int]:
    """A lane's few failures once more, with nothing beside them.

    What shares the machine's cores, and is timed by real processes, sound and a browser, can be late for no
    fault of its own. Whoever needs the second try is named, so that it is looked at.
    """
    failed = sum(len(part.failures()) for part in parts)
    return {part: part.alone() for part in parts} if 0 < failed <= MAX_ALONE else {}


def _env() -> dict[str, str]:
    # The person's own settings and keys are no part of a test; the engine is hidden on purpose.
    kept = (name for name in os.environ if not name.startswith("MYBRO_") or name == ENGINE_SWITCH)
    env = {name: os.environ[name] for name in kept}
    tools = (CLAUDE_CLI, ACP_AGENT, TYPESCRIPT)
    with ThreadPoolExecutor(len(tools)) as pool:
        for tool, path in zip(tools, pool.map(lambda tool: tool.provide(), tools), strict=True):
            if path is not None:
                env[tool.variable] = str(path)
    return env


def _percent(lane: Lane, env: dict[str, str]) -> float | None:
    """Combine what the lane's processes measured; None if nothing was."""
    coverage, env = in_venv("coverage"), {**env, "COVERAGE_FILE": str(lane.folder / "data")}
    folders = sorted(str(folder) for folder in lane.folder.iterdir() if folder.is_dir())
    combined = subprocess.run(
        [coverage, "combine", "--quiet", *folders], cwd=ROOT, env=env, capture_output=True, check=False
    )
    if combined.returncode != 0:
        return None
    report = subprocess.run(
        [coverage, "report", "--precision=1"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    (lane.folder / "report.txt").write_text(report.stdout, encoding="utf-8")
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


def _run(command: Sequence[str | Path], env: dict[str, str]) -> int:
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=env, check=False).returncode
