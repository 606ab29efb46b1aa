"""The wake phrase, as the recogniser is asked for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mybro.transcribe.calling import beginnings, contrast, is_called, rivals, without
from mybro.transcribe.listener import Listener
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recognition
from tests.fakes.transcribe import Told

pytestmark = pytest.mark.unit

SPEECH = np.sin(np.arange(SAMPLE_RATE) / 20).astype(np.float32)
FREE = Recognition("Hey mybro, run the tests.", average_logprob=-0.2, tokens=8)
FORCED = Recognition(
    "Run the tests.", average_logprob=-0.1, tokens=4, start_logprob=-1.0, start=" Hey mybro,"
)
HINTS = Hints("Some words.", call="hey mybro")


def test_what_follows_the_phrase_is_heard_by_itself() -> None:
    recogniser = Told(FORCED, FORCED)
    heard = Listener(recogniser).transcribe(SPEECH, HINTS)
    assert (heard.called, heard.text) == (True, "Run the tests.")
    assert recogniser.asked[-1][1].starts == (" Hey mybro,",)
    assert recogniser.asked[-1][1].prompt == HINTS.prompt


def test_an_unlikely_phrase_was_not_said() -> None:
    recogniser = Told(replace(FORCED, start_logprob=-6.0), Recognition("Hey, my boat.", tokens=4))
    heard = Listener(recogniser).transcribe(SPEECH, HINTS)
    assert (heard.called, heard.text) == (False, "Hey, my boat.")


@pytest.mark.parametrize(
    ("begins", "rival", "called"), [(-4.0, -6.0, True), (-1.5, -0.2, False), (-6.0, -20.0, False)]
)
def test_it_counts_how_much_likelier_it_is_than_its_rivals(begins: float, rival: float, called: bool) -> None:
    forced = replace(FORCED, start_logprob=begins)
    other = replace(FORCED, start_logprob=rival, start=" Hey, my boat")
    recogniser = Told(*[forced, other][: 1 + (begins > -5)], FREE)
    assert Listener(recogniser).transcribe(SPEECH, HINTS).called is called


def test_rivals_are_asked_for_where_they_are_known_and_it_may_have_been_said() -> None:
    assert " Hey Michael" in rivals("hey mybro") and " Okay, my boat" in rivals("Okay mybro")
    assert rivals("computer") == rivals("mybro") == rivals("hey friday") == ()
    recogniser = Told(replace(FORCED, start_logprob=-9.0), FREE)
    Listener(recogniser).transcribe(SPEECH, HINTS)
    assert sum(bool(hints.starts) for _, hints in recogniser.asked) == 1


def test_a_phrase_of_words_must_be_likelier_than_a_coined_one() -> None:
    forced = replace(FORCED, start_logprob=-2.6)
    assert is_called("hey mybro", forced) and not is_called("computer", forced)


def test_a_recogniser_that_cannot_be_asked_is_told_of_the_phrase() -> None:
    recogniser = Told(FREE, searches=False)
    assert Listener(recogniser).transcribe(SPEECH, HINTS).called is None
    assert "hey mybro" in recogniser.asked[0][1].prompt


def test_without_a_phrase_nothing_is_asked() -> None:
    recogniser = Told(FREE)
    assert Listener(recogniser).transcribe(SPEECH, Hints()).called is None
    assert not any(hints.starts or "mybro" in hints.prompt for _, hints in recogniser.asked)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("run the tests.", "Run the tests."),
        (", hey mybro, undo that.", "Undo that."),
        ("Hey, mybro.", ""),
        ("Hey my bro, run the tests.", "Run the tests."),
        ("Hey my brother.", "Hey my brother."),
        ("", ""),
    ],
)
def test_the_phrase_is_left_out(text: str, rest: str) -> None:
    assert without("hey mybro", text) == rest


@pytest.mark.parametrize(("phrase", "other"), [("computer", "compare"), ("okay jarvis", "okay service")])
def test_what_sounds_like_it_is_told_of(phrase: str, other: str) -> None:
    assert other in contrast(phrase)
    assert phrase in contrast(phrase)


def test_it_is_written_with_and_without_a_comma() -> None:
    assert beginnings("Hey Friday") == (" Hey friday,", " Hey, friday,", " Hey friday.", " Hey, friday.")
    assert beginnings("computer") == (" Computer,", " Computer.")
