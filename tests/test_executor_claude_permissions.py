"""What needs no question, what is asked, and in which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mybro.executor.claude.checks import covered
from mybro.executor.claude.messages import PermissionAsked
from mybro.executor.claude.permissions import Allow, Ask, AskChoices, Deny, Verdict, judge

pytestmark = pytest.mark.unit


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = tmp_path / "shop"
    (repo / "tests").mkdir(parents=True)
    (repo / "build").mkdir()
    (repo / "notes.txt").touch()
    (tmp_path / "elsewhere").mkdir()
    (repo / "link").symlink_to(tmp_path / "elsewhere")
    return repo


def decide(repo: Path, tool: str, *, read_only: bool = False, **arguments: Any) -> Verdict:
    return judge(PermissionAsked("r", tool, arguments), repo, read_only=read_only)


# ---------------------------------------------------------------------------- files and other tools


def test_edits_stay_in_the_repository(repo: Path) -> None:
    for tool in ("Write", "Edit", "MultiEdit"):
        assert decide(repo, tool, file_path=str(repo / "new.py")) == Allow()
    assert decide(repo, "NotebookEdit", notebook_path="a.ipynb") == Allow()
    for path in (
        "/etc/hosts",
        "../x.py",
        "link/x.py",
        ".git/config",
        ".GIT/hooks/pre-commit",
        ".claude/x.json",
    ):
        asked = decide(repo, "Write", file_path=path, content="x")
        assert isinstance(asked, Ask), path
        assert (asked.risk, asked.object) == ("destructive", Path(path).name)
        assert asked.key is None
    assert isinstance(decide(repo, "Write"), Deny)


def test_reading(repo: Path) -> None:
    assert decide(repo, "Read", file_path=str(repo / "notes.txt")) == Allow()
    assert decide(repo, "Grep", pattern="x") == Allow()
    asked = decide(repo, "Read", file_path="/etc/hosts")
    assert isinstance(asked, Ask)
    assert (asked.text, asked.risk) == ("It wants to read hosts outside the repository. Yes or no?", "read")


def test_other_tools(repo: Path) -> None:
    def text(tool: str, **arguments: Any) -> str:
        asked = decide(repo, tool, **arguments)
        assert isinstance(asked, Ask)
        return asked.text

    assert text("WebFetch", url="https://docs.rs/x?y") == "It wants to read a page of docs.rs. Yes or no?"
    assert text("WebSearch", query="a b c d e f g h i") == (
        "It wants to search the web for a b c d e f g h and so on. Yes or no?"
    )
    assert text("mcp__my_db__run_query", sql="x") == "It wants to use run query of my db. Yes or no?"
    assert text("Brandnew") == "It wants to use the tool Brandnew. Yes or no?"
    assert decide(repo, "TodoWrite") == Allow()
    assert decide(repo, "Agent", prompt="x") == Allow()


def test_a_question_may_only_read(repo: Path) -> None:
    for tool, arguments in (
        ("Write", {"file_path": "x.py"}), ("Bash", {"command": "touch x"}), ("mcp__a__b", {}), ("New", {}),
    ):  # fmt: skip
        assert isinstance(decide(repo, tool, read_only=True, **arguments), Deny)
    assert decide(repo, "Read", read_only=True, file_path="notes.txt") == Allow()


def test_choices_that_make_no_sense_are_refused(repo: Path) -> None:
    options = [{"label": "A"}]
    asked = decide(repo, "AskUserQuestion", questions=[{"question": "Which?", "options": options}])
    assert isinstance(asked, AskChoices)
    assert asked.questions[0][1] == "Which? A?"
    for questions in ([], [{"options": options}], [{"question": "Which?", "options": [{}]}], ["x"]):
        assert isinstance(decide(repo, "AskUserQuestion", questions=questions), Deny)


@pytest.mark.parametrize(
    ("first", "then", "same"),
    [
        ("./run_tests.sh tests/a", "./run_tests.sh tests/b -v", True),
        ("bundle exec rspec spec/a_spec.rb:3", "bundle exec rspec", True),
        ("yarn test:unit --watch=false", "yarn test:unit src", True),
        ("./run_tests.sh", "./run_other.sh", False),
        ("./run_tests.sh", "./run_tests.sh && ./deploy.sh", False),
        ("./run_tests.sh", "./run_tests.sh > out.txt", False),
        ("./make.py test", "./make.py deploy", False),
        ("python3 -O test.py", "python3 -O deploy.py", False),
        ("make deploy", "make test", False),
        ("cp test a", "cp test b", False),
    ],
)
def test_what_a_yes_for_tests_covers(first: str, then: str, same: bool) -> None:
    assert (covered(first) == covered(then)) is same
