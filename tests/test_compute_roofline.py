"""What memory allows, what is measured, and how both are told."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from mybro.cli.bench import command
from mybro.compute import measure, picture, roofline
from mybro.compute.measure import Measured
from tests.requirements import need

pytestmark = pytest.mark.unit


def test_ceilings_are_bandwidth_times_operations_for_each_byte() -> None:
    found = {one.work.name: one.gflops for one in roofline.ceilings(273)}
    assert found["sum"] == pytest.approx(68.25)
    assert found["add"] == pytest.approx(22.75)
    assert found["copy"] == 0
    # More than 500 GFLOPS is in reach of what uses each element several times, and of nothing else.
    assert {name for name, gflops in found.items() if gflops > 500} == {
        "dot_queries_8", "dot_queries_32", "dot_queries_8_i8",
    }  # fmt: skip


def test_chips_are_known_by_the_name_that_the_system_gives() -> None:
    assert roofline.bandwidth("Apple M4 Pro") == 273
    assert roofline.bandwidth("M1") == 68.25
    assert roofline.bandwidth("Intel") is None


def test_a_table_of_ceilings_says_that_it_is_computed() -> None:
    lines = roofline.table_of_ceilings("M4 Pro", 273)
    assert lines[0].startswith("Computed, not measured")
    assert len(lines) == len(roofline.WORK) + 3
    assert max(map(len, lines)) <= 100


def test_two_sides_are_measured_alternately_and_warm() -> None:
    order: list[str] = []
    now = [0.0]

    def side(name: str) -> None:
        order.append(name)
        # The first rounds are slow.
        now[0] += 100 if len(order) <= 2 * measure.WARM_UP else {"ours": 2, "theirs": 3}[name]

    sides = [lambda: side("ours"), lambda: side("theirs")]
    assert measure.medians_s(sides, rounds=4, clock=lambda: now[0]) == [2, 3]
    assert order == ["ours", "theirs"] * (4 + measure.WARM_UP)


def found() -> list[Measured]:
    return [Measured(work, 10**9, 0.1, None if work.name == "cosine" else 0.2) for work in roofline.WORK]


def test_measurements_are_told_beside_the_copy_and_mlx() -> None:
    rows = {row.split()[0]: row for row in measure.table(found(), "Apple M4 Pro")[3:]}
    assert rows["copy"].split()[1:5] == ["80", "100%", "0", "2.00"]
    assert rows["cosine"].split()[1:5] == ["40", "50%", "40", "-"]
    figures = measure.as_figures(found())
    assert figures["sum"]["ratio"] == 0.5
    # Beside the time that a copy's speed would give.
    assert figures["cosine"]["ratio"] == pytest.approx(2)


def test_mlx_can_do_its_side_of_each_measurement() -> None:
    need(importlib.util.find_spec("mlx"), "MLX (make setup)")
    import mlx.core as mx

    sides = measure.operations(mx, None, 768 * 50)
    assert sides.keys() == {work.name for work in roofline.WORK}
    for count, _, theirs in sides.values():
        assert count > 37_000
        if theirs is not None:
            assert np.isfinite(np.array(theirs()).astype(np.float64)).all()


def test_where_there_is_no_gpu_nothing_is_measured() -> None:
    if not measure.missing():
        pytest.skip("there is one here")
    told = CliRunner().invoke(command, ["metal", "--json"], standalone_mode=False)
    assert told.exception is None
    answer = json.loads(told.output)
    assert answer["measured"] is None
    assert answer["computed"]["ceilings"]["sum"]["gflops"] == pytest.approx(68.2, abs=0.1)
    told = CliRunner().invoke(command, ["metal", "--chip", "M2 Max"], standalone_mode=False)
    assert "Computed, not measured: what 400 GB/s" in told.output
    assert "Nothing is measured here" in told.output
    wrong = CliRunner().invoke(command, ["metal", "--chip", "M99"], standalone_mode=False)
    assert "M99" in str(wrong.exception)


def test_the_picture_shows_every_kernel_and_says_what_it_is(tmp_path: Path) -> None:
    file = tmp_path / "roofline.svg"
    told = CliRunner().invoke(command, ["metal", "--chip", "M4 Pro", "--picture", str(file)])
    assert told.exit_code == 0, told.output
    text = "".join(ElementTree.fromstring(file.read_text()).itertext())  # noqa: S314 - our own
    assert "M4 Pro: computed, not measured" in text
    assert all(work.name in text for work in roofline.WORK if work.flop)
    measured = ElementTree.fromstring(picture.svg("M4 Pro", 273, found()))  # noqa: S314
    assert "measured beside" in "".join(measured.itertext())
    heights = [float(one.get("cy", 0)) for one in measured.iter() if one.tag.endswith("circle")]
    assert all(64 <= height <= 536 for height in heights)
    wrong = CliRunner().invoke(command, ["metal", "--picture", str(tmp_path / "no" / "where.svg")])
    assert "cannot be written" in str(wrong.exception)
