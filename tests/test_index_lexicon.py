"""Names as they are said, and found again by their sound."""

from __future__ import annotations

import pytest

from mybro.index.lexicon import Lexicon, sounds_of, spoken
from mybro.index.sound import distance, likeness, skeleton, sound

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("user_id", "user id"), ("userId", "user id"), ("UserID", "user id"), ("MAX_RETRIES", "max retries"),
        ("utf8_length", "utf eight length"), ("HTTPServer2", "http server two"), ("main.py", "main dot py"),
        ("src/app.ts", "src slash app dot ts"), (".env", "dot env"), ("__init__", "init"),
        ("feature/login-form", "feature slash login form"), ("port8080", "port eight zero eight zero"),
    ],
)  # fmt: skip
def test_a_name_is_said_in_its_words(written: str, words: str) -> None:
    assert " ".join(spoken(written)) == words


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("pars date", "parse date"), ("right index", "write index"), ("no pager", "know pager"),
        ("cash key", "cache key"), ("you ser", "user"), ("rap text", "wrap text"),
        ("check some", "check sum"),
        ("night watch", "knight watch"), ("fone book", "phone book"), ("cue size", "queue size"),
    ],
)  # fmt: skip
def test_what_sounds_the_same_is_nearly_the_same(heard: str, meant: str) -> None:
    assert likeness(sounds_of(heard.split())[0], sounds_of(meant.split())[0]) > 0.85


@pytest.mark.parametrize(
    ("one", "other"),
    [("get content", "byte content"), ("render", "window"), ("open", "close"), ("add", "undo")],
)
def test_what_sounds_otherwise_is_far_apart(one: str, other: str) -> None:
    assert likeness(sounds_of(one.split())[0], sounds_of(other.split())[0]) < 0.86


def test_a_limit_only_saves_time() -> None:
    words = [
        "parse",
        "pars",
        "render",
        "rendered",
        "schema",
        "cache",
        "queue",
        "x",
        "tokenizer",
        "date",
        "state",
    ]
    for one in words:
        for other in words:
            full = distance(sound(one), sound(other))
            assert distance(sound(one), sound(other), 2.0) in (full, float("inf"))
            assert full == pytest.approx(distance(sound(other), sound(one)))
            assert (full == 0) == (sound(one) == sound(other))


def test_skeletons_forget_voicing_and_vowels() -> None:
    assert skeleton(sound("bad")) == skeleton(sound("pat"))
    assert skeleton(sound("parse")) == skeleton(sound("pars"))


def test_names_said_alike_are_found_together_and_by_sound() -> None:
    lexicon = Lexicon([("user_id", "variable", 3), ("userId", "variable", 1), ("user_id", "variable", 2),
                       ("parse_date", "function", 1), ("main.py", "path", 1)])  # fmt: skip
    found = lexicon.exact(["user", "id"])
    assert found is not None and set(found.names) == {"user_id", "userId"}
    assert found.names["user_id"].weight == 5
    assert lexicon.exact(["userid"]) is found
    alike = lexicon.alike(sounds_of(["pars", "date"])[0], 0.8)
    assert [list(one.names) for _, one in alike] == [["parse_date"]]
    assert lexicon.alike(sounds_of(["something", "else"])[0], 0.8) == []
    assert lexicon.ordered[0].written == "user_id" and len(lexicon) == 4


def test_an_acronym_is_read_or_spelled() -> None:
    assert len(sounds_of(["user", "id"])) == 1  # "id" is always spelled
    assert len(sounds_of(["os", "path"])) == 2


@pytest.mark.parametrize("odd", ["", "é", "ß", "²", "٣", "a0", "x" * 300, "日本語", "_", "$", "ŉ", "1٣2"])
def test_whatever_a_name_is_made_of_it_has_a_sound_or_none(odd: str) -> None:
    assert likeness(sound(odd.lower()), sound("cat")) <= 1
    lexicon = Lexicon([(odd, "variable", 1.0), ("cat", "variable", 1.0)])
    assert lexicon.exact(["cat"]) is not None and isinstance(spoken(odd), tuple)
