"""The dialog window, and what a sentence points back to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mybro.brain.classify import classify
from mybro.brain.dialog import WINDOW, Dialog, resolve
from mybro.brain.grammar import parse

pytestmark = pytest.mark.unit


def after(*sentences: str) -> Dialog:
    """The dialog in which these were said."""
    dialog = Dialog()
    for text in sentences:
        dialog = dialog.add(text, parse(text) or classify(text), "Done.")
    return dialog


def test_the_window_holds_the_last_five_turns() -> None:
    dialog = after(*(f"add a test number {number}" for number in range(9)))
    assert len(dialog.turns) == WINDOW == 5
    assert dialog.turns[-1].text == "add a test number 8"


def test_what_only_steers_is_not_remembered() -> None:
    assert after("stop", "yes", "mute").turns == ()
    assert len(after("undo that").turns) == 1


def test_an_outcome_is_added_to_the_last_turn() -> None:
    before = after("run the tests")
    settled = before.settle("Two tests failed.")
    assert settled.turns[-1].outcome == "Two tests failed."
    assert before.turns[-1].outcome == "Done."
    assert Dialog().settle("nothing").turns == ()


@pytest.mark.parametrize(
    ("earlier", "said", "meant"),
    [
        ("rename user id to account id", "find usages of it", "find usages of account id"),
        ("find usages of parse date", "rename it to read date", "rename parse date to read date"),
        ("find usages of parse date", "rename that function to read date", "rename parse date to read date"),
        ("find usages of parse date", "who calls it", "who calls parse date"),
        ("delete the unused imports in main dot py", "format that file", "format main.py"),
        (
            "delete the unused imports in main dot py",
            "run the tests in that file",
            "run the tests in main.py",
        ),
        ("create src/app.ts", "lint it", "lint src/app.ts"),
        ("create a file called source slash app dot ts", "format it", "format source/app.ts"),
        ("create a branch called dark mode", "push that branch", "push the branch dark mode"),
        (
            "delete the unused imports in main dot py",
            "do the same for utils dot py",
            "delete the unused imports in utils dot py",
        ),
        (
            "add type hints to the parser module",
            "Now do the same for the lexer module, please.",
            "add type hints to the lexer module",
        ),
        ("make the header blue", "do the same for the footer", "make the header blue, but for the footer"),
        ("explain main.py", "do that for utils.py", "explain utils.py"),
    ],
)
def test_what_a_sentence_points_back_to_is_put_in(earlier: str, said: str, meant: str) -> None:
    assert resolve(said, after("run the tests", earlier)) == meant


@pytest.mark.parametrize(
    "said",
    [
        "make it faster",
        "stop it",
        "undo that",
        "do it",
        "fix that",
        "it is broken",
        "add a test for it",
        "do the same for",
    ],
)
def test_what_a_coding_session_knows_better_stays(said: str) -> None:
    assert resolve(said, after("delete the unused imports in main dot py", "rename a to b")) == said


@pytest.mark.parametrize(
    "said", ["find usages of it", "format that file", "do the same for utils dot py", "push that branch"]
)
def test_without_a_turn_to_point_to_a_sentence_stays(said: str) -> None:
    assert resolve(said, Dialog()) == said
    if not said.startswith("do"):
        assert resolve(said, after("add a login page")) == said


@given(st.text(max_size=300), st.text(max_size=100))
def test_no_text_is_an_error(earlier: str, said: str) -> None:
    dialog = Dialog().add(earlier, classify(earlier))
    assert isinstance(resolve(said, dialog), str)
    assert resolve(said, Dialog()) == said


def test_a_very_long_sentence_stays() -> None:
    text = "do the same for " + "x " * 5_000
    assert resolve(text, after("add a test to main.py")) == text
