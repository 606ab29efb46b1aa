"""The roofline as a picture: what memory allows, and what was measured, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from mybro.compute.measure import Measured
from mybro.compute.roofline import WORK

WIDTH, HEIGHT = 960, 600
LEFT, RIGHT, TOP, BOTTOM = 130, 40, 72, 64
LOWEST, HIGHEST = 1 / 16, 32.0
"""FLOP for each byte, at the two ends."""
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.soft{fill:#57606a;font-size:12px}"
    ".title{font-size:17px;font-weight:600}.grid{stroke:#d8dee4}.roof{stroke:#0969da;stroke-width:2.5;fill:none}"
    ".can{fill:#fff;stroke:#0969da;stroke-width:2}.is{fill:#bc4c00}.gap{stroke:#bc4c00;stroke-dasharray:3 3}"
)


def svg(chip: str, gbps: float, measured: Sequence[Measured] = ()) -> str:
    """The picture; without measurements it says of itself that everything in it is computed."""
    works = [work for work in WORK if work.flop]
    most = gbps * HIGHEST
    least = 10 ** math.floor(math.log10(gbps * LOWEST / (100 if measured else 1)))

    def across(intensity: float) -> float:
        share = math.log(intensity / LOWEST) / math.log(HIGHEST / LOWEST)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def up(gflops: float) -> float:
        share = math.log(max(gflops, least) / least) / math.log(most / least)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    said = "measured beside what memory allows" if measured else "computed, not measured"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<style>{_STYLE}</style>", f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text class="title" x="{LEFT}" y="30">Metal kernels on {escape(chip)}: {said}</text>',
        f'<text class="soft" x="{LEFT}" y="48">memory of {gbps:g} GB/s</text>',
    ]  # fmt: skip
    for power in range(-4, 6):
        x = across(2.0**power)
        parts.append(_line("grid", x, TOP, x, HEIGHT - BOTTOM))
        parts.append(_text("soft", x, HEIGHT - BOTTOM + 20, f"{2.0**power:g}", "middle"))
    for power in range(round(math.log10(least)), math.floor(math.log10(most)) + 1):
        y = up(10.0**power)
        parts.append(_line("grid", LEFT, y, WIDTH - RIGHT, y))
        parts.append(_text("soft", LEFT - 8, y + 4, f"{10.0**power:g}", "end"))
    parts.append(_text("soft", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "FLOP for each byte", "middle"))
    parts.append(_text("soft", LEFT - 8, TOP - 8, "GFLOPS", "end"))
    parts.append(_line("roof", across(LOWEST), up(gbps * LOWEST), across(HIGHEST), up(most)))
    found = {one.work.name: one.gflops for one in measured}
    for number, intensity in enumerate(sorted({work.flop / work.bytes for work in works})):
        names = [work.name for work in works if work.flop / work.bytes == intensity]
        x, y = across(intensity), up(gbps * intensity)
        parts.append(f'<circle class="can" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
        for name in (name for name in names if name in found):
            parts.append(_line("gap", x, y, x, up(found[name])))
            parts.append(f'<circle class="is" cx="{x:.1f}" cy="{up(found[name]):.1f}" r="4"/>')
        label = f"{', '.join(names)}: {gbps * intensity:.0f}"
        # On both sides by turns: neighbours would cover each other.
        x, y, anchor = (x + 12, y + 18, "start") if number % 2 else (x - 8, y - 9, "end")
        parts.append(_text("", x, y, label, anchor))
    return "\n".join([*parts, "</svg>", ""])


def _line(kind: str, *ends: float) -> str:
    x1, y1, x2, y2 = (f"{end:.1f}" for end in ends)
    return f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _text(kind: str, x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
