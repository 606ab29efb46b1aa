"""What puts something else in the place of a file: a yes that names it, the named one where it is far."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro.executor.claude.messages import PermissionAsked
from mybro.executor.claude.permissions import Allow, Ask, Verdict, judge

pytestmark = pytest.mark.unit


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = tmp_path / "shop"
    for folder in ("src", ".git/hooks", "../elsewhere"):
        (repo / folder).mkdir(parents=True)
    for file in ("notes.txt", "a.py", "src/a.py", "../elsewhere/kept.txt"):
        (repo / file).write_text("kept\n")
    (repo / "link").symlink_to(tmp_path / "elsewhere")
    return repo


def decide(repo: Path, command: str) -> Verdict:
    return judge(PermissionAsked("r", "Bash", {"command": command}), repo, read_only=False)


@pytest.mark.parametrize(
    ("command", "effect"),
    [
        ("echo new > notes.txt", "overwrite notes.txt"),
        ("sort notes.txt > a.py", "overwrite a.py"),
        ("sort -o notes.txt notes.txt", "overwrite notes.txt"),
        ("sort -onotes.txt a.py", "overwrite notes.txt"),
        ("sort --output=notes.txt a.py", "overwrite notes.txt"),
        ("mv a.py notes.txt", "overwrite notes.txt"),
        ("mv -f a.py src", "overwrite a.py"),
        ("cp a.py notes.txt", "overwrite notes.txt"),
        ("cp -t src a.py", "overwrite a.py"),
        ("ls | tee notes.txt", "overwrite notes.txt"),
        ("ls | tee notes.txt a.py", "overwrite notes.txt and a.py"),
        ("sh -c 'echo x > notes.txt'", "overwrite notes.txt"),
    ],
)
def test_inside_the_repository_a_plain_yes_names_the_effect(command: str, effect: str, repo: Path) -> None:
    verdict = decide(repo, command)
    assert isinstance(verdict, Ask)
    assert (verdict.text, verdict.risk) == (f"It wants to {effect}. Yes or no?", "write")
    assert verdict.detail == command


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("echo new > ../elsewhere/kept.txt", "kept.txt"),
        ("echo new > link/kept.txt", "kept.txt"),
        ("sort -o ../elsewhere/kept.txt a.py", "kept.txt"),
        ("sort --output ../elsewhere/new.txt a.py", "new.txt"),
        ("mv a.py ../elsewhere/kept.txt", "kept.txt"),
        ("cp a.py /etc/hosts", "hosts"),
        ("cp -t /etc a.py", None),
        ("ls | tee ~/.profile", ".profile"),
        ("cp a.py .git/hooks/pre-commit", "pre-commit"),
        ("echo x > .git/config", "config"),
        ("sort -o .git/hooks/post-checkout a.py", "post-checkout"),
        ("tee .mcp.json < a.py", ".mcp.json"),
    ],
)
def test_elsewhere_the_yes_must_name_the_file(command: str, named: str | None, repo: Path) -> None:
    verdict = decide(repo, command)
    assert isinstance(verdict, Ask)
    assert verdict.risk == "destructive"
    assert verdict.key is None
    assert named is None or verdict.object == named


@pytest.mark.parametrize("command", ["echo new > fresh.txt", "cp a.py b.py", "echo more >> fresh.txt"])
def test_what_overwrites_nothing_needs_no_question(command: str, repo: Path) -> None:
    assert decide(repo, command) == Allow()
