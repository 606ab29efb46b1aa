"""The symbols of many files: the engine finds what Python finds, and Python alone is enough."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import pytest

from mybro.index import extract
from mybro.index.languages import GRAMMARS, reader
from mybro.index.symbols import symbols
from mybro.ops.bootstrap.places import ROOT
from tests.engine_scene import told, without_engine
from tests.requirements import need

__all__ = ["without_engine"]
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
    need(all(map(reader, GRAMMARS)), "tree-sitter: pip install 'mybro[index]'")
    root = tmp_path / "tree"
    real_packages(root)
    (root / "App.kt").write_text("class TurnView\nfun drawAll() {}\n")
    (root / "ü.py").write_text("größe = 1\ndef größer(): ...\n")
    (root / "loop.py").symlink_to("ü.py")
    found = told("tests.index_scene", root)
    assert "Rust engine" in found["in_use"][0] and "Python" in found["in_use"][1]
    assert {"python", "c", "cpp", "rust", "kotlin"} <= set(found["languages"])
    assert found["same"] > 90 and found["symbols"] > 2_000
    assert found["likenesses"] > 30_000 and found["far"] < 1e-9
    # Where a file is no valid code of its language, two versions of tree-sitter may guess differently.
    assert all(one["broken"] for one in found["different"]), found["different"]
    assert sum(one["symbols"] for one in found["different"]) <= found["symbols"] / 1000


@pytest.mark.unit
@pytest.mark.usefixtures("without_engine")
def test_files_are_told_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "BATCH", 2)
    (tmp_path / "a.py").write_text("first_name = 1")
    (tmp_path / "b.kt").write_text("class SecondName")
    (tmp_path / "link.py").symlink_to("a.py")
    files = [("b.kt", "kotlin"), ("gone.py", "python"), ("link.py", "python"), ("a.py", "python")]
    names = [[one.name for one in found] for found in extract.symbols_of(tmp_path, files)]
    assert names == [["SecondName"], [], [], ["first_name"]]
    assert [one.name for one in symbols("python", b"first_name = 1")] == ["first_name"]
