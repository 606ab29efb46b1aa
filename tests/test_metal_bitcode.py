"""What Apple's compiler wrote, run by the emulator; and what it might write, written by hand."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from metal.emu import toolchain
from metal.emu.metallib import MetallibError
from metal.emu.runner import Emulator, EmulatorError
from mybro.compute.emulator import EmulatorDevice
from tests import metal_cases
from tests.metal_cases import need_emulator

pytestmark = pytest.mark.integration

DATA = Path(__file__).parent / "data" / "metal"
BUILT = DATA / "two_of_mlx.metallib"
HEAD = 'target triple = "air64-apple-macosx14.0.0"\n'
TAIL = ', !"air.arg_type_name", !"{type}", !"air.arg_name", !"{name}"}}\n'


@pytest.fixture(autouse=True)
def _compiler() -> None:
    need_emulator()


@pytest.mark.parametrize("seed", [0, 5])
def test_a_library_by_apples_compiler_runs(seed: int) -> None:
    with Emulator(files=[BUILT], seed=seed) as emulator:
        out = emulator.allocate(1000, np.float32)
        start, step = struct.pack("<f", 1.5), struct.pack("<f", 0.25)
        emulator.launch("arangefloat32", {2: out}, {0: start, 1: step}, (1000, 1, 1), (64, 1, 1))
        expected = np.arange(1000, dtype=np.float32) * np.float32(0.25) + np.float32(1.5)
        assert np.array_equal(emulator.download(out, 1000, np.float32), expected)
        for length in (1, 31, 1021, 4096, 10_007):
            x = np.random.default_rng(length).integers(-99, 99, length).astype(np.float32)
            result = emulator.allocate(1, np.float32)
            sizes = {at: struct.pack("<Q", length) for at in (2, 3)}
            buffers = {0: emulator.upload(x), 1: result}
            emulator.launch("all_reduce_sumfloat32", buffers, sizes, (256, 1, 1), (256, 1, 1))
            assert emulator.download(result, 1, np.float32)[0] == x.sum()


def library(folder: Path, name: str, text: str) -> Path:
    """A container with one kernel, as `metallib` reads it."""
    tool = toolchain.need().tool("llvm-as")
    assert tool is not None, "llvm-as comes with llvm-dis"
    made = subprocess.run([tool, "-", "-o", "-"], input=text.encode(), capture_output=True, check=True)

    def tag(key: bytes, value: bytes) -> bytes:
        return key + struct.pack("<H", len(value)) + value

    row = (
        tag(b"NAME", name.encode() + b"\0") + tag(b"TYPE", b"\2") + tag(b"OFFT", struct.pack("<3Q", 0, 0, 0))
    )
    row += tag(b"MDSZ", struct.pack("<Q", len(made.stdout))) + tag(b"VERS", struct.pack("<4H", 2, 6, 3, 1))
    listed = struct.pack("<II", 1, len(row) + 8) + row + b"ENDT"
    start = 16 + 72 + len(listed)
    sizes = (start + len(made.stdout), 88, len(listed), 0, 0, 0, 0, start, len(made.stdout))
    file = folder / f"{name}.metallib"
    file.write_bytes(b"MTLB".ljust(16, b"\0") + struct.pack("<9Q", *sizes) + listed + made.stdout)
    return file


def metadata(rows: list[str]) -> str:
    return "".join(f"!{at} = !{{i32 {at}, {row}" for at, row in enumerate(rows))


def buffer(index: int, kind: str, name: str) -> str:
    head = f'!"air.buffer", !"air.location_index", i32 {index}, i32 1, !"air.read_write"'
    head += ', !"air.address_space", i32 1, !"air.arg_type_size", i32 4'
    return head + TAIL.format(type=kind, name=name)


def place(what: str, kind: str) -> str:
    return f'!"air.{what}"' + TAIL.format(type=kind, name="p")


MIXED = (
    HEAD
    + """
@shared = internal unnamed_addr addrspace(3) global [64 x i32] undef, align 4
define void @mixed(ptr addrspace(1) noundef %in, ptr addrspace(1) %out, <2 x i32> %at, i16 %lane) #0 {
  %i = extractelement <2 x i32> %at, i64 0
  %j = zext i32 %i to i64
  %from = getelementptr float, ptr addrspace(1) %in, i64 %j
  %x = load float, ptr addrspace(1) %from
  %f = tail call float @air.fma.f32(float %x, float 2.0, float 1.0)
  %n = tail call i32 @air.convert.s.i32.f.f32(float %f)
  %own = getelementptr [64 x i32], ptr addrspace(3) @shared, i64 0, i64 %j
  store i32 %n, ptr addrspace(3) %own
  tail call void @air.wg.barrier(i32 2, i32 1)
  %k = xor i64 %j, 63
  %other = getelementptr [64 x i32], ptr addrspace(3) @shared, i64 0, i64 %k
  %m = load i32, ptr addrspace(3) %other
  %up = tail call i32 @air.simd_shuffle_xor.s.i32(i32 %m, i16 1)
  %most = tail call i32 @air.max.s.i32(i32 %up, i32 -5)
  %w = zext i16 %lane to i32
  %sum = add i32 %most, %w
  %to = getelementptr i32, ptr addrspace(1) %out, i64 %j
  store i32 %sum, ptr addrspace(1) %to
  %total = getelementptr i32, ptr addrspace(1) %out, i64 64
  %before = tail call i32 @air.atomic.global.add.s.i32(ptr addrspace(1) %total, i32 %n, i32 0, i32 2, i1 true)
  ret void
}
declare float @air.fma.f32(float, float, float)
declare i32 @air.convert.s.i32.f.f32(float)
declare void @air.wg.barrier(i32, i32)
declare i32 @air.simd_shuffle_xor.s.i32(i32, i16)
declare i32 @air.max.s.i32(i32, i32)
declare i32 @air.atomic.global.add.s.i32(ptr addrspace(1), i32, i32, i32, i1)
attributes #0 = { convergent nounwind }
!air.kernel = !{!9}
!9 = !{ptr @mixed, !10, !11}
!10 = !{}
!11 = !{!0, !1, !2, !3}
"""
    + metadata(
        [
            buffer(0, "float", "in"), buffer(1, "int", "out"), place("thread_position_in_grid", "uint2"),
            place("thread_index_in_simdgroup", "ushort"),
        ]
    )
)  # fmt: skip


def test_memory_lanes_and_atomics(tmp_path: Path) -> None:
    x = np.linspace(-20, 20, 64, dtype=np.float32)
    with Emulator(files=[library(tmp_path, "mixed", MIXED)], seed=9) as emulator:
        out = emulator.upload(np.zeros(65, np.int32))
        emulator.launch("mixed", {0: emulator.upload(x), 1: out}, {}, (64, 1, 1), (64, 1, 1))
        found = emulator.download(out, 65, np.int32)
    whole = (x * 2 + 1).astype(np.int32)
    lanes = np.arange(64)
    assert np.array_equal(found[:64], np.maximum(whole[(lanes ^ 1) ^ 63], -5) + lanes % 32)
    assert found[64] == whole.sum()


def test_what_is_not_emulated_is_told(tmp_path: Path) -> None:
    unknown = MIXED.replace("air.max.s.i32", "air.teleport.s.i32")
    with pytest.raises(MetallibError, match=r"calls air\.teleport\.s\.i32"):
        Emulator(files=[library(tmp_path, "mixed", unknown)])
    elsewhere = MIXED.replace("air.thread_index_in_simdgroup", "air.render_target_array_index")
    with pytest.raises(MetallibError, match="asks for render_target_array_index"):
        Emulator(files=[library(tmp_path, "mixed", elsewhere)])


def test_lanes_that_part_are_told(tmp_path: Path) -> None:
    parted = MIXED.replace(
        "  tail call void @air.wg.barrier(i32 2, i32 1)\n",
        "  %odd = trunc i64 %j to i1\n  br i1 %odd, label %wait, label %go\nwait:\n"
        "  tail call void @air.wg.barrier(i32 2, i32 1)\n  br label %go\ngo:\n",
    )
    with Emulator(files=[library(tmp_path, "mixed", parted)]) as emulator:
        out = emulator.upload(np.zeros(65, np.int32))
        with pytest.raises(EmulatorError, match="divergent"):
            emulator.launch(
                "mixed", {0: emulator.upload(np.zeros(64, np.float32)), 1: out}, {}, (64, 1, 1), (64, 1, 1)
            )


@pytest.mark.skipif("MYBRO_METALLIB" not in os.environ, reason="the Metal workflow hands over what it built")
def test_every_kernel_of_a_built_library() -> None:
    with Emulator(files=[Path(os.environ["MYBRO_METALLIB"])], seed=1) as emulator:
        device = EmulatorDevice(emulator)
        for case in metal_cases.everything(41):
            case.judge(case.run(device))
