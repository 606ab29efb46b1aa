"""Every kernel beside NumPy on a Mac's GPU: from the built library or the sources, and through MLX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mybro.compute import metal_macos, mlx_device, passes
from tests import metal_cases
from tests.requirements import need

pytestmark = pytest.mark.integration

LENGTHS = (*metal_cases.LENGTHS, 100_003)


def test_metallib() -> None:
    why = metal_macos.missing()
    need(not why, "PyObjC's Metal, on a Mac")
    for case in metal_cases.everything(21, LENGTHS):
        case.judge(case.run(metal_macos.shared()))


def test_mlx() -> None:
    why = mlx_device.missing()
    need(not why, "Apple GPU")
    import mlx.core as mx

    def own(value: Any) -> Any:
        return mx.array(value) if isinstance(value, np.ndarray) else value

    for case in metal_cases.everything(22, LENGTHS):
        if any(isinstance(one, np.ndarray) and one.dtype == np.float64 for one in case.arguments):
            continue  # MLX's arrays of doubles live on the CPU only
        result = getattr(passes, case.operation)(
            mlx_device.shared(), *map(own, case.arguments), **case.options
        )
        several = tuple(map(np.array, result)) if isinstance(result, tuple) else np.array(result)
        case.judge(several)
