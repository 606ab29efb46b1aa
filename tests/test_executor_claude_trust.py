"""The repository's own hooks and settings run where the person has said so, and nowhere else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mybro.config import ExecutorSettings
from mybro.executor.claude.hand import ClaudeHand
from tests.claude_api import ScriptedServer, text
from tests.fakes.claude import Desk
from tests.fakes.executor import git

pytest_plugins = ["tests.claude_fixtures"]
pytestmark = pytest.mark.integration


async def test_what_the_person_trusts_may_run_its_hooks(desk: Desk, claude_api: ScriptedServer) -> None:
    hook = [{"hooks": [{"type": "command", "command": f"touch {desk.repo}/hooked"}]}]
    (desk.repo / ".claude").mkdir()
    (desk.repo / ".claude" / "settings.json").write_text(json.dumps({"hooks": {"UserPromptSubmit": hook}}))
    claude_api.when("hello", [text("Hello.")])
    await desk.do("hello there")
    assert not (desk.repo / "hooked").exists()
    await desk.hand.aclose()
    path = desk.settings.claude_path
    desk.settings = ExecutorSettings(claude_path=path, trusted=(str(desk.repo),))
    desk.hand = desk.new_hand()
    await desk.do("hello there")
    assert (desk.repo / "hooked").exists()


def test_a_further_working_tree_is_trusted_as_its_repository_is(desk: Desk, tmp_path: Path) -> None:
    tree, other = tmp_path / "tree", tmp_path / "other"
    git(desk.repo, "worktree", "add", "-q", str(tree))
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    hand = ClaudeHand(ExecutorSettings(trusted=(str(desk.repo),)), desk.clock, env={}, store=desk.store)
    assert [hand.trusts(place) for place in (desk.repo, tree, other, tmp_path)] == [True, True, False, False]
