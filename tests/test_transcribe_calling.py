"""The wake phrase, as the recogniser is asked for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mybro.transcribe.calling import beginnings, contrast, is_called, without
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
