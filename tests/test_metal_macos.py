"""What we do with Apple's API: buffers, launches, waiting; over a stand-in with the emulator as its GPU."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from metal.emu.runner import Emulator
from mybro.compute.metal_macos import MATH_MODE_SAFE, MacDevice
from mybro.errors import ComputeError
from tests import metal_cases
from tests.fakes.metal_api import FakeMetal
from tests.metal_cases import Case, need_emulator

pytestmark = pytest.mark.integration

X = np.arange(5, dtype=np.float32)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    need_emulator()
    with Emulator() as opened:
        yield opened


def test_every_operation(emulator: Emulator) -> None:
    api = FakeMetal(emulator)
    device = MacDevice(api)
    for case in metal_cases.everything(31, (0, 33)):
        case.judge(case.run(device))
    assert "reduce_whole" in api.source
    assert all(commands.waited for commands in api.commands[:-2])
    assert device.gpu_seconds == pytest.approx(sum(0.5 for commands in api.commands if commands.waited))


@pytest.mark.parametrize("modern", [True, False])
def test_the_driver_compiles_without_fast_math(modern: bool, emulator: Emulator) -> None:
    api = FakeMetal(emulator, modern=modern)
    MacDevice(api)
    assert api.MTLCompileOptions.said == [("mode", MATH_MODE_SAFE) if modern else ("fast", False)]


def test_what_the_gpu_cannot_do_is_told(emulator: Emulator) -> None:
    small = MacDevice(FakeMetal(emulator, most=128))
    with pytest.raises(ComputeError, match="needs 256"):
        Case("reduce", ("sum", X)).run(small)
    device = MacDevice(FakeMetal(emulator))
    with pytest.raises(ComputeError, match="no sine_f32"):
        Case("unary", ("sine", X)).run(device)
