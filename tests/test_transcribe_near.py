"""Commands of which one word was misheard, and sentences that are left alone."""

from __future__ import annotations

import pytest

from mybro.brain.grammar import parse
from mybro.transcribe.names import meant_by
from mybro.transcribe.near import mended
from mybro.vocabulary import lines

pytestmark = pytest.mark.unit

MEANT = meant_by(parse)
SURE, UNSURE = -0.1, -0.5


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("What can I see?", "What can I say?"),
        ("Take that bag.", "Take that back."),
        ("Undo the lost change", "Undo the last change"),
        ("Fix the save ones.", "Fix the safe ones."),
        ("Show me what change.", "Show me what changed."),
        ("Show me to git diff.", "Show me the git diff."),
    ],
)
def test_a_word_that_sounds_alike_makes_the_command(heard: str, said: str) -> None:
    assert mended(heard, MEANT, SURE) == said == mended(heard, MEANT, UNSURE)


def test_of_an_unsure_recogniser_more_is_believed_wrong() -> None:
    assert mended("Undo the last chain.", MEANT, UNSURE) == "Undo the last change."
    assert mended("Undo the last chain.", MEANT, SURE) is None


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("Fix the save once.", "Fix the safe ones."),
        ("which packages are out there to...", "Which packages are outdated."),
        ("What did you chain?", "What did you change?"),
    ],
)
def test_a_sentence_that_sounds_alike_as_a_whole_is_believed_of_an_unsure_one(heard: str, said: str) -> None:
    assert mended(heard, MEANT, UNSURE) == said
    assert mended(heard, MEANT, SURE) is None


def test_of_two_commands_that_sound_alike_as_a_whole_neither_is_guessed() -> None:
    heard = "fix the save once"
    assert mended(heard, lambda text: "fix" * (text == "fix the safe ones"), UNSURE) == "Fix the safe ones."
    assert mended(heard, lambda text: "", UNSURE) is None
    rivals = {"fix the safe ones": "fix", "fix all the safe ones": "fix all"}
    assert mended("fix or the save once", lambda text: rivals.get(text, ""), UNSURE) is None


@pytest.mark.parametrize(
    "sentence",
    [
        "show me the blog", "open the door", "make the header blue", "add a test for that",
        "start the server", "rename the file", "repeat the lesson", "Yes, git.", "stock", "what does it do",
        "push it to prod", "delete all the fires", "", "explain how the last chain of calls is undone now",
        "please go back to the paragraph that I wrote this morning",
    ],
)  # fmt: skip
def test_what_may_be_meant_as_it_is_stays(sentence: str) -> None:
    assert mended(sentence, MEANT, SURE) is None and mended(sentence, MEANT, UNSURE) is None


def test_answers_and_what_destroys_are_never_guessed() -> None:
    for sentence in ("yes", "yes please do it", "no", "stop", "push it", "stop everything"):
        intent = parse(sentence)
        assert intent is not None and MEANT(sentence) == "", sentence
    assert MEANT("undo the last change") == "undo" and MEANT("rename foo to bar") == ""


def test_what_people_say_to_agents_is_not_bent() -> None:
    tasks = [line for line in lines("commands")["SAID"] if parse(line) is None]
    bent = {line: other for line in tasks if (other := mended(line, MEANT, SURE))}
    assert len(tasks) > 100 and bent == {}, bent
