"""A merge that is killed anywhere loses nothing, on neither side, and can be begun again."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from mybro.executor.worktrees import Worktrees
from tests.program import run, start
from tests.projects import git, home, shop
from tests.trials import share

__all__ = ["home", "shop"]
pytestmark = [pytest.mark.end_to_end, pytest.mark.trial]

LONGEST_S = 0.8
"""About what a merge takes once it has its lock."""
PATIENCE_S = 60.0


@pytest.mark.parametrize("seed", share(range(20), 9))
def test_nothing_uncommitted_is_lost(
    seed: int, shop: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    monkeypatch.setenv("MYBRO_DATA_DIR", str(data))
    env = {"MYBRO_DATA_DIR": str(data)}
    path = Worktrees(shop).provide("parser")
    theirs = {f"new{number}.py": f"new = {number}\n" for number in range(40)}
    for name, words in theirs.items():
        (path / name).write_text(words)
    (path / "shop" / "prices.py").write_text("# theirs\n")
    (shop / "notes.txt").write_text("mine, in no commit\n")
    (shop / "README.md").write_text("mine, in no commit\n")
    (data / "worktrees" / path.parent.name / ".lock").unlink(missing_ok=True)

    merging = start("worktrees", "merge", "parser", home=home, cwd=shop, env=env)
    while merging.poll() is None and not (path.parent / ".lock").exists():
        time.sleep(0.005)
    time.sleep(random.Random(seed).random() * LONGEST_S)
    os.kill(merging.pid, signal.SIGKILL)
    merging.communicate(timeout=PATIENCE_S)

    deadline = time.monotonic() + PATIENCE_S
    while path.exists() or (shop / ".git" / "index.lock").exists():  # git itself may still be at it
        again = run("worktrees", "merge", "parser", home=home, cwd=shop, env=env)
        assert time.monotonic() < deadline, again.stderr
    assert {name: (shop / name).read_text() for name in theirs} == theirs
    assert (shop / "shop" / "prices.py").read_text() == "# theirs\n"
    for mine in ("notes.txt", "README.md"):
        assert (shop / mine).read_text() == "mine, in no commit\n"
    assert git(shop, "ls-files", "--deleted") == ""
