"""What every measurement needs: timing two sides alternately, medians with their spread, one JSON object."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mybro import native
from mybro.ops.bootstrap.console import SetupError
from mybro.ops.bootstrap.engine import build


def with_engine(module: str) -> None:
    """Start this benchmark anew with the Rust engine, built for it, where none is installed or turned off.

    Raises `SetupError` where it cannot be built.
    """
    if native.engine() is not None or os.environ.get("MYBRO_NATIVE") == "0":
        return
    # In a process of its own, so that the engine is found where it was just built.
    places = (str(build("release")), os.environ.get("PYTHONPATH"))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}
    os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], env)  # noqa: S606


def with_engine_if_any(module: str) -> None:
    """The same; without it where it cannot be built."""
    with contextlib.suppress(SetupError):
        with_engine(module)


@dataclass(frozen=True, slots=True)
class Spread:
    """A set of measurements of one thing, in milliseconds."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def quantile(self, share: float) -> float:
        """The value below which `share` (0 to 1) of the measurements lie."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def figures(self) -> dict[str, float | int]:
        return {
            "median": round(self.median, 2),
            "p10": round(self.quantile(0.1), 2),
            "p90": round(self.quantile(0.9), 2),
            "n": len(self.values),
        }


class Stopwatch:
    """Collects durations under names: `with watch("ours"): ...`."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}
        self._name = ""
        self._began = 0.0

    def __call__(self, name: str) -> Stopwatch:
        self._name = name
        return self

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        spent = (time.perf_counter() - self._began) * 1e3
        self._values.setdefault(self._name, []).append(spent)

    def spread(self, name: str) -> Spread:
        return Spread(tuple(self._values[name]))


def beside(ours: Spread, peer: Spread) -> dict[str, Any]:
    """Two medians in milliseconds, their ratio (below 1: ours is faster), and the spread of both.

    The ratio's own spread comes from the pairs: the two sides are measured one after the other.
    """
    pairs = Spread(tuple(a / b for a, b in zip(ours.values, peer.values, strict=True)))
    return {
        "unit": "ms",
        "ours": round(ours.median, 2),
        "peer": round(peer.median, 2),
        "ratio": round(ours.median / peer.median, 3),
        "spread": {"ours": ours.figures(), "peer": peer.figures(), "ratio": pairs.figures()},
    }


def report(figures: dict[str, Any], *, as_json: bool, notes: Sequence[str] = ()) -> None:
    """Print the figures: one JSON object, or lines for a person."""
    machine = {
        "system": platform.system(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }
    if as_json:
        print(json.dumps({"figures": figures, "notes": list(notes), "machine": machine}))
        return
    for name, figure in figures.items():
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in figure.items() if key != "spread"))
    for note in notes:
        print(f"  {note}")
