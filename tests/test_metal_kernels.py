"""Every kernel, run from the unedited .metal files on a CPU, beside NumPy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from metal.emu.runner import Emulator
from mybro.compute.emulator import EmulatorDevice
from tests import metal_cases
from tests.metal_cases import Case, need_emulator, u

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", params=[0, 2**31 + 7], ids=lambda seed: f"seed {seed}")
def device(request: pytest.FixtureRequest) -> Iterator[EmulatorDevice]:
    """The order in which lanes and threadgroups run differs with the seed; the results must not."""
    need_emulator()
    emulator = Emulator(seed=request.param, workers=1 + request.param % 3)
    yield EmulatorDevice(emulator)
    emulator.close()


def judge(cases: Iterator[Case], device: EmulatorDevice) -> None:
    for case in cases:
        case.judge(case.run(device))


@pytest.mark.parametrize("length", metal_cases.LENGTHS)
def test_any_length(length: int, device: EmulatorDevice) -> None:
    judge(metal_cases.of_length(np.random.default_rng(length), length), device)


def test_any_shape(device: EmulatorDevice) -> None:
    judge(metal_cases.of_shapes(np.random.default_rng(1)), device)


def test_several_threadgroups_share_a_row(device: EmulatorDevice) -> None:
    chance = np.random.default_rng(2)
    x = metal_cases.random_floats(chance, 100_003, np.float32)
    mask = chance.random(x.size) < 0.5
    judge(metal_cases.of_floats(x, x[::-1].copy(), mask), device)
    judge(metal_cases.moves(x, mask), device)
    judge(metal_cases.of_integers(x.view(np.int32)), device)


EXTREME = np.array(
    [0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 3.4e38, -3.4e38, 2e-38, -2e-38, 88.7, 104, -104, 1e30, 0.5],
    np.float32,
)


@pytest.mark.parametrize("dtype", metal_cases.FLOATS)
def test_what_is_infinite_or_no_number(dtype: type, device: EmulatorDevice) -> None:
    with np.errstate(all="ignore"):
        x: metal_cases.Array = EXTREME.astype(dtype)
    pairs = [np.repeat(x, x.size), np.tile(x, x.size)]
    for name in metal_cases.MAPS:
        Case("unary", (name, x), {}, 16 * u, 2 * u).judge(Case("unary", (name, x)).run(device))
    for name in metal_cases.PAIRS:
        case = Case("binary", (name, *pairs), {}, 2 * u)
        case.judge(case.run(device))
    for part in (x[:4], x[:5], x[4:6], x[6:7], np.append(x[:2], x[5:6])):
        for name in (*metal_cases.SUMS, "min", "max"):
            case = Case("reduce", (name, part), {}, 4 * u)
            case.judge(case.run(device))
        for case in (
            Case("scan", (part,)),
            Case("variance", (part,), {}, 8 * u),
            Case("quantise", (part, 1)),
            Case("quantise", (part, 1), {"affine": True}),
        ):
            case.judge(case.run(device))
        for case in (
            Case("masked_sum", (part, np.ones(part.size, bool)), {}, 2 * u),
            Case("masked_sum", (part, ~np.isnan(part)), {}, 2 * u),
            Case("reduce", ("threshold_count", part), {"threshold": 0.25}),
        ):
            case.judge(case.run(device))
    case = Case("histogram", (x, np.array([-1, 0, 0, 1], np.float32)))
    case.judge(case.run(device))


@pytest.mark.parametrize("dtype", metal_cases.FLOATS)
def test_similarities_of_what_is_infinite_or_no_number(dtype: type, device: EmulatorDevice) -> None:
    rows: metal_cases.Array = np.ones((9, 40), dtype)
    rows[np.arange(6), np.arange(6) * 7] = [np.inf, -np.inf, np.nan, 0, -0.0, 60000]
    rows[6, :2], rows[7], rows[8] = [np.inf, -np.inf], 0, np.nan
    other, asked = rows[::-1].copy(), rows[[0, 2, 3, 7]]
    for name, given in (("dot", other), ("dot", asked[0]), ("dot_queries", asked)):
        case = Case(name, (rows, given), {}, 40 * u)
        case.judge(case.run(device))
    for name, given in (("cosine", other), ("cosine", asked[0]), ("cosine_queries", asked)):
        case = Case(name, (rows, given), {}, 0.0, 60 * u)
        case.judge(case.run(device))


def test_sums_keep_what_a_plain_sum_loses(device: EmulatorDevice) -> None:
    # 1e8 swallows every single 1, and the last term takes it away again.
    x = np.ones(40_000, np.float32)
    x[0], x[-1] = 1e8, -1e8
    assert Case("reduce", ("sum", x)).run(device) == 39_998
    assert Case("scan", (x,)).run(device)[-1] == 39_998
    assert Case("masked_sum", (x, np.ones(x.size, bool))).run(device) == 39_998
    # The spread of large numbers: one pass over squares would have lost it.
    near = np.float32(1e6) + np.arange(30_000, dtype=np.float32) % 4
    assert Case("variance", (near,)).run(device) == np.float32(1.25)


def test_halves_do_not_overflow_in_their_sum(device: EmulatorDevice) -> None:
    x = np.full(5000, 60000, np.float16)
    assert Case("reduce", ("sum", x)).run(device) == 3e8
    assert Case("reduce", ("l2", x)).run(device) == np.float32(np.sqrt(5000) * 60000)


def test_denormal_numbers_are_zero(device: EmulatorDevice) -> None:
    tiny = np.array([1e-39, -1e-40, 2e-38], np.float32)
    assert list(Case("binary", ("add", tiny, np.zeros_like(tiny))).run(device)) == [0, 0, tiny[2]]
    assert list(Case("binary", ("mul", tiny, np.full_like(tiny, 0.25))).run(device)) == [0, 0, 0]
    assert Case("unary", ("log", tiny)).run(device)[0] == -np.inf
    many = np.full((2, 3000), 1e-39, np.float32)
    for name in (*metal_cases.SUMS, "min", "max"):
        assert Case("reduce", (name, many)).run(device) == 0
    assert Case("variance", (many,)).run(device) == 0
    assert not Case("scan", (many,)).run(device).any()
    assert not Case("dot", (many, np.ones_like(many))).run(device).any()
    assert not Case("dot_queries", (many, np.ones_like(many))).run(device).any()
    assert not Case("cosine", (many, np.ones_like(many))).run(device).any()
    # Those of float16 are ordinary numbers while they are computed with.
    small = np.array([6e-8, -6e-8, 1e-5], np.float16)
    assert Case("binary", ("add", small, small)).run(device).tolist() == (small + small).tolist()
    assert Case("reduce", ("sum", small)).run(device) == np.float32(small[2])
    # Moves are of bits.
    moved = Case("compact", (tiny, np.ones(3, bool))).run(device)
    assert moved.view(np.uint32).tolist() == tiny.view(np.uint32).tolist()
