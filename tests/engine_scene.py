"""The Rust engine and Python alone: scenes, modules that print JSON, run with the one and with the other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mybro import native
from mybro.ops.bootstrap import engine
from mybro.ops.bootstrap.places import ROOT
from tests.program import measured
from tests.requirements import need

LIMIT_S = 300

Told = dict[str, Any]


@pytest.fixture
def without_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MYBRO_NATIVE", "0")
    native.engine.cache_clear()
    yield
    native.engine.cache_clear()


def told(scene: str, root: Path, **env: str) -> Told:
    """What a scene prints about a folder, with the engine built."""
    given = {"PATH": os.environ["PATH"], "HOME": str(root), "PYTHONPATH": _built()}
    done = subprocess.run(
        [sys.executable, "-m", scene, str(root)], cwd=ROOT, env={**given, **measured(), **env},
        capture_output=True, text=True, timeout=LIMIT_S, check=True,
    )  # fmt: skip
    found: Told = json.loads(done.stdout)
    return found


@cache
def _built() -> str:
    need(shutil.which("cargo"), "Rust, for the engine")
    return str(engine.build("dev"))


def fast_and_slow(scene: str, root: Path) -> tuple[Told, Told]:
    """What it prints with the engine, and with the engine hidden; it tells which is "in_use"."""
    fast, slow = told(scene, root), told(scene, root, MYBRO_NATIVE="0")
    assert "Rust engine" in fast["in_use"] and "Python" in slow["in_use"]
    return fast, slow
