"""MLX's own operations beside ours, and our kernels in the shape in which MLX compiles them."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metal.emu import lint
from metal.emu.runner import Emulator
from metal.emu.toolchain import CACHE
from mybro.compute import metal as compute
from mybro.compute import mlx_device, mlx_ops, passes
from mybro.compute.mlx_device import MlxDevice, definition
from mybro.compute.sources import kernels
from tests import metal_cases
from tests.metal_cases import Case, need_emulator, u
from tests.requirements import need

pytestmark = pytest.mark.integration

if importlib.util.find_spec("mlx") is not None:
    import mlx.core as mx

ATTRIBUTES = {
    "threadgroup_position_in_grid": "uint3",
    "threadgroups_per_grid": "uint3",
    "threads_per_threadgroup": "uint3",
    "thread_index_in_threadgroup": "uint",
    "thread_index_in_simdgroup": "uint",
    "simdgroup_index_in_threadgroup": "uint",
    "simdgroups_per_threadgroup": "uint",
}
PARTS = 4
"""Files that the shaped kernels are in: they are compiled side by side."""


@pytest.fixture(autouse=True)
def _parts() -> None:
    need(importlib.util.find_spec("mlx"), "MLX (make setup)")
    need_emulator()


def of_mlx(value: Any) -> Any:
    return mx.array(value) if isinstance(value, np.ndarray) else value


def of_numpy(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(of_numpy(one) for one in value)
    return np.array(value)


def shaped(part: int = 0, parts: int = 1) -> str:
    """One kernel of so many, each as MLX writes it around a source: inputs first, then outputs."""
    text = "#include <metal_stdlib>\nusing namespace metal;\n"
    for number, kernel in enumerate(list(kernels().values())[part::parts]):
        one = definition(kernel)
        text = text if number else text + one.header
        types = {f"{p.name}_": "uint" if p.space == "constant" else p.type for p in kernel.parameters}
        types |= {
            name: kind.replace("atomic_", "").replace("float2", "float") for name, kind in types.items()
        }
        names = [(f"const device {types[name]}", name) for name in one.input_names]
        names += [(f"device {types[name]}", name) for name in one.output_names]
        buffers = [f"{kind}* {name} [[buffer({at})]]" for at, (kind, name) in enumerate(names)]
        used = [f"{kind} {name} [[{name}]]" for name, kind in ATTRIBUTES.items() if name in one.source]
        text += f"[[kernel]] void {one.name}({', '.join(buffers + used)}) {{\n{one.source}\n}}\n"
    return text


@pytest.fixture(scope="module")
def device() -> Iterator[MlxDevice]:
    """MLX's side of the route, with the emulator where MLX has the GPU."""
    need(importlib.util.find_spec("mlx"), "MLX (make setup)")
    need_emulator()
    CACHE.mkdir(parents=True, exist_ok=True)
    files = [CACHE / f"mlx_shaped_{part}.metal" for part in range(PARTS)]
    for part, file in enumerate(files):
        file.write_text(shaped(part, PARTS))
    with Emulator(files=files, seed=5) as emulator:

        def compile_kernel(name: str, **_: Any) -> Any:
            def call(
                inputs: list[Any], output_shapes: Any, output_dtypes: Any, grid: Any, threadgroup: Any,
                init_value: int | None = None,
            ) -> list[Any]:  # fmt: skip
                assert all(one.size >= mlx_device.FEWEST for one in inputs)
                given = [emulator.upload(np.array(one)) for one in inputs]
                kinds = [np.dtype(str(kind).removeprefix("mlx.core.")) for kind in output_dtypes]
                counts = [int(np.prod(shape)) for shape in output_shapes]
                made = [
                    emulator.allocate(count, kind)
                    if init_value is None
                    else emulator.upload(np.zeros(count, kind))
                    for count, kind in zip(counts, kinds, strict=True)
                ]
                emulator.launch(name, dict(enumerate(given + made)), {}, grid, threadgroup)
                return [
                    mx.array(emulator.download(one, count, kind))
                    for one, count, kind in zip(made, counts, kinds, strict=True)
                ]

            return call

        yield MlxDevice(compile_kernel)


# mybro: ignore[TS03] MLX raises where it does not understand a kernel
def test_mlx_itself_takes_every_kernel() -> None:
    for kernel in kernels().values():
        one = definition(kernel)
        mx.fast.metal_kernel(
            name=one.name, input_names=one.input_names, output_names=one.output_names, source=one.source,
            header=one.header,
        )  # fmt: skip


def test_the_shape_that_mlx_compiles_passes_the_lint(tmp_path: Path) -> None:
    file = tmp_path / "shaped.metal"
    # MSL makes a constructor that copies a struct out of device memory, and clang does not for C++.
    file.write_text(re.sub(r" = \*reinterpret_cast<const device (mybro::\w+) \*>\(a_\);", "{};", shaped()))
    lint.check([file])


def test_every_operation_in_the_shape_that_mlx_compiles(device: MlxDevice) -> None:
    for case in metal_cases.everything(8, (0, 1, 33, 2049)):
        if any(isinstance(one, np.ndarray) and one.dtype == np.float64 for one in case.arguments):
            continue  # MLX's arrays of doubles live on the CPU only
        arguments = [of_mlx(one) for one in case.arguments]
        result = getattr(passes, case.operation)(device, *arguments, **case.options)
        case.judge(of_numpy(result))


def judge_mlx(case: Case) -> None:
    """MLX's own sums are plain ones: they may be off by what their terms' magnitudes allow."""
    x = next((one for one in case.arguments if isinstance(one, np.ndarray)), None)
    result = getattr(mlx_ops, case.operation)(*[of_mlx(one) for one in case.arguments], **case.options)
    if (
        x is not None
        and x.dtype.kind == "f"
        and case.operation in ("reduce", "masked_sum", "variance", "scan")
    ):
        with np.errstate(all="ignore"):
            total = np.abs(x.astype(np.float64)).sum()
        case.relative, case.absolute = 1e-5, np.nan_to_num(total, posinf=0.0) * 64 * u + 1e-6
        if case.operation == "reduce" and case.arguments[0] in ("min", "max", "threshold_count"):
            case.relative = case.absolute = 0.0
    elif case.relative or np.any(case.absolute):
        case.relative, case.absolute = max(case.relative, 64 * u), np.asarray(case.absolute) * 64 + 64 * u
    elif case.operation == "binary":
        case.relative = 2 * u
    case.judge(of_numpy(result))


@pytest.mark.parametrize("length", [*metal_cases.LENGTHS, 100_003])
def test_mlx_operations_agree_with_numpy(length: int) -> None:
    for case in metal_cases.of_length(np.random.default_rng(length), length):
        if not any(isinstance(one, np.ndarray) and one.dtype == np.float64 for one in case.arguments):
            judge_mlx(case)


def test_mlx_operations_agree_with_numpy_in_any_shape() -> None:
    for case in metal_cases.of_shapes(np.random.default_rng(9)):
        judge_mlx(case)


@pytest.mark.parametrize("dtype", metal_cases.FLOATS)
def test_mlx_operations_agree_on_extremes(dtype: type) -> None:
    values = np.array([0, 1, -1, np.inf, -np.inf, np.nan, 60000, -60000, 6.2e-5, 20, -20, 0.5], np.float32)
    x: metal_cases.Array = values.astype(dtype)
    for name in metal_cases.MAPS:
        judge_mlx(Case("unary", (name, x), {}, 16 * u, 2 * u))
    for name in metal_cases.PAIRS:
        judge_mlx(Case("binary", (name, np.repeat(x, x.size), np.tile(x, x.size))))
    for part in (x[:3], x[:4], x[3:5], x[4:6], x[6:8]):
        for case in metal_cases.reductions(part, np.ones(part.size, bool)):
            if case.operation != "reduce" or case.arguments[0] not in ("square_sum", "l2"):
                judge_mlx(case)


@pytest.mark.parametrize("dtype", metal_cases.FLOATS)
def test_mlx_operations_agree_on_any_bits(dtype: type) -> None:
    """Numbers of every size, infinite ones and no numbers; denormal ones flushed, as Apple's GPU has them."""
    chance = np.random.default_rng(13)
    x, y = (metal_cases.random_bits(chance, 3001, dtype).copy() for _ in range(2))
    for one in (x, y):
        one[np.abs(one) < np.finfo(dtype).tiny] = 0
    for name in metal_cases.MAPS:
        judge_mlx(Case("unary", (name, x), {}, 16 * u, 2 * u))
    for name in metal_cases.PAIRS:
        judge_mlx(Case("binary", (name, x, y)))
    finite = x[~np.isnan(x)]
    for part in (x, finite, x[:0]):
        for name in ("min", "max") if part.size else ():
            judge_mlx(Case("reduce", (name, part)))
        judge_mlx(Case("reduce", ("threshold_count", part), {"threshold": 0.25}))
        judge_mlx(Case("histogram", (part, np.linspace(-2, 2, 14).astype(np.float32))))
        for affine in (False, True):
            judge_mlx(Case("quantise", (part, 1), {"affine": affine}))
        for case in metal_cases.moves(part, chance.random(part.size) < 0.5):
            judge_mlx(case)


def test_a_forced_backend_takes_arrays_of_either_kind() -> None:
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    for backend in ("numpy", "mlx", "emulator"):
        for array, kind in ((x, np.ndarray), (mx.array(x), mx.array)):
            scanned = compute.scan(array, axis=1, backend=backend)
            assert isinstance(scanned, kind)
            assert np.array(scanned).tolist() == [[0, 1, 3], [3, 7, 12]]
            q = compute.quantise(array, backend=backend)
            assert isinstance(q.levels, kind)
            assert np.allclose(np.array(compute.dequantise(q, backend=backend)), x, atol=0.03)
            assert float(compute.max(array, backend=backend)) == 5


def test_mlx_arrays_choose_mlx() -> None:
    x = mx.array(np.arange(5, dtype=np.float32))
    choice = compute.using(x)
    if mx.metal.is_available():
        assert choice.name == "mlx-metal"
    else:
        assert choice.name == "mlx"
        assert "Metal" in choice.why
    assert isinstance(compute.sum(x), mx.array)
    assert float(compute.sum(x)) == 10
    assert compute.min(x).dtype == mx.float32
    counts, edges = compute.histogram(x, bins=2)
    assert isinstance(counts, mx.array)
    assert isinstance(edges, mx.array)
    assert counts.tolist() == [2, 3]
    q = compute.quantise(x.reshape(1, 5), per_row=True)
    assert np.allclose(np.array(compute.dequantise(q)), np.arange(5), atol=0.02)
