"""Asking at the terminal: a real pseudo-terminal, or none at all."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from typing import TextIO

import pytest

from mybro.cli.ask import decide, read_line
from mybro.events import Choice
from mybro.pipeline.state import Question

pytestmark = pytest.mark.unit

PUSH = Question(number=7, text="Push to origin main?", risk="write")
DELETE = Question(number=8, text="Delete build?", object="build", risk="destructive")
WHICH = Question(number=9, text="Which one?", choices=(Choice("red", "warm"), Choice("blue")))


class Keyboard:
    """The other end of the terminal that is standard input."""

    def __init__(self) -> None:
        self.end, theirs = pty.openpty()
        self.stdin: TextIO = os.fdopen(theirs)

    def type(self, line: str) -> None:
        os.write(self.end, f"{line}\n".encode())

    def close(self) -> None:
        self.stdin.close()
        os.close(self.end)


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyboard]:
    made = Keyboard()
    monkeypatch.setattr("sys.stdin", made.stdin)
    yield made
    made.close()


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard input that is no terminal; its other end."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield writing


@pytest.mark.parametrize(
    ("question", "typed", "yes"),
    [
        (PUSH, "y", True),
        (PUSH, " YES ", True),
        (PUSH, "", False),
        (PUSH, "yes please", False),
        (DELETE, "y", False),
        (DELETE, "yes", False),
        (DELETE, "yes build", True),
        (DELETE, "Yes Build", True),
        (DELETE, "yes dist", False),
    ],
)
async def test_an_answer_is_what_was_typed(
    keyboard: Keyboard, capsys: pytest.CaptureFixture[str], question: Question, typed: str, yes: bool
) -> None:
    keyboard.type(typed)
    answer = await decide(question, yes=False)
    assert (answer.question, answer.yes, answer.by) == (question.number, yes, "key")
    assert question.text in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "chosen"), [("1", "red"), ("2", "blue"), ("3", ""), ("0", ""), ("red", ""), ("", "")]
)
async def test_a_choice_is_made_by_its_number(
    keyboard: Keyboard, capsys: pytest.CaptureFixture[str], typed: str, chosen: str
) -> None:
    keyboard.type(typed)
    answer = await decide(WHICH, yes=True)
    assert (answer.yes, answer.choice or "") == (bool(chosen), chosen)
    assert "1. red" in capsys.readouterr().err


async def test_where_nobody_can_be_asked_the_answer_is_no(
    pipe: int, capsys: pytest.CaptureFixture[str]
) -> None:
    os.close(pipe)
    assert not (await decide(PUSH, yes=False)).yes
    assert "--yes" in capsys.readouterr().err
    assert (await decide(PUSH, yes=True)).yes
    assert not (await decide(DELETE, yes=True)).yes
    assert "say it in a terminal" in capsys.readouterr().err
    assert not (await decide(WHICH, yes=True)).yes
    assert "needs a choice" in capsys.readouterr().err


async def test_a_line_ends_with_the_line_or_the_input(pipe: int) -> None:
    os.write(pipe, "först\nrest".encode())
    os.close(pipe)
    assert await read_line() == "först"
    assert await read_line() == "rest"
    assert await read_line() == ""
