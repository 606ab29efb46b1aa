"""The real thing: a fresh checkout, an empty HOME, and packages from the registry."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.ground import ROOT
from tests.requirements import need
from tests.trials import share

pytestmark = pytest.mark.trial

WAYS = ["uv on PATH", "no uv"]

# What a person's network may need; nothing else of this environment is handed on.
NETWORK = ("_PROXY", "_CERT", "_CERT_FILE", "_CERT_DIR", "_CERTS")


def _env(home: Path, way: str) -> dict[str, str]:
    path = [str(Path(sys.executable).resolve().parent), "/usr/bin", "/bin"]
    if way == "uv on PATH":
        uv = shutil.which("uv")
        need(uv, "uv on PATH")
        path.insert(0, str(Path(str(uv)).parent))
    else:
        path = [folder for folder in path if not (Path(folder) / "uv").exists()]
    kept = {name: value for name, value in os.environ.items() if name.upper().endswith(NETWORK)}
    return {
        **kept,
        "HOME": str(home),
        "PATH": ":".join(path),
        "PYTHON": str(Path(sys.executable).resolve()),
        "LANG": "C.UTF-8",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that does not outlive the test: an environment and its cache are over a gigabyte."""
    yield tmp_path
    for made in tmp_path.iterdir():
        shutil.rmtree(made)


@pytest.mark.parametrize("way", share(WAYS, seed=4))
def test_setup_works_from_nothing_and_is_quick_the_second_time(folder: Path, way: str) -> None:
    need((ROOT / ".git").exists(), "git, and a clone of the repository")
    home, checkout = folder / "home", folder / "mybro"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{ROOT}", checkout], check=True)
    env = _env(home, way)

    def make(target: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", target], cwd=checkout, env=env,
            capture_output=True, text=True, timeout=600,
        )  # fmt: skip

    first = make("setup")
    assert first.returncode == 0, first.stderr
    assert "installing what mybro needs" in first.stderr
    helped = subprocess.run([checkout / ".venv/bin/mybro", "--help"], env=env, capture_output=True, text=True)
    assert "spoken command" in helped.stdout, helped.stderr
    installed = {entry.name.split("-")[0] for entry in checkout.glob(".venv/lib/*/site-packages/*.dist-info")}
    assert "torch" not in installed
    assert "faster_whisper" in installed

    second = make("setup")
    assert second.returncode == 0
    assert "installing" not in second.stderr
