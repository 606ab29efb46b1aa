"""The Rust host: what Python hands to it, over a stand-in with the emulator as its GPU."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from metal.emu.runner import Emulator
from mybro.compute import metal_macos, metal_native
from mybro.errors import ComputeError
from mybro.ops.bootstrap.engine import RUST, TARGET
from tests import metal_cases
from tests.fakes.metal_host import MetalDevice
from tests.metal_cases import Case, need_emulator
from tests.requirements import need

X = np.arange(5, dtype=np.float32)


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[MetalDevice]]:
    """A Mac with the engine."""
    need_emulator()

    class Host(MetalDevice):
        pass

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(metal_native, "engine", lambda: SimpleNamespace(MetalDevice=Host))
    metal_macos.shared.cache_clear()
    with Emulator() as emulator:
        Host.emulator = emulator
        yield Host
    metal_macos.shared.cache_clear()


@pytest.mark.integration
def test_every_operation(mac: type[MetalDevice]) -> None:
    assert metal_macos.missing() == ""
    device = metal_macos.shared()
    assert isinstance(device, metal_native.NativeDevice)
    for case in metal_cases.everything(37, (0, 33)):
        case.judge(case.run(device))
    assert device.gpu_seconds > 0


@pytest.mark.integration
def test_what_the_gpu_cannot_do_is_told(mac: type[MetalDevice]) -> None:
    with pytest.raises(ComputeError, match="did not take") as refused:
        metal_native.opened(mac, None, "")
    assert refused.value.code == "kernels_refused"
    device = metal_native.opened(mac, None, "kernels")
    mac.lacking = "exp_f32"
    with pytest.raises(ComputeError, match="no exp_f32") as old:
        Case("unary", ("exp", X)).run(device)
    assert old.value.hint == "Run make metal again"
    mac.most = 128
    with pytest.raises(ComputeError, match="needs 256"):
        Case("reduce", ("sum", X)).run(device)
    mac.there = False
    assert metal_macos.missing() == "there is no Metal device"


@pytest.mark.unit
def test_a_mac_without_either_way_says_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(metal_native, "engine", lambda: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert metal_macos.missing() == "neither the engine (make rust) nor pyobjc-framework-Metal is installed"


@pytest.mark.unit
def test_the_stand_in_has_what_the_engine_gives() -> None:
    text = (RUST / "engine" / "src" / "metal.rs").read_text()
    given = set(re.findall(r"^    fn (\w+)", text, re.MULTILINE)) - {"new"}
    assert given == {"is_there", "upload", "allocate", "launch", "download", "gpu_seconds"}
    assert all(hasattr(MetalDevice, name) or name == "gpu_seconds" for name in given)


@pytest.mark.trial
@pytest.mark.skipif(os.environ.get("MYBRO_TRIALS") != "all", reason="the Rust workflow does it, too")
def test_what_is_for_macos_compiles() -> None:
    need(shutil.which("cargo"), "Rust, for the engine")
    env = {**os.environ, "CARGO_TARGET_DIR": str(TARGET)}
    done = subprocess.run(
        ["sh", str(RUST / "check-macos.sh")],
        env=env,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode == 3:
        pytest.skip(done.stderr)  # the Rust workflow brings the target
    assert done.returncode == 0, done.stderr[-3000:]
