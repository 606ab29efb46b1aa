"""Completions that the shells themselves accept, and what is completed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mybro.cli import main
from mybro.cli.verbs import VERBS
from tests.program import measured
from tests.requirements import need

pytestmark = pytest.mark.integration


def env(tmp_path: Path, **more: str) -> dict[str, str]:
    programs = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return {"PATH": programs, "HOME": str(tmp_path), "LANG": "C.UTF-8", **measured(), **more}


def completion_script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completions", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_names_the_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "mybro" in completion_script(shell, capsys)


def test_bash_accepts_the_script(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    bash = shutil.which("bash")
    need(bash, "bash")
    script = completion_script("bash", capsys) + "\ncomplete -p mybro\n"
    done = subprocess.run([str(bash)], input=script, capture_output=True, text=True, env=env(tmp_path))
    assert "mybro" in done.stdout, done.stderr


def test_an_unknown_shell_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completions", "tcsh"]) == 2
    assert "zsh" in capsys.readouterr().err


@pytest.fixture
def program(tmp_path: Path) -> Path:
    found = Path(sys.executable).parent / "mybro"
    need(found.exists(), "mybro itself, installed: make setup")
    return found


def offered(program: Path, tmp_path: Path, *words: str) -> list[str]:
    done = subprocess.run(
        [program], capture_output=True, text=True,
        env=env(tmp_path, _MYBRO_COMPLETE="bash_complete", COMP_WORDS=" ".join(words),
                COMP_CWORD=str(len(words) - 1)),
    )  # fmt: skip
    assert done.stderr == ""
    return [line.split(",", 1)[1] for line in done.stdout.splitlines()]


def test_verbs_are_completed(program: Path, tmp_path: Path) -> None:
    assert offered(program, tmp_path, "mybro", "") == list(VERBS)
    assert offered(program, tmp_path, "mybro", "comp") == ["completions"]


def test_settings_are_completed(program: Path, tmp_path: Path) -> None:
    assert "speak.volume" in offered(program, tmp_path, "mybro", "config", "set", "speak.")
    assert "get" in offered(program, tmp_path, "mybro", "config", "")


def test_options_are_completed(program: Path, tmp_path: Path) -> None:
    assert "--version" in offered(program, tmp_path, "mybro", "--v")
    assert "--json" in offered(program, tmp_path, "mybro", "check", "--")
