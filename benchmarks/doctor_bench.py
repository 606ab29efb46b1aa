"""How long `mybro doctor` takes, beside its engines run alone and beside bandit.

    python -m benchmarks.doctor_bench [--json] [--quick] [--repo DIR]

Default: the Python files among this environment's installed packages; --quick: a fixed tenth of them.
"over_engines_alone": the default tier against the same engines with the same arguments, each alone, one after
the other. "over_bandit": bandit over the same files, in seconds, divided by the doctor's.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.harness import report
from mybro.doctor import engines, facts
from mybro.doctor.check import Check, catalogue
from mybro.doctor.engine import Task, batches, command, program
from mybro.doctor.examine import Wish, examine

_PATIENCE_S = 900.0
_TENTH = 10
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
    spent: dict[str, float] = {}
    for name in names:
        engine = engines.load(name)
        mine = {key: check for key, check in chosen.items() if name in check.engines}
        if engine.available():
            began = time.perf_counter()
            engine.run(Task(repo, mine, time.monotonic() + _PATIENCE_S))
            spent[name] = time.perf_counter() - began
    return spent


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
        command(argv, cwd=folder, deadline=time.monotonic() + _PATIENCE_S)
    return time.perf_counter() - began


def measure(root: Path, tenth: bool) -> tuple[dict[str, Any], list[str]]:
    with tempfile.TemporaryDirectory(prefix="doctor-bench-") as name:
        folder = Path(name) / "measured"
        folder.mkdir()
        lines = lay(root, folder, tenth)
        examine(Wish(folder))  # both sides find the files in the page cache
        ours, theirs, parts = [], [], {}
        for _ in range(3):
            began = time.perf_counter()
            examined = examine(Wish(folder, timeout_s=_PATIENCE_S))
            ours.append(time.perf_counter() - began)
            parts = alone(folder)
            theirs.append(sum(parts.values()))
        slow = bandit(folder)
    mine, engines_s = min(ours), min(theirs)
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
    told = ", ".join(f"{name} {seconds:.2f}" for name, seconds in sorted(parts.items()))
    notes = [f"{lines:,} lines of Python, {len(examined.findings):,} findings", f"engines alone, s: {told}"]
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
    figures, notes = measure(options.repo.resolve(), options.quick)
    report(figures, as_json=options.json, notes=notes)


if __name__ == "__main__":
    main()
