"""Spoken numbers as digits: "forty two" is 42, "zero point five" 0.5, "three point eleven" 3.11."""

from __future__ import annotations

from collections.abc import Sequence

from mybro.vocabulary import ordered

_SMALL = {word: at for at, word in enumerate(ordered("names", "NUMBERS"))}
_TENS = {word: 20 + 10 * at for at, word in enumerate(ordered("names", "TENS"))}
_RADIX = {"x": frozenset("0123456789abcdef"), "o": frozenset("01234567"), "b": frozenset("01")}
_BIG = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}


def read_number(words: Sequence[str]) -> tuple[str, int]:
    """The digits of the number that `words` begin with, and how many words it takes; ("", 0) for none."""
    text, used = _radix(words) or _plain(words)
    while used and list(words[used : used + 1]) == ["point"]:
        after = _plain(words[used + 1 :])
        if not after[1]:
            break
        text, used = f"{text}.{after[0]}", used + 1 + after[1]
    return _with_exponent(words, text, used)


def _plain(words: Sequence[str]) -> tuple[str, int]:
    digits = _digits(words)
    if len(digits) > 1:
        return "".join(digits), len(digits)
    value, used = _whole(words)
    return (str(value) if used else ""), used


def _radix(words: Sequence[str]) -> tuple[str, int] | None:
    """ "zero x f f" is 0xff."""
    if len(words) < 3 or words[0] not in ("zero", "0") or words[1] not in _RADIX:
        return None
    found = ""
    for word in words[2:]:
        figure = str(_SMALL.get(word, word))
        if figure not in _RADIX[words[1]]:
            break
        found += figure
    return (f"0{words[1]}{found}", 2 + len(found)) if found else None


def _with_exponent(words: Sequence[str], text: str, used: int) -> tuple[str, int]:
    """ "one point five e minus three" is 1.5e-3."""
    if not used or list(words[used : used + 1]) != ["e"]:
        return text, used
    minus = list(words[used + 1 : used + 2]) in (["minus"], ["negative"])
    digits, taken = _plain(words[used + 1 + minus :])
    return (f"{text}e{'-' * minus}{digits}", used + 1 + minus + taken) if taken else (text, used)


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
