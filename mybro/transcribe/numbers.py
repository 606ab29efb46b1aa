"""Spoken numbers as digits: "forty two" is 42, "zero point five" 0.5, "three thousand" 3000."""

from __future__ import annotations

from collections.abc import Sequence

from mybro.vocabulary import ordered

_SMALL = {word: at for at, word in enumerate(ordered("names", "NUMBERS"))}
_TENS = {word: 20 + 10 * at for at, word in enumerate(ordered("names", "TENS"))}
_BIG = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}


def read_number(words: Sequence[str]) -> tuple[str, int]:
    """The digits of the number that `words` begin with, and how many words it takes; ("", 0) for none."""
    digits = _digits(words)
    if len(digits) > 1:
        text, used = "".join(digits), len(digits)
    else:
        value, used = _whole(words)
        text = str(value) if used else ""
    if used and used + 1 < len(words) and words[used] == "point" and (after := _digits(words[used + 1 :])):
        return f"{text}.{''.join(after)}", used + 1 + len(after)
    return text, used


def _digits(words: Sequence[str]) -> list[str]:
    """Single digits in a row: "eight zero eight zero"."""
    found: list[str] = []
    for word in words:
        if not (_SMALL.get(word, 10) < 10 or (word == "oh" and found)):
            break
        found.append(str(_SMALL.get(word, 0)))
    return found


def _whole(words: Sequence[str]) -> tuple[int, int]:
    total = group = 0
    last = ""
    used = 0
    for at, word in enumerate(words):
        fresh = last in ("", "big", "hundred", "and")
        if word in _SMALL and (fresh or (last == "tens" and 0 < _SMALL[word] < 10)):
            group, last = group + _SMALL[word], "small"
        elif word in _TENS and fresh:
            group, last = group + _TENS[word], "tens"
        elif word == "hundred" and last == "small" and group < 10:
            group, last = group * 100, "hundred"
        elif word in _BIG and last in ("small", "tens", "hundred"):
            total, group, last = total + group * _BIG[word], 0, "big"
        elif word == "and" and last in ("hundred", "big"):
            last = "and"
            continue
        else:
            break
        used = at + 1
    return total + group, used
