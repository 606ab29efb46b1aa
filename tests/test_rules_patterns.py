"""Every block of code in the patterns is compiled and run, as a person would copy it."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mybro.ops.bootstrap.npm_tools import TYPESCRIPT
from mybro.rules.layers import data
from tests.requirements import need

pytestmark = pytest.mark.integration

LIMIT_S = 180
GUIDE = data("instant_codegen_patterns.md")
BLOCK = re.compile(
    r"^```(?P<language>\w+)\n(?:#|//) (?P<name>[\w.]+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
FILES = {match["name"]: (match["language"], match["code"]) for match in BLOCK.finditer(GUIDE)}
PROOFS = sorted(name for name in FILES if "_proof." in name)


def write(folder: Path, names: list[str]) -> None:
    for name in names:
        (folder / name).write_text(FILES[name][1])


def run(command: list[str | Path], folder: Path, **more: str) -> str:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), **more}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_no_block_is_left_out() -> None:
    assert len(FILES) == GUIDE.count("\n```") // 2, "every block names its file"
    shown = {name.replace("_proof", "") for name in PROOFS}
    assert set(FILES) - set(PROOFS) == shown | {"parallel.rs", "sum.metal"}


@pytest.mark.parametrize("proof", [name for name in PROOFS if name.endswith(".py")])
def test_python(proof: str, tmp_path: Path) -> None:
    write(tmp_path, [proof, proof.replace("_proof", "")])
    run([sys.executable, "-W", "error::ResourceWarning", proof], tmp_path, PYTHONDONTWRITEBYTECODE="1")


def test_rust(tmp_path: Path) -> None:
    rustc = shutil.which("rustc")
    need(rustc, "Rust, for the pattern in Rust")
    write(tmp_path, ["parallel.rs"])
    homes = {name: os.environ[name] for name in ("RUSTUP_HOME", "CARGO_HOME") if name in os.environ}
    homes.setdefault("RUSTUP_HOME", str(Path.home() / ".rustup"))
    run([rustc or "", "--edition", "2021", "-O", "-D", "warnings", "parallel.rs"], tmp_path, **homes)
    assert float(run([tmp_path / "parallel"], tmp_path)) == pytest.approx(13.6996, abs=1e-3)


def test_typescript(tmp_path: Path) -> None:
    # The whole environment of the tool is beside its binary.
    tsx = Path(os.environ.get(TYPESCRIPT.variable, TYPESCRIPT.path))
    need(tsx.exists(), "TypeScript: make test brings it, or set MYBRO_TSX_BIN")
    write(tmp_path, [name for name, (language, _) in FILES.items() if language == "typescript"])
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(tsx.parents[1].resolve())
    strict = ["--strict", "--noUncheckedIndexedAccess", "--noEmit", "--skipLibCheck", "--module", "esnext"]
    resolve = ["--moduleResolution", "bundler", "--target", "es2022", "--allowImportingTsExtensions"]
    files = sorted(str(path.name) for path in tmp_path.glob("*.ts"))
    run([tsx.with_name("tsc"), *strict, *resolve, "--types", "node", "--lib", "es2023,dom", *files], tmp_path)
    run([tsx, "worker_proof.ts"], tmp_path)


def test_metal(tmp_path: Path) -> None:
    from metal.emu import lint, toolchain
    from metal.emu.runner import Emulator

    try:
        toolchain.need()
    except toolchain.ToolchainError as error:
        need(None, str(error))
    write(tmp_path, ["sum.metal"])
    kernel = tmp_path / "sum.metal"
    lint.check([kernel])
    values = np.random.default_rng(1).normal(size=10_007).astype(np.float32)
    with Emulator(files=[kernel], seed=3) as device:
        given, out = device.upload(values), device.allocate(4, np.float32)
        device.launch(
            "pattern_sum", {0: given, 1: out}, {2: struct.pack("<I", len(values))}, (1024, 1, 1), (256, 1, 1)
        )
        total = float(device.download(out, 4, np.float32).sum(dtype=np.float64))
    assert total == pytest.approx(float(values.sum(dtype=np.float64)), rel=1e-6)
