"""The word lists: how they are read, and that nothing in them can be lost by a slip."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from mybro import vocabulary

pytestmark = pytest.mark.unit

FILES = sorted(
    path.name.removesuffix(".txt")
    for path in resources.files("mybro.vocabulary").iterdir()
    if path.name.endswith(".txt")
)


def test_a_list_is_words_or_phrases_or_lines() -> None:
    names = vocabulary.words("names")
    assert {"the", "your"} <= names["ARTICLES"] and "function" in names["KINDS"]
    leads = vocabulary.words("politeness")["LEADS"]
    assert {"please", "would you mind", "all right"} <= leads
    assert all(phrase == " ".join(phrase.split()) and phrase for phrase in leads)


def test_an_ordered_list_is_in_the_files_order() -> None:
    leads = vocabulary.ordered("politeness", "LEADS")
    assert leads[:3] == ["please", "pls", "kindly"]
    assert set(leads) == vocabulary.words("politeness")["LEADS"]


def test_lines_keep_their_spaces_and_comments_are_left_out() -> None:
    for rows in vocabulary.lines("risk").values():
        assert rows and not any(row.startswith(("#", "==")) or not row.strip() for row in rows)


def test_a_list_or_file_that_is_not_there_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        vocabulary.ordered("names", "NOT_THERE")
    with pytest.raises(FileNotFoundError):
        vocabulary.words("not_there")


@pytest.mark.parametrize("file", FILES)
def test_every_list_has_a_name_of_its_own_and_something_in_it(file: str) -> None:
    text = resources.files("mybro.vocabulary").joinpath(f"{file}.txt").read_text("utf-8")
    headings = re.findall(r"^==\s*(\S.*?)\s*$", text, re.MULTILINE)
    assert len(headings) == len(set(headings)) and headings
    assert set(vocabulary.words(file)) == set(headings)
    assert all(vocabulary.words(file).values())
    before = text.partition("\n==")[0].splitlines()
    assert text.startswith("==") or all(line.startswith("#") or not line.strip() for line in before)


@pytest.mark.parametrize("file", ["names", "politeness", "requests"])
def test_words_are_spelled_as_heard_words_are_compared(file: str) -> None:
    """A capital, an accent or an apostrophe in a list would never match."""
    odd = {
        (name, item)
        for name, items in vocabulary.words(file).items()
        for item in items
        if item != item.lower() or re.search(r"['’,.!?]", item) or not item.isascii()
    }
    assert odd == set()
