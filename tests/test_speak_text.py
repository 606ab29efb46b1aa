"""What a voice is given to say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mybro.speak.text import LONGEST_WORDS, sentences, speakable

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Running the tests.", "Running the tests."),
        ("Say yes, build, to do it.", "Say yes, build, to do it."),
        ("Größe überprüft. 完成", "Größe überprüft. 完成."),
        ("don't stop—now (really)", "don't stop, now, really."),
        ("", ""),
        ("...", ""),
        ("🎉", ""),
        # markup
        ("**Bold** and _it_ with `code()`", "Bold and it with code."),
        ("# Result\n\n> quoted", "Result. quoted."),
        ("```py\nx = 1\n```\nDone", "Done."),
        ("before\n```\nnever closed", "before."),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a b. 1 2."),
        ("see [the docs](http://x.example/z?a=b).", "see the docs."),
        ("\x1b[31mred\x1b[0m\x07", "red."),
        # paths and names
        ("Edited src/parser/core.py:42", "Edited core dot py line 42."),
        ("/usr/local/bin/python3", "python3."),
        ("./a/b/ and ../c.rs", "b and c dot r s."),
        ("cart.py: 3 errors", "cart dot py: 3 errors."),
        ("package.json index.tsx Makefile", "package dot jason index dot t s x Makefile."),
        ("__init__.py .env .gitignore", "init dot py dot env dot gitignore."),
        ("pushed to origin/main.", "pushed to origin main."),
        ("yes/no, and/or", "yes no, and or."),
        ("https://www.example.org/x/y/pull/4.", "a link to example dot org."),
        # identifiers
        ("`parse_line` to `readLine`", "parse line to read Line."),
        ("HTTPServerError UPPER_CASE", "HTTP Server Error UPPER CASE."),
        ("os.path.join(a, b) == Foo::bar", "os dot path dot join, a, b, equals Foo bar."),
        ("commit a1b2c3d4e5f6", "commit a 1 b 2."),
        ("550e8400-e29b-41d4-a716-446655440000", "5 5 0 e."),
        ("deadbeef cafe 1234567", "deadbeef cafe 1234567."),
        ("npm install --save-dev", "npm install save-dev."),
        # numbers and units
        ("12 passed in 3.5s", "12 passed in 3.5 seconds."),
        ("1 ms", "1 millisecond."),
        ("85%, 120ms", "85 percent, 120 milliseconds."),
        ("4MB of 1,234,567", "4 megabytes of 1234567."),
        ("$0.04", "4 cents."),
        ("$1.20 or €3", "1 dollar 20 cents or 3 euros."),
        ("£0.01", "1 penny."),
        ("v1.2.3", "1 point 2 point 3."),
        ("python 3.11", "python 3.11."),
        ("#12 ~5 12/14 +3 -2", "number 12 about 5 12 of 14 plus 3 minus 2."),
        ("a -> b >= c & d", "a to b at least c and d."),
        ("e.g. this, i.e. that", "for example this, that is that."),
        # lists
        ("failed: test_a, test_b, test_c, test_d, test_e.", "failed: test a, test b, test c and 2 more."),
        ("- one\n- two\n- three\n- four\n- five", "one. two. three. And 2 more."),
        ("1. one\n2. two", "one. two."),
        # nothing that a synthesizer or a command line could take for an order
        ("[[slnc 5000]] hello", "slnc 5000 hello."),
        ("-v evil --rm", "v evil rm."),
        ("<speak><break time='9s'/></speak>", "speak break time '9 seconds' speak."),
    ],
)
def test_written_text_becomes_speakable(written: str, spoken: str) -> None:
    assert speakable(written) == spoken


@given(st.text(max_size=400) | st.text("ab1-_./:[]{}()<>`*\\\n\x1b#$%,;~ ", max_size=200))
def test_nothing_dangerous_is_ever_left(text: str) -> None:
    spoken = speakable(text)
    assert not set(spoken) & set('[]{}<>`*\\/_|\n\r\t\x1b\0"$#')
    assert not spoken.startswith("-")
    assert spoken.isprintable()
    assert len(spoken.split()) <= LONGEST_WORDS + 6
    assert " ".join(sentences(spoken)).split() == spoken.split()


@pytest.mark.parametrize(
    "hard", ["a/" * 20_000, "a," * 20_000, "0" * 40_000, "`" * 9_999, "- \n" * 9_000, "a.b" * 9_000]
)
def test_long_input_takes_no_long_time(hard: str) -> None:
    assert len(speakable(hard)) < 9_000


def test_long_text_is_left_to_the_screen() -> None:
    spoken = speakable("This is a sentence of seven words. " * 30)
    assert spoken.endswith("seven words. The rest is on the screen.")
    assert len(spoken.split()) <= LONGEST_WORDS + 6
    assert speakable("word " * 100, longest_words=10) == "word " * 9 + "word. The rest is on the screen."


def test_sentences_begin_early_and_are_never_too_long() -> None:
    assert sentences("12 passed, 2 failed. Version 3.11 is new! Is it?") == [
        "12 passed, 2 failed.", "Version 3.11 is new!", "Is it?",
    ]  # fmt: skip
    assert sentences("No. It is not done.") == ["No. It is not done."]
    assert sentences("See no. 5 vs. the other one.") == ["See no. 5 vs. the other one."]
    assert sentences("") == []
    long = sentences("word, " * 100 + "x" * 500)
    assert max(map(len, long)) <= 220 and len(long) > 3
