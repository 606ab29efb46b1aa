"""The same with the Rust engine and without it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mybro import native
from mybro.native import machine, repository, sound
from mybro.ops.bootstrap import engine
from mybro.ops.bootstrap.console import SetupError
from mybro.ops.bootstrap.places import ROOT
from tests.engine_scene import fast_and_slow, without_engine
from tests.native_scene import PATTERNS, plant
from tests.requirements import need

__all__ = ["without_engine"]
LIMIT_S = 120


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    plant(root)
    return root


@pytest.mark.end_to_end
def test_the_engine_finds_what_python_finds(tree: Path) -> None:
    fast, slow = fast_and_slow("tests.native_scene", tree)
    for what, found in slow["found"].items():
        assert fast["found"][what] == found, what
    assert fast["found"]["restored"] == [True, True]
    near = zip(fast["resampled"], slow["resampled"], strict=True)
    assert max(abs(ours - theirs) for ours, theirs in near) <= 1
    assert fast["machine"].keys() == slow["machine"].keys()
    assert fast["machine"]["memory_total"] == slow["machine"]["memory_total"]


@pytest.mark.end_to_end
def test_the_engines_own_tests() -> None:
    cargo = shutil.which("cargo")
    need(cargo, "Rust, for the engine")
    command = [
        cargo or "",
        "test",
        "--quiet",
        "-p",
        "mybro-audio",
        "-p",
        "mybro-repository",
        "-p",
        "mybro-system",
    ]
    env = {**os.environ, "CARGO_TARGET_DIR": str(engine.TARGET)}
    done = subprocess.run(command, cwd=engine.RUST, env=env, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.unit
@pytest.mark.usefixtures("without_engine")
def test_a_scan_tells_every_pattern_of_a_line(tree: Path) -> None:
    (tree / "one").write_bytes(b"def run TODO\r\nTODO TODO\n")
    found = repository.scan(tree, ["one", "binary", "missing", "up", "large"], PATTERNS, most_bytes=100)
    assert [(row.path, row.line, row.pattern, row.text) for row in found] == [
        ("one", 1, 0, b"def run TODO"), ("one", 1, 1, b"def run TODO"), ("one", 2, 1, b"TODO TODO"),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="cannot be used"):
        repository.scan(tree, [], ["("])


@pytest.mark.unit
@pytest.mark.usefixtures("without_engine")
def test_a_walk_follows_no_link(tree: Path) -> None:
    found = repository.walk(tree)
    assert {"up", "gone", "empty"} <= set(found) and not any("node_modules" in path for path in found)
    assert found == sorted(found, key=os.fsencode) and len(found) == 66


@pytest.mark.unit
@pytest.mark.usefixtures("without_engine")
def test_hashes_and_states(tree: Path) -> None:
    (content, missing, folder) = repository.sha256(tree, ["empty", "missing", "f1"])
    assert content == hashlib.sha256(b"").digest() and missing is folder is None
    before = repository.stats(tree, ["empty", "missing"])
    (tree / "empty").write_text("no longer")
    after = repository.stats(tree, ["empty", "missing"])
    assert before[0] != after[0] and before[1] is after[1] is None


@pytest.mark.unit
@pytest.mark.usefixtures("without_engine")
def test_sound() -> None:
    assert sound.level(b"") == (0, 0)
    assert sound.level(b"\x03\x00\xfc\xff") == (25, 4)
    assert sound.level(b"\x00\x80" * 3) == (3 << 30, 32768)
    assert sound.gain(b"\xff\x7f\x01\x00", 2.0) == b"\xff\x7f\x02\x00"
    ring = sound.make_ring(3)
    assert ring.push(b"\1\0\2\0\3\0\4\0") == 3 and ring.dropped == 1
    assert ring.pop(2) == b"\1\0\2\0" and len(ring) == 1
    with pytest.raises(ValueError, match="two bytes"):
        ring.push(b"\1")
    smoother = sound.make_smoother(0.5, 0.35, 2, 3)
    assert smoother.feed_all([0.9, 0.1, 0.9, 0.9, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1]) == [3, -8]


@pytest.mark.unit
@pytest.mark.usefixtures("without_engine")
def test_the_machine_by_psutil() -> None:
    load = machine.Monitor().read()
    assert load.cpu is not None and 0 <= load.cpu <= 1
    assert 0 < load.memory_available < load.memory_total and len(load.load) == 3


@pytest.mark.unit
def test_without_rust_the_engine_is_not_built_and_mybro_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"needs Rust.*mybro works without it"):
        engine.build("dev")
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path), "MYBRO_NATIVE": "0"}
    told = subprocess.run(
        [sys.executable, "-c", "from mybro.native import in_use; print(in_use())"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=True,
    )  # fmt: skip
    assert told.stdout.startswith("Python (make rust")


@pytest.mark.unit
def test_which_of_the_two_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MYBRO_NATIVE", "0")
    native.engine.cache_clear()
    assert native.in_use().startswith("Python (make rust")
    monkeypatch.delenv("MYBRO_NATIVE")
    (tmp_path / "mybro_engine.py").write_text('__version__ = "99.0.0"')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mybro_engine", raising=False)
    native.engine.cache_clear()
    assert native.engine() is None, "another version's engine is not used"
    sys.modules.pop("mybro_engine", None)
    native.engine.cache_clear()
