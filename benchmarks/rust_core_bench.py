"""What the Rust engine gains over the same work in Python, over ripgrep and over psutil.

python -m benchmarks.rust_core_bench [--json] [--quick] [--repo DIR]

scan_over_python      walking a tree and looking for patterns in all of its files, in lines a second:
                      engine / Python alone (wanted: 5)
scan_over_ripgrep     the same in milliseconds: engine / ripgrep with the same patterns over the same files
                      (wanted: 1.3 or less)
vad_over_python       ring buffer and endpoint smoothing, in frames of 20 ms a second (the detector's own time
                      is no part of it): engine / Python (wanted: 10)
metrics_over_psutil   CPU, memory, load and temperature, in looks a second: engine / psutil (wanted: 2)

The engine is built for this where it is not (make rust installs it).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.harness import Spread, Stopwatch, beside, report, with_engine
from mybro import native
from mybro.native import machine, repository, sound

PATTERNS = (
    r"AKIA[0-9A-Z]{16}",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    r"""(?:password|secret|token)\s*=\s*["'][^"'\s]{12,}["']""",
    r"\beval\(",
    r"\bTODO\b",
    r"ghp_[A-Za-z0-9]{36}",
    r"^<{7} ",
    r"verify\s*=\s*False",
)
FRAME = 320
QUICK_FILES = 1500


def _faster(ours: Spread, peer: Spread, count: int, unit: str) -> dict[str, Any]:
    """Two rates from the times that `count` of something took."""
    rates = [count / spread.median * 1e3 for spread in (ours, peer)]
    return {
        "unit": f"{unit}/s",
        "ours": round(rates[0], 1),
        "peer": round(rates[1], 1),
        "ratio": round(rates[0] / rates[1], 2),
        "spread": {"ours_ms": ours.figures(), "peer_ms": peer.figures()},
    }


@contextmanager
def _python_alone() -> Iterator[None]:
    os.environ["MYBRO_NATIVE"] = "0"
    native.engine.cache_clear()
    yield
    del os.environ["MYBRO_NATIVE"]
    native.engine.cache_clear()


def _scan(root: Path, files: int | None, rounds: int) -> tuple[dict[str, Any], list[str]]:
    whole = [path for path in repository.walk(root) if (root / path).is_file()]
    chosen = whole if files is None else whole[:: max(1, len(whole) // files)]
    lines = sum((root / path).read_bytes().count(b"\n") for path in chosen)
    watch = Stopwatch()
    # Without Unicode, which these patterns do not need, ripgrep is several times faster.
    grep = ["rg", "--no-config", "--no-unicode", "--hidden", "--no-messages", "--no-heading", "-n"]
    grep += [part for pattern in PATTERNS for part in ("-e", pattern)]
    with tempfile.TemporaryDirectory(prefix="mybro-bench-") as folder:
        # ripgrep walks by itself: what it may look at is a tree of its own, with the same files.
        copy = Path(folder)
        for path in chosen:
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / path, copy / path)
        for _ in range(rounds):
            with watch("ours"):
                found = repository.scan(copy, repository.walk(copy), PATTERNS)
            with watch("ripgrep"):
                grepped = subprocess.run([*grep, "."], cwd=copy, capture_output=True, check=False)
            assert grepped.returncode in (0, 1), grepped.stderr
        with _python_alone(), watch("python"):
            slow = repository.scan(copy, repository.walk(copy), PATTERNS)
    counts = [len({(row.path, row.line) for row in rows}) for rows in (found, slow)]
    notes = [
        f"{len(chosen)} files, {lines} lines, {len(PATTERNS)} patterns; lines found: engine {counts[0]}, "
        f"Python {counts[1]}, ripgrep {grepped.stdout.count(bytes([10]))}"
    ]
    ours = watch.spread("ours")
    return {
        "scan_over_python": _faster(ours, watch.spread("python"), lines, "lines"),
        "scan_over_ripgrep": beside(ours, watch.spread("ripgrep")),
    }, notes


def _frames(count: int, rounds: int) -> dict[str, Any]:
    engine: Any = native.engine()
    block = bytes(2 * FRAME)
    probabilities = [(n % 97) / 97 for n in range(count)]
    watch = Stopwatch()

    def parts() -> tuple[sound.Ring, sound.Smoother]:
        return sound.make_ring(8 * FRAME), sound.make_smoother(0.5, 0.35, 3, 25)

    for _ in range(rounds):
        with watch("ours"):
            engine.frames(*parts(), block, probabilities)
        with _python_alone():
            ring, smoother = parts()
        with watch("python"):
            for probability in probabilities:
                ring.push(block)
                ring.pop(FRAME)
                smoother.feed(probability)
    return {"vad_over_python": _faster(watch.spread("ours"), watch.spread("python"), count, "frames")}


def _metrics(count: int, rounds: int) -> dict[str, Any]:
    ours = machine.Monitor()
    with _python_alone():
        peer = machine.Monitor()
    watch = Stopwatch()
    for _ in range(rounds):
        for name, monitor in (("ours", ours), ("psutil", peer)):
            with watch(name):
                for _ in range(count):
                    monitor.read()
    return {"metrics_over_psutil": _faster(watch.spread("ours"), watch.spread("psutil"), count, "looks")}


def main() -> int:
    """Measure and print; 2 where a part is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="some 1,500 of the files")
    parser.add_argument("--repo", type=Path, default=Path(sysconfig.get_path("purelib")), metavar="DIR")
    options = parser.parse_args()
    if shutil.which("rg") is None:
        print("ripgrep is not here: apt install ripgrep, or brew install ripgrep", file=sys.stderr)
        return 2
    with_engine("benchmarks.rust_core_bench")
    rounds = 5 if options.quick else 9
    figures, notes = _scan(options.repo, QUICK_FILES if options.quick else None, rounds)
    figures |= _frames(20_000 if options.quick else 100_000, rounds)
    figures |= _metrics(100 if options.quick else 500, rounds)
    report(figures, as_json=options.json, notes=notes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
