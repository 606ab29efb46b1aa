"""Files beside the code of what is installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mybro.ops.installed import in_package

pytestmark = pytest.mark.unit


def test_a_file_inside_a_package_is_found_without_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "brings_weights"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError")
    (package / "data" / "weights").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert in_package("brings_weights") == package
    assert in_package("brings_weights", "data/weights") == package / "data" / "weights"
    assert in_package("brings_weights", "data/others") is None
    assert "brings_weights" not in sys.modules


def test_what_is_not_installed_or_no_package_has_none() -> None:
    assert in_package("no_such_package_here", "weights") is None
    assert in_package("this") is None
