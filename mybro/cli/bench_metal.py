"""`mybro bench metal`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from mybro.errors import ComputeError


@click.command("metal")
@click.option("--chip", default="", help="Whose ceilings to compute where there is no GPU, as 'M4 Max'.")
@click.option("--elements", type=click.IntRange(2**12, 2**29), help="How long the arrays are.")
@click.option("--picture", type=click.Path(dir_okay=False), help="Draw the roofline into an SVG file, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(chip: str, elements: int | None, picture: str | None, as_json: bool) -> int:
    """Our Metal kernels beside MLX's own operations and a copy, and what the memory allows.

    Where there is no Apple GPU nothing is measured: the ceilings of a chip are computed, and said to be.
    """
    from mybro.compute import measure, roofline
    from mybro.compute.picture import svg

    why = measure.missing()
    if why or chip:
        name = chip or roofline.ASSUMED
        gbps = roofline.bandwidth(name)
        if gbps is None:
            known = ", ".join(roofline.BANDWIDTH_GBPS)
            raise ComputeError("unknown_chip", f"The memory of '{name}' is not known", hint=f"One of {known}")
        note = f"Nothing is measured here: {why}." if why else ""
        _draw(picture, svg(name, gbps))
        _tell(_computed(name, gbps, note), [*roofline.table_of_ceilings(name, gbps), "", note], as_json)
        return 0
    found = measure.measure(elements or measure.ELEMENTS)
    copied = next(one.gbps for one in found if one.work.name == "copy")
    _draw(picture, svg(measure.chip(), roofline.bandwidth(measure.chip()) or copied, found))
    _tell({"measured": measure.as_figures(found)}, measure.table(found, measure.chip()), as_json)
    return 0


def _draw(file: str | None, picture: str) -> None:
    if file is None:
        return
    try:
        Path(file).write_text(picture, "utf-8")
    except OSError as error:
        raise ComputeError("not_written", f"{file} cannot be written: {error.strerror}") from None


def _computed(name: str, gbps: float, note: str) -> dict[str, Any]:
    from mybro.compute import roofline

    rows = {
        one.work.name: {"gbps": one.gbps, "gflops": round(one.gflops, 1)} for one in roofline.ceilings(gbps)
    }
    return {"measured": None, "why": note, "computed": {"chip": name, "ceilings": rows}}


def _tell(found: dict[str, Any], lines: list[str], as_json: bool) -> None:
    click.echo(json.dumps(found) if as_json else "\n".join(lines).rstrip())
