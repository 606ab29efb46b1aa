"""How long a quiet ends a turn, as a table."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mybro.config import TurnSettings
from mybro.pipeline import pauses
from mybro.pipeline.patience import Meaning, Patience, is_more_than_said, meaning_of, unhurried, wait_ms
from mybro.pipeline.pauses import ENOUGH, KEEP, Pauses

pytestmark = pytest.mark.unit

USUAL = Patience(TurnSettings())
NONE = Pauses()


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", "nothing"),
        ("...", "nothing"),
        ("Stop.", "stop"),
        ("Cancel that.", "stop"),
        ("Run the tests.", "complete"),
        ("show me the git diff", "complete"),
        ("Undo that.", "complete"),
        ("Rename user id to account id.", "complete"),
        ("Run the tests,", "open"),
        ("Commit these changes with the message fix login bug.", "whole"),
        ("Add type hints to the parser module.", "whole"),
        ("Why is the build failing?", "whole"),
        ("Explain what this function does.", "whole"),
        ("add type hints to the parser module", "open"),
        ("Yes, go ahead.", "open"),
        ("Log in.", "open"),
        ("Second agent, run the tests.", "complete"),
        ("Second agent, rename the function.", "dangling"),
        ("Rename the function.", "dangling"),
        ("Rename the variable user ID.", "dangling"),
        ("Replace the list", "dangling"),
        ("Create a new file called", "dangling"),
        ("Run the tests and", "dangling"),
        ("Show me the.", "dangling"),
        ("Why is the", "dangling"),
        ("Add", "dangling"),
        ("Add a test for the parser...", "dangling"),
        ("Push to origin main.", "destructive"),
        ("Delete the build folder.", "destructive"),
    ],
)
def test_what_a_text_is_so_far(text: str, meaning: Meaning) -> None:
    assert meaning_of(text) == meaning


@pytest.mark.parametrize(
    ("meaning", "probability", "milliseconds"),
    [
        ("stop", None, 0),
        ("complete", None, 180),
        ("complete", 0.01, 180),
        ("whole", None, 240),
        ("whole", 0.5, 240),
        ("whole", 0.02, 600),
        ("open", None, 600),
        ("open", 0.97, 240),
        ("nothing", None, 600),
        ("dangling", 0.99, 1500),
        ("destructive", 0.99, 1800),
    ],
)
def test_the_wait_of_each_meaning(meaning: Meaning, probability: float | None, milliseconds: int) -> None:
    assert wait_ms(meaning, USUAL, probability, NONE) == milliseconds


@pytest.mark.parametrize(
    ("text", "seconds", "more"),
    [
        ("Run the tests.", 0.29, True),
        ("Run the tests.", 0.54, False),
        ("Undo.", 0.2, False),
        ("Go to line 42.", 0.8, False),
        ("Use a dictionary instead of a list here.", 2.02, False),
        ("Use a dictionary instead of a list here.", 0.9, True),
    ],
)
def test_nobody_says_so_much_in_that_time(text: str, seconds: float, more: bool) -> None:
    assert is_more_than_said(text, seconds) == more


def test_each_signal_can_be_turned_off() -> None:
    assert meaning_of("Run the tests.", grammar=False) == "whole"
    assert meaning_of("Rename the function.", dangling=False) == "open"
    assert meaning_of("Stop.", grammar=False) in ("open", "whole")
    slow = Pauses((1200,) * ENOUGH)
    deaf = Patience(TurnSettings(learn_pauses=False))
    assert wait_ms("open", deaf, None, slow) == 600 < wait_ms("open", USUAL, None, slow)
    assert not unhurried().by_meaning and not Patience(TurnSettings(rule="captions")).by_meaning


def test_a_person_is_waited_for_as_their_pauses_are() -> None:
    few, slow, quick = (Pauses((length,) * count) for length, count in ((900, 5), (900, 50), (60, 50)))
    waits = [wait_ms("open", USUAL, None, known) for known in (few, slow, quick)]
    assert waits[0] == 600 and waits[1] > 900 and 400 < waits[2] < 600
    assert wait_ms("complete", USUAL, None, slow) == 180, "what can be taken back does not wait for that"


@given(st.sampled_from(["whole", "open"]), st.none() | st.floats(0, 1), st.lists(st.integers(0, 9000)))
def test_no_wait_leaves_its_bounds(meaning: Meaning, probability: float | None, lengths: list[int]) -> None:
    known = NONE
    for length in lengths:
        known = known.add(length)
    assert 180 <= wait_ms(meaning, USUAL, probability, known) <= USUAL.longest_ms


@given(st.text(max_size=60))
def test_any_text_has_a_meaning(text: str) -> None:
    assert wait_ms(meaning_of(text), USUAL, None, NONE) <= USUAL.longest_ms


def test_pauses_are_kept_for_the_next_session(tmp_path: Path) -> None:
    known = NONE
    for length in range(KEEP + 10):
        known = known.add(length)
    assert len(known.lengths) == KEEP and known.lengths[-1] == KEEP + 9
    file = tmp_path / "new" / "pauses.json"
    pauses.write(file, known)
    assert pauses.read(file) == known


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', "[1.5]", '["long"]', "[true]", "[-4]"])
def test_a_file_that_makes_no_sense_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pauses.json"
    file.write_text(text)
    assert pauses.read(file) == NONE


def test_pauses_that_cannot_be_kept_end_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    pauses.write(tmp_path / "file" / "pauses.json", NONE)
    assert pauses.read(tmp_path / "file" / "pauses.json") == NONE
