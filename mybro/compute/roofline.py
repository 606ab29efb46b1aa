"""How quick each kernel could be at best on a chip: what its memory allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

ASSUMED = "M4 Pro"
"""Whose ceilings are shown where there is no Apple chip."""

BANDWIDTH_GBPS: dict[str, float] = {
    "M1": 68.25, "M1 Pro": 200, "M1 Max": 400, "M1 Ultra": 800,
    "M2": 100, "M2 Pro": 200, "M2 Max": 400, "M2 Ultra": 800,
    "M3": 100, "M3 Pro": 150, "M3 Max": 400, "M3 Ultra": 819,
    "M4": 120, "M4 Pro": 273, "M4 Max": 546,
}  # fmt: skip
"""What Apple says of each chip's memory; where a chip was sold with two, the faster one."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a kernel does for each element of its main array."""

    name: str
    bytes: float
    """Moved between the GPU and its memory, in all passes."""
    flop: float
    """Useful operations: those of the plain formula. What compensation adds is not counted."""
    note: str = ""


WORK: tuple[Work, ...] = (
    Work("copy", 8, 0, "the yardstick"),
    Work("sum", 4, 1),
    Work("max", 4, 1),
    Work("l2", 4, 2),
    Work("square_sum", 4, 2),
    Work("variance", 8, 3, "two readings"),
    Work("relu", 8, 1),
    Work("add", 12, 1),
    Work("sigmoid", 8, 4),
    Work("scan", 12, 1, "two readings"),
    Work("transpose", 8, 0),
    Work("quantise", 9, 2, "two readings"),
    Work("dot", 4, 2, "one query for all rows"),
    Work("cosine", 4, 4, "one query for all rows"),
    Work("dot_queries_8", 4, 16, "tiled, 8 queries"),
    Work("dot_queries_32", 4, 64, "tiled, 32 queries"),
    Work("dot_queries_8_i8", 1, 16, "tiled, 8 queries, eight bits"),
)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that memory allows."""

    work: Work
    gbps: float
    gflops: float


def ceilings(gbps: float) -> list[Ceiling]:
    """Each kernel's ceiling at a memory bandwidth in gigabytes a second."""
    return [Ceiling(work, gbps, gbps * work.flop / work.bytes) for work in WORK]


def bandwidth(chip: str) -> float | None:
    """What Apple says of a chip's memory, from a name like `Apple M4 Pro`; None if it is not known."""
    return BANDWIDTH_GBPS.get(chip.removeprefix("Apple").strip())


def bar(value: float, most: float, width: int) -> str:
    """A bar on a logarithmic scale from 1 to `most`."""
    if value < 1:
        return ""
    return "█" * max(1, round(width * math.log(value) / math.log(most)))


def table_of_ceilings(chip: str, gbps: float, width: int = 32) -> Sequence[str]:
    """The ceilings as a person reads them; says of itself that nothing in it is measured."""
    found = ceilings(gbps)
    most = max(ceiling.gflops for ceiling in found)
    lines = [
        f"Computed, not measured: what {gbps:g} GB/s of memory ({chip}) allow at most",
        "",
        f"{'':18}{'FLOP/byte':>10}{'GFLOPS':>8}",
    ]
    for one in found:
        intensity = one.work.flop / one.work.bytes
        tail = f"  {bar(one.gflops, most, width):<{width}}  {one.work.note}".rstrip()
        lines.append(f"{one.work.name:18}{intensity:10.3f}{one.gflops:8.0f}{tail}")
    return lines
