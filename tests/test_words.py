"""Sentences as words, politeness, and numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mybro.words import bare, join, leads, norms, number, split, tails

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Um, could you RUN the tests?", ["could", "you", "run", "the", "tests"]),
        ("Re-do that — please…", ["re", "do", "that", "please"]),
        ("don’t “stop” l'été", ["dont", "stop", "lete"]),
        ("open src/app.ts, main.py.", ["open", "src/app.ts", "main.py"]),
        ("rm -rf .env --force", ["rm", "-rf", ".env", "--force"]),
        ("uh-huh", ["uh", "huh"]),
        ("mm-hmm", ["mm", "hmm"]),
        ("naïve résumé", ["naive", "resume"]),
        ("... !!", []),
    ],
)
def test_casing_accents_punctuation_and_hesitation_are_taken_off(text: str, words: list[str]) -> None:
    assert norms(text) == words


def test_the_original_can_be_put_together_again() -> None:
    words = split('Say "re-run it, now", please')
    assert join(words) == "Say re-run it now please"
    assert join(words[1:4], raw=True) == "re-run it"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("okay so could you please run the tests for me thanks", ["run", "the", "tests"]),
        ("please", ["please"]),
        ("hey mybro stop", ["stop"]),
        ("please please", ["please"]),
    ],
)
def test_politeness_is_taken_off_but_never_everything(text: str, left: list[str]) -> None:
    assert bare(norms(text)) == left


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("three", 3), ("forty two", 42), ("twenty", 20), ("a couple of", 2), ("a hundred", 100),
     ("twice", 2), ("free", 3), ("to", 2), ("seven", 7), ("zero", 0)],
)  # fmt: skip
def test_numbers_are_read(text: str, value: int) -> None:
    assert number(text.split()) == value


@pytest.mark.parametrize(
    "text", ["", "of", "the", "three four", "stack class", "99999999", "twenty thirty", "²"]
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert number(text.split()) is None


@given(st.text(max_size=200))
def test_no_text_is_an_error(text: str) -> None:
    words = norms(text)
    assert all(words)
    for strip in (leads, tails):
        steps = list(strip(words))
        assert steps == sorted(set(steps))
        assert steps[-1] < max(1, len(words))
