from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mybro.errors import JournalError
from mybro.events import (
    AudioBlock,
    Event,
    JobFinished,
    JobProgressed,
    LevelMeasured,
    Outcome,
    SpeechEnded,
    Typed,
    Utterance,
)
from mybro.intent import CONTROL, Action, Arguments, Intent
from mybro.journal.codec import MAX_DETAIL, clean, decode, encode, finite, is_noise, shorten

pytestmark = pytest.mark.unit

ANY_TEXT = st.text(st.characters(), max_size=40)
"""Also NUL and lone surrogates."""
ORDINARY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def intents(text: st.SearchStrategy[str]) -> st.SearchStrategy[Intent]:
    control = st.sampled_from(sorted(CONTROL)).map(lambda action: ("control", action))
    local = st.sampled_from([a for a in Action if a not in CONTROL]).map(lambda action: ("local", action))
    free = st.sampled_from(["task", "question", "chat"]).map(lambda kind: (kind, None))
    arguments = st.builds(Arguments, old_name=st.none() | text, count=st.none() | st.integers(1, 1000))
    return st.builds(
        lambda what, given, said: Intent(kind=what[0], action=what[1], arguments=given, text=said),
        control | local | free, arguments, text,
    )  # fmt: skip


def events(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    whole = st.integers(0, 2**40)
    pieces = st.builds(AudioBlock, whole, st.integers(0, 50).map(lambda count: bytes(2 * count)))
    st.register_type_strategy(str, text)
    st.register_type_strategy(int, whole)
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
    st.register_type_strategy(Intent, intents(text))
    st.register_type_strategy(AudioBlock, pieces)
    return st.one_of([st.from_type(kind) for kind in get_args(Event)])


@given(events(ORDINARY))
def test_every_event_comes_back_as_it_was(event: Event) -> None:
    assert decode(type(event).__name__, encode(event)) == event


@given(ANY_TEXT)
def test_whatever_was_said_can_be_kept(text: str) -> None:
    again = decode("Typed", encode(Typed(1, text)))
    assert isinstance(again, Typed)
    assert again.text == clean(text)
    again.text.encode()


@given(ANY_TEXT)
def test_cleaning_touches_only_what_cannot_be_kept(text: str) -> None:
    kept = clean(text)
    assert "\0" not in kept
    assert clean(kept) == kept
    if "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert kept == text


def test_cleaning_joins_pairs_and_shows_what_was_lost() -> None:
    assert clean("a\ud83d\ude00b\ud83dc\0d") == "a😀b�c�d"


def test_sound_is_counted_and_comes_back_as_zeros() -> None:
    event = SpeechEnded(3, Utterance(AudioBlock(500, b"\1\2" * 70), 510, 560))
    plain = json.loads(encode(event))
    assert plain["utterance"]["audio"] == {"start": 500, "samples": 70}
    again = decode("SpeechEnded", encode(event))
    assert isinstance(again, SpeechEnded)
    assert again.utterance.audio == AudioBlock(500, bytes(140))


def test_numbers_that_json_cannot_hold_become_zero() -> None:
    assert [finite(x) for x in (float("nan"), float("inf"), float("-inf"), -0.5)] == [0.0, 0.0, 0.0, -0.5]


def test_long_output_keeps_its_beginning_and_its_end() -> None:
    long = "begin " + "x" * (3 * MAX_DETAIL) + " 3 failed"
    kept = json.loads(encode(JobFinished(1, Outcome("3 failed", detail=long))))["outcome"]["detail"]
    assert kept == shorten(long)
    assert kept.startswith("begin ")
    assert kept.endswith(" 3 failed")
    assert len(kept) < MAX_DETAIL + 100


def test_words_are_never_cut() -> None:
    long = "word " * MAX_DETAIL
    assert decode("Typed", encode(Typed(1, long))) == Typed(1, long)


def test_noise_is_what_only_meters_and_tickers_show() -> None:
    assert is_noise(LevelMeasured(1, -20.0, -10.0))
    assert is_noise(JobProgressed(1, "some wo", "words"))
    assert not is_noise(JobProgressed(1, "editing parser.py"))
    assert not is_noise(Typed(1, "stop"))


@pytest.mark.parametrize(
    ("name", "body"),
    [("Typed", "{"), ("Typed", '{"turn": 1}'), ("NoSuchEvent", "{}"), ("Typed", '{"turn": "x", "text": 1}')],
)
def test_an_event_that_this_version_does_not_know_is_an_error(name: str, body: str) -> None:
    with pytest.raises(JournalError) as caught:
        decode(name, body)
    assert caught.value.code == "event_unreadable"
