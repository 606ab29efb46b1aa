"""What is shown, said, prompted and remembered, without a CLI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mybro.config import ExecutorSettings
from mybro.executor.claude import faults, prompts
from mybro.executor.claude.status import claude_status, find_claude
from mybro.executor.claude.steps import spoken, step
from mybro.executor.claude.store import FileSessionStore, Remembered
from mybro.intent import Intent

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("tool", "arguments", "line"),
    [
        ("Edit", {"file_path": "/a/b/parser.py"}, "editing parser.py"),
        ("Read", {"file_path": "x.md"}, "reading x.md"),
        ("NotebookEdit", {"notebook_path": "a/n.ipynb"}, "editing n.ipynb"),
        ("Bash", {"command": "cd /a && pytest -q 2>&1 | tail -5"}, "running pytest -q"),
        ("Bash", {"command": "x" * 100}, "running " + "x" * 40 + "…"),
        ("Bash", {}, "using Bash"),
        ("Grep", {"pattern": "x"}, "searching the code"),
        ("mcp__db__run_query", {}, "using run query"),
        ("Brandnew", {}, "using Brandnew"),
    ],
)
def test_steps(tool: str, arguments: dict[str, str], line: str) -> None:
    assert step(tool, arguments) == line


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("I fixed it.", "I fixed it."),
        ("I fixed `parse` in **a.py**. Tests pass. And more.", "I fixed parse in a.py. Tests pass."),
        ("## Done\n\n- one thing\n- another", "Done. one thing."),
        ("```py\nx = 1\n```\nThat sets x.", "That sets x."),
        ("See [the docs](https://x.y/z) or https://a.b.", "See the docs or a link"),
        ("Version 3.11 works. It is e.g. fine", "Version 3.11 works. It is e.g. fine."),
        ("| a | b |\n|---|---|\nTwo columns:", "Two columns."),
        ("```\nonly code", ""),
        ("snake_case and 2 * 3 * 4 stay", "snake_case and 2 * 3 * 4 stay."),
        ("word " * 100, ("word " * 44).strip() + "…"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_summary_is_fit_for_speech(answer: str, said: str) -> None:
    assert spoken(answer).rstrip(".") == said.rstrip(".")


def test_prompts(tmp_path: Path) -> None:
    assert prompts.prompt(Intent(kind="task", text="add a test")) == "add a test"
    about = prompts.prompt(Intent(kind="task", text="rename it", target="parse_line"))
    assert about == "rename it\n\n(This is about: parse_line)"
    assert "Only read" in prompts.prompt(Intent(kind="question", text="why is that"))
    assert "Only read" not in prompts.prompt(Intent(kind="task", text="why not fix it"))


def test_the_repositorys_own_words_are_passed_on_within_bounds(tmp_path: Path) -> None:
    plain = prompts.system_prompt(tmp_path, trusted=False)
    assert "dictated speech" in plain
    outside = tmp_path.parent / f"{tmp_path.name}-secret"
    outside.write_text("secret")
    (tmp_path / "CLAUDE.md").symlink_to(outside)
    assert prompts.system_prompt(tmp_path, trusted=False) == plain
    (tmp_path / "CLAUDE.md").unlink()
    (tmp_path / "CLAUDE.md").write_bytes(b"Say zebra\0\xff. " + b"x" * 100_000)
    told = prompts.system_prompt(tmp_path, trusted=False)
    assert "Say zebra\N{REPLACEMENT CHARACTER}." in told
    assert "\0" not in told
    assert len(told) < 25_000
    assert prompts.system_prompt(tmp_path, trusted=True) == plain  # the CLI reads the file itself


def test_the_session_of_a_repository_is_remembered(tmp_path: Path) -> None:
    store, one, two = FileSessionStore(tmp_path / "sessions"), tmp_path / "one", tmp_path / "two"
    assert store.load(one) is None
    store.save(one, Remembered("a", 0.5))
    store.save(two, Remembered("b"))
    again = FileSessionStore(tmp_path / "sessions")
    assert again.load(one) is None  # it is somebody else's as long as that one lives
    again.save(one, Remembered("c"))
    store.release(one)
    store.release(two)
    store.release(two)
    assert (again.load(one), again.load(two)) == (Remembered("a", 0.5), Remembered("b"))
    again.save(one, None)
    assert again.load(one) is None
    again.release(two)
    for file in (tmp_path / "sessions").iterdir():
        file.write_text("{broken")
    assert store.load(two) is None
    hindered = FileSessionStore(tmp_path / "sessions" / file.name)
    hindered.save(one, Remembered("a"))
    assert hindered.load(one) is None


@pytest.mark.parametrize(("seconds", "said"), [(45, "45 seconds"), (300, "5 minutes")])
def test_durations_and_money_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert said in faults.silent(seconds).message
    assert "5 dollars" in faults.over_budget(5).message
    assert "0.50 dollars" in faults.over_budget(0.5).message


# ---------------------------------------------------------------------------- status


def program(folder: Path, script: str) -> ExecutorSettings:
    file = folder / "claude"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return ExecutorSettings(claude_path=str(file))


def test_the_cli_is_found(tmp_path: Path) -> None:
    nowhere = {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}
    settings = ExecutorSettings()
    local = tmp_path / ".local" / "bin"
    local.mkdir(parents=True)
    program(local, "")
    assert find_claude(settings, nowhere) == str(local / "claude")
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin", "")
    assert find_claude(settings, nowhere) == str(tmp_path / "bin" / "claude")
    assert find_claude(ExecutorSettings(claude_path=str(tmp_path / "no")), nowhere) is None


def test_status_of_what_is_no_cli_or_an_old_one(tmp_path: Path) -> None:
    env = {"PATH": os.defpath, "HOME": str(tmp_path)}
    missing = claude_status(ExecutorSettings(claude_path=str(tmp_path / "no")), env)
    assert missing.problem is not None
    assert missing.problem.code == "claude_missing"
    assert "npm install" in missing.problem.hint
    assert not missing.ready
    for script, code in (
        ("exit 3", "claude_broken"),
        ("echo '1.0.90 (Claude Code)'", "claude_too_old"),
        ("sleep 20", "claude_broken"),
    ):
        status = claude_status(program(tmp_path, script), env, timeout_s=0.5)
        assert status.problem is not None
        assert status.problem.code == code
    unclear = claude_status(program(tmp_path, "echo '9.0.0 (Claude Code)'"), env)
    assert (unclear.version, unclear.signed_in, unclear.ready) == ("9.0.0", None, True)
