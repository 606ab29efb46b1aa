"""The manifest, the one text for a driver that compiles, and the reader of built libraries."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from metal.emu import build, lint, manifest, metallib
from metal.emu.__main__ import main
from metal.emu.metallib import MetallibError
from metal.emu.reflection import Kernel, Parameter
from mybro.compute import sources
from tests.metal_cases import need_emulator

pytestmark = pytest.mark.integration

BUILT = Path(__file__).parent / "data" / "metal" / "two_of_mlx.metallib"
"""Two kernels out of MLX's library (MIT), as Apple's compiler made them, in a container of their own."""


@pytest.fixture(autouse=True)
def _compiler() -> None:
    need_emulator()


def test_the_manifest_is_what_the_sources_say() -> None:
    assert manifest.as_text(manifest.from_sources()) == manifest.PATH.read_text(), (
        "run: python -m metal.emu manifest"
    )


def test_hosts_read_the_manifest() -> None:
    assert set(sources.kernels()) == {kernel.name for kernel in manifest.read()}
    for kernel in sources.kernels().values():
        assert [one.index for one in kernel.parameters] == list(range(len(kernel.parameters)))
        *buffers, constants = kernel.parameters
        assert constants.space == "constant"
        assert all(one.space == "device" for one in buffers)
        assert any(one.writable for one in buffers)


def test_the_whole_library_is_one_text(tmp_path: Path) -> None:
    file = tmp_path / "whole.metal"
    file.write_text(sources.whole_source())
    lint.check([file])
    assert {kernel.name for kernel in build.read(file).kernels} == set(sources.kernels())


def row(name: str, kind: str, space: str, index: int, size: int, *, writable: bool = False) -> Parameter:
    return Parameter(name, kind, space, writable, index, size)


SUM = Kernel(
    "all_reduce_sumfloat32", "", "", {},
    (
        row("in", "float", "device", 0, 4), row("out", "float", "device", 1, 4, writable=True),
        row("in_size", "ulong", "constant", 2, 8), row("row_size", "ulong", "constant", 3, 8),
    ), "",
)  # fmt: skip
RANGE = Kernel(
    "arangefloat32", "", "", {},
    (
        row("start", "float", "constant", 0, 4), row("step", "float", "constant", 1, 4),
        row("out", "float", "device", 2, 4, writable=True),
    ), "",
)  # fmt: skip


def test_a_library_by_apples_compiler_is_read() -> None:
    found = metallib.functions(BUILT)
    assert [(one.name, one.kind, one.language) for one in found] == [
        (kernel.name, metallib.KERNEL, (3, 2)) for kernel in (SUM, RANGE)
    ]
    assert metallib.differences(BUILT, [SUM, RANGE]) == []


def test_what_differs_from_the_manifest_is_told() -> None:
    wrong = replace(SUM, parameters=(replace(SUM.parameters[0], writable=True, size=2), *SUM.parameters[1:]))
    short = replace(RANGE, parameters=RANGE.parameters[:2])
    assert metallib.differences(BUILT, [wrong, short, replace(SUM, name="new")]) == [
        "new: not in the library",
        "all_reduce_sumfloat32: writable of 'in' is False, not True",
        "all_reduce_sumfloat32: size of 'in' is 4, not 2",
        "arangefloat32: takes 3 buffers, not 2",
    ]


@pytest.mark.parametrize("cut", [0, 3, 50, 100, 400, 5000])
def test_a_damaged_library_is_told(cut: int, tmp_path: Path) -> None:
    file = tmp_path / "cut.metallib"
    data = BUILT.read_bytes()[:cut]
    file.write_bytes(data)
    with pytest.raises(MetallibError, match="cut"):
        metallib.functions(file)
    if cut > 24:
        file.write_bytes(data[:16] + struct.pack("<Q", cut) + data[24:])
        with pytest.raises(MetallibError, match="damaged"):
            metallib.functions(file)


def test_the_tools_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint"]) == 0
    assert main(["check", str(BUILT)]) == 1
    assert "sum_f32: not in the library" in capsys.readouterr().out
    assert main(["check", "nothing.metallib"]) == 1
    assert "nothing.metallib" in capsys.readouterr().err
    assert main(["dance"]) == 2
