"""The computation behind the paper. What `values` returns can stand in the text as {=name}."""

from __future__ import annotations

import math

import numpy as np

SEED = 20_260_101
POINTS = (1_000, 10_000, 100_000, 1_000_000)


def estimate(points: int, seed: int = SEED) -> float:
    """Pi, from that many points in the unit square."""
    x, y = np.random.default_rng(seed).random((2, points))
    return 4 * float(np.count_nonzero(x * x + y * y <= 1)) / points


def values() -> dict[str, str]:
    """Every number of the text, as it is to be read."""
    rows = [(points, estimate(points)) for points in POINTS]
    points, best = rows[-1]
    return {
        "points": f"{points:,}",
        "estimate": f"{best:.4f}",
        "error": f"{abs(best - math.pi):.4f}",
        "expected": f"{math.sqrt(math.pi * (4 - math.pi) / points):.4f}",
        "table": "\n".join(f"| {n:,} | {pi:.4f} | {abs(pi - math.pi):.4f} |" for n, pi in rows),
    }
