"""What is expected of a sentence, and what is done with it where a recogniser is in doubt."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mybro.transcribe.doubt import is_clear, is_known, is_sure, likeliest
from mybro.transcribe.expectation import Expectation, commands, spoken
from mybro.transcribe.recogniser import Hints, Recognition
from mybro.vocabulary import lines

pytestmark = pytest.mark.unit

ENGLISH = Hints("Voice commands.")


def heard(text: str, logprob: float) -> Recognition:
    return Recognition(text, average_logprob=logprob, tokens=len(text.split()))


def test_words_are_compared_as_they_are_spoken() -> None:
    assert spoken("Open main.py, please!") == ["open", "main", "dot", "py", "please"]
    assert spoken("Port 8,000") == ["port", "#"] == spoken("port eight thousand")
    assert spoken("don't") == ["dont"] and spoken("") == []


def test_probabilities_of_what_may_follow_do_not_exceed_one() -> None:
    small = Expectation(["run the tests", "run it"], ["git diff"], ["the", "a"])
    words = ["run", "the", "tests", "it", "git", "diff", "a", "</s>"]
    # exp of a sentence of one word is the product of two steps: over all words at most that of the first.
    assert sum(math.exp(2 * small.fit(word)) for word in words[:-1]) < 1
    assert small.fit("run the tests") > small.fit("run the diff") > small.fit("zebra the diff")


def test_a_command_is_usual_and_prose_is_not() -> None:
    usual = [commands().fit(text) for text in ("Run the tests.", "stop", "add a docstring to this function")]
    prose = [
        commands().fit(text)
        for text in (
            "she closed the door and walked slowly down the hill",
            "the ship left the harbour before the sun had risen",
        )
    ]
    assert min(usual) > -3 > -5.5 > max(prose)


def test_names_in_the_prompt_are_expected() -> None:
    text = "rename the quux to zyzzyva"
    assert commands().fit(text, "names: quux, zyzzyva") > commands().fit(text) + 0.5


@given(st.text(max_size=80), st.text(max_size=40))
def test_any_text_has_a_finite_fit(text: str, prompt: str) -> None:
    assert -20 < commands().fit(text, prompt) < 0


def test_no_command_is_listed_twice() -> None:
    said = lines("commands")["SAID"]
    assert len(said) == len(set(said)) and all(row == row.strip().lower() for row in said)


def test_what_sounds_clear_is_sure_and_what_is_usual_sooner() -> None:
    assert not is_sure(heard("the ship left the harbour", -0.1), ENGLISH)
    assert is_sure(heard("the ship left the harbour", -0.1), Hints())
    assert not is_sure(heard("the ship left the harbour", -0.3), Hints())
    assert is_clear(heard("the ship left the harbour", -0.1))
    assert not is_clear(heard("the ship left the harbour", -0.18))
    assert is_sure(heard("rename the class to a name that nobody knows", -0.18), ENGLISH)
    assert not is_sure(heard("rename the class to a name that nobody knows", -0.3), ENGLISH)
    assert is_sure(heard("run the tests", -0.3), ENGLISH)
    assert not is_sure(heard("run the tests", -0.6), ENGLISH)


def test_a_prompt_makes_surer_than_what_was_said_without_one() -> None:
    bent = heard("Watch your country can do for you.", -0.2)
    said = replace(heard("What your country can do for you.", -0.23), plain=True)
    assert likeliest([bent, said], ENGLISH) is said
    clearer = replace(bent, average_logprob=-0.1)
    assert likeliest([clearer, said], ENGLISH) is clearer
    # What is like a command keeps what the prompt gave it.
    lint = heard("Run the linter.", -0.3)
    assert likeliest([lint, replace(heard("Run the winter.", -0.25), plain=True)], ENGLISH) is lint


def test_a_short_thing_that_people_say_is_likely_as_a_whole_but_a_yes_is_not() -> None:
    read, redo = heard("README, do.", -0.57), heard("Redo.", -0.97)
    assert likeliest([read, redo], ENGLISH) is redo
    assert likeliest([read, redo], Hints("", "de")) is read
    assert commands().is_said("Go back!") and not commands().is_said("Back go.")
    rest, yes = heard("Rest.", -0.4), heard("Yes.", -0.7)
    assert likeliest([rest, yes], ENGLISH) is rest
    assert likeliest([heard("Rest.", -0.4), heard("Undo.", -0.7)], ENGLISH).text == "Undo."


def test_expectation_decides_between_what_sounds_alike_and_no_more() -> None:
    lint, winter = heard("run the linter", -0.4), heard("run the winter", -0.35)
    assert likeliest([winter, lint], ENGLISH) is lint
    far = heard("run the winter", -0.05)
    assert likeliest([heard("run the linter", -0.9), far], ENGLISH) is far


def test_between_readings_that_are_no_commands_the_sound_decides() -> None:
    said = heard("unless to be rather selfish is to be ill disposed", -0.3)
    odd = heard("unless to be rather selfish is to be old exposed", -0.32)
    assert commands().fit(odd.text) > commands().fit(said.text) + 0.1
    assert likeliest([odd, said], ENGLISH) is said


def test_nobody_agrees_because_it_was_to_be_expected() -> None:
    do, agreed = heard("Do", -0.8), heard("Do it.", -1.0)
    assert likeliest([do, agreed], ENGLISH) is do
    near = heard("Go ahead.", -0.9)
    assert likeliest([heard("Blockhead.", -0.8), near], ENGLISH) is near
    assert likeliest([heard("I shop.", -0.8), stop := heard("Stop.", -1.0)], ENGLISH) is stop


def test_in_other_languages_the_sound_alone_decides() -> None:
    german = Hints("main.py", language="de")
    one, other = heard("führe die tests aus", -0.3), heard("run the tests", -0.31)
    assert likeliest([one, other], german) is one
    assert not is_sure(other, german) and is_known(other, german)
    assert is_sure(heard("führe die tests aus", -0.19), german)
