"""How long `mybro doctor` takes, beside its engines run alone and beside bandit.

    python -m benchmarks.doctor_bench [--json] [--quick] [--repo DIR]

Default: this environment's installed packages; --quick: a fixed tenth of their files. "over_engines_alone":
the default tier against the same engines with the same arguments, each alone, one after the other, on files
that are listed and looked through already. "over_bandit": bandit over the same Python files, in seconds,
divided by the doctor's. Both sides are run once before anything is measured, then in turns, the one first and
then the other; medians count. The Rust engine is used, and built first where it can be; MYBRO_NATIVE=0 shows
what is without it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.harness import report, with_engine_if_any
from mybro.doctor import engines, facts
from mybro.doctor.check import Check, catalogue
from mybro.doctor.engine import Task, batches, command, program
from mybro.doctor.examine import Examination, Wish, examine, survey
from mybro.native import in_use

_PATIENCE_S = 900.0
_TENTH = 10
_TURNS, _QUICK_TURNS = 3, 5
_OWN = ("mybro", "rules")


def sources(root: Path, tenth: bool) -> Iterator[Path]:
    """The files that are measured; a tenth is chosen by their names, the same every time."""
    for path, file in sorted(facts.look(root).files.items()):
        chosen = not tenth or hashlib.sha256(path.encode(errors="replace")).digest()[0] % _TENTH == 0
        if chosen and file.language and not file.vendored and file.size <= facts.MAX_SOURCE_BYTES:
            yield Path(path)


def lay(root: Path, folder: Path, tenth: bool) -> int:
    """A copy of what is measured; gives the lines of Python in it."""
    lines = 0
    for path in sources(root, tenth):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, target)
        if path.suffix == ".py":
            lines += target.read_bytes().count(b"\n")
    return lines


def alone(folder: Path) -> dict[str, float]:
    """Each engine of the default tier by itself, as the doctor calls it: its seconds."""
    repo = facts.look(folder)
    chosen = {name: c for name, c in catalogue().items() if not c.deep and not c.needs and _applies(c, repo)}
    names = sorted({engine for check in chosen.values() for engine in check.engines} - set(_OWN))
    tasks = {
        name: Task(repo, {key: c for key, c in chosen.items() if name in c.engines}, _deadline())
        for name in names
        if engines.load(name).available()
    }
    survey(repo, tasks)
    if repo.survey:
        repo.survey.mask(())  # what the doctor does itself is no work of an engine
    spent: dict[str, float] = {}
    for name, task in tasks.items():
        began = time.perf_counter()
        engines.load(name).run(task)
        spent[name] = time.perf_counter() - began
    return spent


def _deadline() -> float:
    return time.monotonic() + _PATIENCE_S


def together(folder: Path) -> tuple[float, Examination]:
    """The default tier: its seconds, and what it found."""
    began = time.perf_counter()
    examined = examine(Wish(folder, timeout_s=_PATIENCE_S))
    return time.perf_counter() - began, examined


def _applies(check: Check, repo: facts.Repository) -> bool:
    return not check.languages or any(repo.languages[language] for language in check.languages)


def bandit(folder: Path) -> float:
    """bandit over the same Python files; its findings are thrown away."""
    found = program("bandit")
    if found is None:
        raise SystemExit("bandit is not installed: it is in requirements/dev.txt")
    files = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*.py"))]
    began = time.perf_counter()
    for batch in batches(files, 700_000):
        argv = [found, "-q", "-f", "json", "-o", os.devnull, *batch]
        command(argv, cwd=folder, deadline=_deadline())
    return time.perf_counter() - began


def measure(root: Path, tenth: bool) -> tuple[dict[str, Any], list[str]]:
    with tempfile.TemporaryDirectory(prefix="doctor-bench-") as name:
        folder = Path(name) / "measured"
        folder.mkdir()
        lines = lay(root, folder, tenth)
        _, examined = together(folder)
        alone(folder)
        ours: list[float] = []
        parts: list[dict[str, float]] = []
        for turn in range(_QUICK_TURNS if tenth else _TURNS):
            if turn % 2:
                parts.append(alone(folder))
            ours.append(together(folder)[0])
            if not turn % 2:
                parts.append(alone(folder))
        slow = bandit(folder)
    theirs = [sum(each.values()) for each in parts]
    mine, engines_s = statistics.median(ours), statistics.median(theirs)
    figures = {
        "over_engines_alone": {
            "unit": "s", "ours": round(mine, 2), "peer": round(engines_s, 2),
            "ratio": round(mine / engines_s, 3),
            "spread": {"ours": [round(x, 2) for x in ours], "peer": [round(x, 2) for x in theirs]},
        },
        "over_bandit": {
            "unit": "s", "ours": round(mine, 2), "peer": round(slow, 2), "ratio": round(slow / mine, 1),
        },
    }  # fmt: skip
    medians = {name: statistics.median(each[name] for each in parts) for name in parts[0]}
    told = ", ".join(f"{name} {seconds:.2f}" for name, seconds in medians.items())
    notes = [
        f"{lines:,} lines of Python, {len(examined.findings):,} findings",
        f"engines alone, s: {told}",
        f"looked with {in_use()}",
        *(f"not looked at: {entry.what}: {entry.why}" for entry in examined.unexamined if entry.partial),
    ]
    return figures, notes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--quick", action="store_true", help="a fixed tenth of the files")
    parser.add_argument(
        "--repo", type=Path, default=Path(sysconfig.get_paths()["purelib"]), help="what is examined"
    )
    options = parser.parse_args()
    with_engine_if_any("benchmarks.doctor_bench")
    figures, notes = measure(options.repo.resolve(), options.quick)
    report(figures, as_json=options.json, notes=notes)


if __name__ == "__main__":
    main()
