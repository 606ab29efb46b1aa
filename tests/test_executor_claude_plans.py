"""Which writes are those of a plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro.executor.claude.messages import PermissionAsked
from mybro.executor.claude.plans import Plans

pytestmark = pytest.mark.unit


def wants(tool: str, path: Path) -> PermissionAsked:
    return PermissionAsked("r", tool, {"file_path": str(path)})


def test_only_new_texts_among_the_plans_and_those_begun_here(tmp_path: Path) -> None:
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "older.md").write_text("another session's")
    (folder / "link.md").symlink_to(tmp_path / "elsewhere.md")
    plans = Plans(tmp_path)
    for path in ("older.md", "link.md", "run.sh", "deep/new.md", "../new.md"):
        assert not plans.takes(wants("Write", folder / path)), path
    assert not plans.takes(wants("Read", folder / "mine.md"))
    assert not plans.takes(PermissionAsked("r", "Write", {}))
    assert plans.takes(wants("Write", folder / "mine.md"))
    (folder / "mine.md").write_text("begun")
    assert plans.takes(wants("Edit", folder / "mine.md"))
    assert not Plans(tmp_path).takes(wants("Edit", folder / "mine.md"))
