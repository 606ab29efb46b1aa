"""Options that are harmless everywhere, and those that name what to load, run or overwrite."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro.executor.claude.gate.everyday import RULES, calls, options_fine
from mybro.executor.claude.gate.place import Place, Reach
from mybro.executor.claude.gate.words import Command, Word
from tests.gate_cases import project

pytestmark = pytest.mark.unit


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(project(tmp_path))


def said(line: str) -> list[Word]:
    return [Word((text,)) for text in line.split()]


@pytest.mark.parametrize(
    ("options", "fine"),
    [
        ("--verbose --timeout 60 src", True),
        ("--max-warnings=0 src/main.ts", True),
        ("--show-anything --no-anything", True),
        ("--config pyproject.toml", True),
        ("--config cleanup.py", False),
        ("--config=cleanup.js", False),
        ("--reporter dot", True),
        ("--reporter ./cleanup.js", False),
        ("--formatter=cleanup", False),
        ("--plugin x", False),
        ("-o canary.txt", False),
        ("--verbose ../other/secret.txt", False),
        ("https://example.org/x", False),
        (".env", False),
    ],
)
def test_which_options_are_harmless(place: Place, options: str, fine: bool) -> None:
    assert options_fine(said(options), "-q", place) is fine


def test_the_verb_decides(place: Place) -> None:
    rule = calls("(test|build)", "-v", Reach.WRITES)
    assert rule(Command(said("tool test -v src")), place) is Reach.WRITES
    assert rule(Command(said("tool publish -v")), place) is None
    assert rule(Command([Word(("tool",)), Word(None)]), place) is None


def test_a_line_of_the_table_is_a_rule(place: Place) -> None:
    assert RULES["cargo"](Command(said("cargo test --workspace -- --test-threads=1")), place) is Reach.WRITES
    assert RULES["cargo"](Command(said("cargo publish")), place) is None
