"""The symbols of many files: the engine finds what Python finds, and Python alone is enough."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from mybro.index import extract
from mybro.index.languages import GRAMMARS, reader
from mybro.index.symbols import symbols
from mybro.ops.bootstrap import engine
from mybro.ops.bootstrap.places import ROOT
from tests.requirements import need

LIMIT_S = 240
PACKAGES = ("click", "pluggy", "tree_sitter", "numpy/_core/include")
FOLDERS = ("mybro/index", "metal", "rust/repository", "rust/audio")


def real_packages(root: Path) -> None:
    """A copy of what is installed and of our own: nobody edits it meanwhile."""
    installed = Path(sysconfig.get_path("purelib"))
    unwanted = shutil.ignore_patterns("__pycache__", "*.so", "build", "tests", "*.a")
    for name in PACKAGES:
        if (installed / name).is_dir():
            shutil.copytree(installed / name, root / name, ignore=unwanted)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, root / "own" / name, ignore=unwanted)


@pytest.mark.end_to_end
def test_the_engine_finds_the_symbols_that_python_finds(tmp_path: Path) -> None:
    need(shutil.which("cargo"), "Rust, for the engine")
    need(all(map(reader, GRAMMARS)), "tree-sitter: pip install 'mybro[index]'")
    root = tmp_path / "tree"
    real_packages(root)
    (root / "App.kt").write_text("class TurnView\nfun drawAll() {}\n")
    (root / "ü.py").write_text("größe = 1\ndef größer(): ...\n")
    (root / "loop.py").symlink_to("ü.py")
    built = engine.build("dev")
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    path = f"{built}{os.pathsep}{ROOT}"
    told = subprocess.run(
        [sys.executable, "-m", "tests.index_scene", str(root)],
        env={"PATH": os.environ["PATH"], "HOME": str(root), "PYTHONPATH": path, **measured},
        capture_output=True, text=True, timeout=LIMIT_S, check=True, cwd=tmp_path,
    )  # fmt: skip
    found = json.loads(told.stdout)
    assert "Rust engine" in found["in_use"][0] and "Python" in found["in_use"][1]
    assert {"python", "c", "cpp", "rust", "kotlin"} <= set(found["languages"])
    assert found["same"] > 90 and found["symbols"] > 2_000
    assert found["likenesses"] > 30_000 and found["far"] < 1e-9
    # Where a file is no valid code of its language, two versions of tree-sitter may guess differently.
    assert all(one["broken"] for one in found["different"]), found["different"]
    assert sum(one["symbols"] for one in found["different"]) <= found["symbols"] / 1000


@pytest.mark.unit
def test_files_are_told_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "engine", lambda: None)
    monkeypatch.setattr(extract, "BATCH", 2)
    (tmp_path / "a.py").write_text("first_name = 1")
    (tmp_path / "b.kt").write_text("class SecondName")
    (tmp_path / "link.py").symlink_to("a.py")
    files = [("b.kt", "kotlin"), ("gone.py", "python"), ("link.py", "python"), ("a.py", "python")]
    names = [[one.name for one in found] for found in extract.symbols_of(tmp_path, files)]
    assert names == [["SecondName"], [], [], ["first_name"]]
    assert [one.name for one in symbols("python", b"first_name = 1")] == ["first_name"]
