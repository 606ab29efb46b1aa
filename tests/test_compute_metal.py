"""mybro.compute.metal: what it gives for arrays, what it refuses, and which backend it takes."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mybro.compute import emulator, metal_macos, mlx_device
from mybro.compute import metal as compute
from mybro.errors import ComputeError

pytestmark = pytest.mark.unit

X = np.array([[1.5, -2, 0.25], [4, 0, -8]], np.float32)
NUMPY: Any = {"backend": "numpy"}


def same(result: Any, expected: Any, dtype: type = np.float32) -> None:
    result = np.asarray(result)
    assert result.dtype == dtype
    assert np.allclose(result, expected, rtol=1e-6)
    assert result.shape == np.shape(expected)


def test_reductions() -> None:
    same(compute.sum(X, **NUMPY), -4.25)
    same(compute.sum(X, axis=1, **NUMPY), [-0.25, -4])
    same(compute.sum(X, axis=0, **NUMPY), [5.5, -2, -7.75])
    same(compute.mean(X, axis=-1, **NUMPY), [-0.25 / 3, -4 / 3])
    same(compute.min(X, **NUMPY), -8)
    same(compute.max(X.astype(np.float16), axis=1, **NUMPY), [1.5, 4], np.float16)
    same(compute.l2(X[0], **NUMPY), math.sqrt(1.5**2 + 4 + 0.0625))
    same(compute.square_sum(X[0], **NUMPY), 6.3125)
    same(compute.abs_sum(X, axis=1, **NUMPY), [3.75, 12])
    same(compute.threshold_count(X, 0.2, axis=1, **NUMPY), [2, 1], np.int32)
    same(compute.masked_sum(X, X < 0, **NUMPY), -10)
    same(compute.variance(X[0], ddof=1, **NUMPY), np.var(X[0], ddof=1))
    same(compute.sum(np.array([2**31 - 1, 1], np.int32), **NUMPY), -(2**31), np.int32)


def test_sums_are_exact_before_they_are_rounded() -> None:
    x = np.random.default_rng(1).standard_normal(10_000).astype(np.float32)
    exact = sum(map(Fraction, x.tolist()))
    assert compute.sum(x, **NUMPY) == np.float32(float(exact))


def test_maps() -> None:
    same(compute.exp(X, **NUMPY), np.exp(X))
    same(compute.log(np.abs(X) + 1, **NUMPY), np.log(np.abs(X) + 1))
    same(compute.sigmoid(X, **NUMPY), 1 / (1 + np.exp(-X)))
    same(compute.tanh(X, **NUMPY), np.tanh(X))
    same(compute.relu(X, **NUMPY), np.maximum(X, 0))
    same(compute.abs(X, **NUMPY), np.abs(X))
    same(compute.neg(X, **NUMPY), -X)
    same(compute.add(X, X, **NUMPY), 2 * X)
    same(compute.sub(X, X, **NUMPY), 0 * X)
    same(compute.mul(X, X, **NUMPY), X * X)
    same(compute.div(X + 20, X + 10, **NUMPY), (X + 20) / (X + 10))


def test_transforms() -> None:
    same(compute.scan(X, **NUMPY), [[1.5, -0.5, -0.25], [3.75, 3.75, -4.25]])
    same(compute.scan(X, axis=0, exclusive=True, **NUMPY), [[0, 0, 0], [1.5, -2, 0.25]])
    same(compute.compact(X, X > 0, **NUMPY), [1.5, 0.25, 4])
    same(compute.transpose(X, **NUMPY), X.T)
    same(compute.repack(X, (1, 0), 3, **NUMPY), np.pad(X.T, ((0, 0), (0, 1))))
    same(compute.repack(X, **NUMPY), X)
    counts, edges = compute.histogram(X, bins=4, limits=(-8, 4), **NUMPY)
    same(edges, [-8, -5, -2, 1, 4])
    same(counts, [1, 0, 3, 2], np.uint32)
    assert compute.histogram(np.full(3, 7, np.float32), bins=2, **NUMPY)[0].tolist() == [0, 3]
    assert compute.histogram(np.empty(0, np.float32), bins=2, **NUMPY)[0].tolist() == [0, 0]


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("per_row", [False, True])
def test_quantisation_is_off_by_half_a_step_at_most(affine: bool, per_row: bool) -> None:
    x = np.random.default_rng(2).uniform(-1, 7, (5, 40)).astype(np.float32)
    q = compute.quantise(x, affine=affine, per_row=per_row, **NUMPY)
    assert q.levels.dtype == np.int8
    assert q.scales.shape == (5 if per_row else 1,)
    back = compute.dequantise(q, **NUMPY)
    assert np.all(np.abs(back - x) <= 0.51 * q.scales.reshape(-1, 1))
    zero = compute.quantise(np.zeros(3, np.float32), affine=affine, **NUMPY)
    assert compute.dequantise(zero, dtype="float16", **NUMPY).tolist() == [0, 0, 0]


def test_similarities() -> None:
    rows = np.array([[1, 0], [3, 4], [0, 0]], np.float32)
    queries = np.array([[1, 0], [0, 2]], np.float32)
    same(compute.dot(rows, rows, **NUMPY), [1, 25, 0])
    same(compute.dot(rows, queries[1], **NUMPY), [0, 8, 0])
    same(compute.cosine(rows, queries[0], **NUMPY), [1, 0.6, 0])
    same(compute.dot_queries(rows, queries, **NUMPY), [[1, 3, 0], [0, 8, 0]])
    same(compute.cosine_queries(rows, queries, **NUMPY), [[1, 0.6, 0], [0, 0.8, 0]])
    small = np.full((2, 1000), -128, np.int8)
    same(compute.dot(small, small[0], **NUMPY), [16_384_000] * 2, np.int32)
    same(compute.dot_queries(small, small, **NUMPY), [[16_384_000] * 2] * 2, np.int32)


REFUSED: list[tuple[str, Any]] = [
    ("wrong_type", lambda: compute.sum([1.0, 2.0])),
    ("wrong_type", lambda: compute.exp(np.arange(3))),
    ("wrong_type", lambda: compute.add(X, X.astype(np.float16))),
    ("wrong_type", lambda: compute.masked_sum(X, X)),
    ("wrong_type", lambda: compute.dequantise(compute.quantise(X), dtype="int32")),
    ("wrong_shape", lambda: compute.sum([[1], [2, 3]])),
    ("wrong_shape", lambda: compute.add(X, X.T)),
    ("wrong_shape", lambda: compute.transpose(X[0])),
    ("wrong_shape", lambda: compute.dot(X, X[:1])),
    ("wrong_shape", lambda: compute.dot_queries(X, X[0])),
    ("wrong_shape", lambda: compute.cosine(X, np.ones(4, np.float32))),
    ("wrong_axis", lambda: compute.sum(X, axis=2)),
    ("wrong_axis", lambda: compute.min(X, axis=2)),
    ("wrong_axes", lambda: compute.repack(X, (0, 0))),
    ("wrong_axes", lambda: compute.repack(np.zeros((1,) * 5, np.float32))),
    ("wrong_width", lambda: compute.repack(X, width=-1)),
    ("wrong_bins", lambda: compute.histogram(X, bins=0)),
    ("wrong_limits", lambda: compute.histogram(X, limits=(1, 0))),
    ("wrong_limits", lambda: compute.histogram(np.array([1, np.nan], np.float32))),
    ("empty", lambda: compute.max(np.empty((3, 0), np.float32), axis=1)),
    ("too_long", lambda: compute.dot(np.zeros((1, 131073), np.int8), np.zeros(131073, np.int8))),
    ("no_such_backend", lambda: compute.sum(X, backend="abacus")),
]


@pytest.mark.parametrize(("code", "call"), REFUSED)
def test_what_cannot_be_computed_is_refused(code: str, call: Any) -> None:
    with pytest.raises(ComputeError) as caught:
        call()
    assert caught.value.code == code
    if code == "wrong_type" and "float64" in caught.value.message:
        assert "float32" in caught.value.hint


def test_the_choice_says_why() -> None:
    choice = compute.using(X)
    if metal_macos.missing():
        assert choice.name == "numpy"
        assert choice.why.startswith("not metal: ")
    else:
        assert choice.name == "metal"
    assert compute.using(X, "numpy").name == "numpy"
    for name, module in (("metal", metal_macos), ("mlx-metal", mlx_device), ("emulator", emulator)):
        if module.missing():
            with pytest.raises(ComputeError, match=name) as caught:
                compute.sum(X, backend=name)
            assert caught.value.code == "backend_missing"


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac has one")
def test_there_is_no_metal_elsewhere() -> None:
    assert metal_macos.missing() == "this is no Mac"
    assert metal_macos.built_library() is None
