"""Building the Rust engine, which mybro uses where it is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from mybro.ops.bootstrap.console import SetupError, call, step
from mybro.ops.bootstrap.places import CACHE, ROOT, in_venv

RUST = ROOT / "rust"
TARGET = CACHE / "rust"
MODULE = "mybro_engine.abi3.so"
BUILD_TIMEOUT_S = 1800

Profile = Literal["dev", "release"]


def build(profile: Profile) -> Path:
    """The folder with the built module. Raises `SetupError` where there is no cargo, or it fails."""
    cargo = shutil.which("cargo")
    if cargo is None:
        raise SetupError(
            "the engine needs Rust, which is not here (https://rustup.rs); mybro works without it"
        )
    command = [cargo, "build", "--quiet", "--profile", profile, "--package", "mybro-engine"]
    command += ["--features", "pyo3/extension-module"]
    env = {**os.environ, "CARGO_TARGET_DIR": str(TARGET), "PYO3_PYTHON": sys.executable}
    call(command, "cargo build", cwd=RUST, env=env, timeout_s=BUILD_TIMEOUT_S)
    name = "libmybro_engine.dylib" if sys.platform == "darwin" else "libmybro_engine.so"
    site = TARGET / f"site-{profile}"
    site.mkdir(parents=True, exist_ok=True)
    part = site / f"{MODULE}.part"
    shutil.copy(TARGET / ("debug" if profile == "dev" else profile) / name, part)
    part.replace(site / MODULE)
    return site


def install() -> None:
    """Build the engine and put it into mybro's environment. Raises `SetupError`."""
    with step("building the Rust engine"):
        built = build("release")
        command = [str(in_venv("python")), "-c", "import sysconfig; print(sysconfig.get_path('platlib'))"]
        told = subprocess.run(command, capture_output=True, text=True, check=True)
        # Renamed into place: a running mybro keeps the one that it has loaded.
        part = Path(told.stdout.strip()) / f"{MODULE}.part"
        shutil.copy(built / MODULE, part)
        part.replace(part.with_name(MODULE))
