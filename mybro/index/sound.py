"""What a word sounds like, roughly: enough to see that "pars date" is how somebody said parse_date.

A sound is a string of one character a phoneme: consonants in capitals, vowels in small letters. The rules are
those of English spelling at large; a recogniser that mishears keeps most of the consonants.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from typing import Any

from mybro.native import engine
from mybro.vocabulary import ordered

_LETTERS = {
    "a": "A", "b": "Bi", "c": "Si", "d": "Di", "e": "i", "f": "eF", "g": "Ji", "h": "AX", "i": "I", "j": "JA",
    "k": "KA", "l": "eL", "m": "eM", "n": "eN", "o": "O", "p": "Pi", "q": "Ku", "r": "aR", "s": "eS",
    "t": "Ti", "u": "u", "v": "Vi", "w": "DaBaLu", "x": "eKS", "y": "WI", "z": "Si",
}  # fmt: skip
"""The names of the letters; A, I and O stand for the long vowels here and are folded with the others."""

_WHOLE = {
    "one": "WaN", "two": "Tu", "eight": "eT", "once": "WaNS", "pseudo": "SuDo", "queue": "Ku", "sync": "SiNK",
    "async": "ASiNK", "enum": "iNaM", "char": "KaR", "tuple": "TuPaL", "regex": "ReJeKS", "usage": "uSeJ",
    "use": "uS", "user": "uSaR", "query": "KiRi", "schema": "SKiMa", "cache": "KaX", "the": "Da",
    "chrome": "KRoM", "type": "TiP", "unique": "uNiK", "source": "SoRS", "route": "RuT", "suite": "SWiT",
    "value": "VaLu", "issue": "iXu", "tissue": "TiXu", "sure": "XuR", "sugar": "XuGaR", "of": "aV",
    "pie": "Pi", "py": "Pi", "js": "JAeS", "ts": "TieS", "id": "IDi", "wsgi": "WiSGi",
    "kwargs": "KuaRGS", "args": "aRGS", "you": "u",
}  # fmt: skip

_RULES = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^kn|^gn|^pn", "n"), (r"^wr", "r"), (r"^ps", "s"), (r"^x", "s"), (r"mb$", "m"),
        (r"tch", "C"), (r"sch", "SK"), (r"[st]ch", "C"), (r"ch(?=r|l)", "K"), (r"ch", "C"),
        (r"[ct]ion|sion|cian", "XaN"), (r"[tc]ia", "Xa"), (r"t(?=ure)", "C"), (r"sh", "X"), (r"th", "T"),
        (r"ph", "F"),
        (r"e(?=[^aeiou]e$)", "ee"),
        (r"igh", "i"), (r"[ao]ugh(?=t)", "o"), (r"gh(?=$|[^aeiou])", ""), (r"gh", "G"),
        (r"dg", "J"), (r"wh", "W"), (r"ck", "K"), (r"qu", "KW"), (r"x", "KS"), (r"cc(?=[eiy])", "KS"),
        (r"c(?=[eiy])", "S"), (r"c", "K"), (r"g(?=[eiy](?!t))", "J"), (r"gu(?=[eiy])", "G"),
        (r"q", "K"), (r"z", "S"), (r"v", "V"), (r"(?<=[aeiou])h", ""), (r"^y|(?<=[aeiou])y(?=[aeiou])", "Y"),
        (r"(?<=[^aeiouy])e(?=s?$)(?<!^.e)(?<!^..e)", ""), (r"ed$", "D"),
    )
]  # fmt: skip
_VOWELS = (
    ("ee|ea|ie|ei|y", "i"), ("oo|ou|ew|ue|eu", "u"), ("ai|ay|a", "a"), ("oa|ow|au|aw|oy|oi|o", "o"),
    ("e", "e"), ("i", "i"), ("u", "a"),
)  # fmt: skip
_VOWEL_RULES = [(re.compile(pattern), sound) for pattern, sound in _VOWELS]
_ONES = ordered("names", "NUMBERS")

NUMBER_WORDS = {str(at): word for at, word in enumerate(_ONES)}
"""Small numbers as words."""

VOWELS = frozenset("aeiouAIO")


@functools.lru_cache(maxsize=65_536)
def sound(word: str) -> str:
    """The sound of one word in lower case, or of a number's digits; empty for what has none."""
    if word in _WHOLE:
        return _fold(_WHOLE[word])
    if word.isdecimal() and word.isascii():
        return "".join(sound(NUMBER_WORDS[digit]) for digit in word)
    if len(word) == 1 or not re.search(r"[aeiouy]", word):
        return spelled(word)
    text = word
    for pattern, to in _RULES:
        text = pattern.sub(to, text)
    for pattern, to in _VOWEL_RULES:
        text = pattern.sub(to, text)
    return _fold("".join(letter if letter in "aeiou" else letter.upper() for letter in text))


def spelled(word: str) -> str:
    """The sound of a word that is said letter by letter; what is no letter or digit is not said."""
    return _fold("".join(_LETTERS.get(one) or _digit(one) for one in word))


def _digit(one: str) -> str:
    return sound(NUMBER_WORDS[one]) if one in NUMBER_WORDS else ""


def _fold(text: str) -> str:
    """Long vowels with the short ones, and no sound twice in a row."""
    text = text.replace("A", "e").replace("I", "i").replace("O", "o")
    return re.sub(r"[^A-Za-z]|(.)(?=\1)", "", text)


_CLASSES = ("PB", "TD", "KGQ", "FV", "SZ", "CJX", "MN", "LR", "WUVY", "XS")
_NEAR = {
    (one, other): 0.35 if index < 6 else 0.55
    for index, group in reversed(list(enumerate(_CLASSES)))
    for one in group
    for other in group
    if one != other
}


def _change(one: str, other: str) -> float:
    if one == other:
        return 0.0
    vowels = (one in VOWELS) + (other in VOWELS)
    if vowels == 2:
        return 0.25
    return 1.3 if vowels else _NEAR.get((one, other), 1.0)


_ALPHABET = "ABCDFGHJKLMNPQRSTUVWXYZaeiou"
_CHANGE = {one: {other: _change(one, other) for other in _ALPHABET} for one in _ALPHABET}


CHEAPEST = 0.8
"""Leaving out a sound costs at least this share of its weight."""


def _drop(one: str) -> float:
    return 0.36 if one in VOWELS else 0.5 if one in "HYW" else 0.8


def distance(left: str, right: str, limit: float = math.inf) -> float:
    """How much must change to make one sound from the other: about 1 a consonant, less for a vowel.

    Infinite where it is certain to be more than `limit`.
    """
    drops = [_drop(other) for other in right]
    row = [0.0]
    for drop in drops:
        row.append(row[-1] + drop)
    for one in left:
        before, gone, near = row, _drop(one), _CHANGE[one]
        last = before[0] + gone
        row = [last]
        for at, other in enumerate(right):
            last = min(before[at] + near[other], before[at + 1] + gone, last + drops[at])
            row.append(last)
        if min(row) > limit:
            return math.inf
    return row[-1]


def likeness(left: str, right: str, least: float = 0.0) -> float:
    """1 for the same sound, 0 for nothing in common, and for less than `least`."""
    mine, other = weight(left), weight(right)
    longest = max(mine, other)
    limit = (1.0 - least) * longest
    if not longest or CHEAPEST * abs(mine - other) > limit:
        return 0.0
    found = 1.0 - distance(left, right, limit) / longest
    return found if found >= least else 0.0


def likenesses(heard: str, others: Sequence[str], least: float = 0.0) -> list[float]:
    """The likeness of each of many sounds; by the engine where it is built, to the last place but a few."""
    native = engine()
    if native:
        found: list[float] = _costs(native).likenesses(heard, others, least)
        return found
    return [likeness(heard, other, least) for other in others]


@functools.cache
def _costs(native: Any) -> Any:
    change = [[_CHANGE[one][other] for other in _ALPHABET] for one in _ALPHABET]
    return native.Sounds(
        _ALPHABET, change, [_drop(one) for one in _ALPHABET], [weight(one) for one in _ALPHABET], CHEAPEST
    )


@functools.lru_cache(maxsize=65_536)
def weight(text: str) -> float:
    return sum(0.45 if letter in VOWELS else 1.0 for letter in text)


_COARSE = {
    letter: group[0] for group in ("PB", "TD", "KGQ", "FV", "SZX", "CJ", "MN", "LR") for letter in group
} | {"C": "S", "J": "S", "X": "S", "Z": "S"}  # fmt: skip


def skeleton(text: str) -> str:
    """The consonants of a sound, alike ones made the same: what is looked up before sounds are compared."""
    bare = "".join(
        _COARSE.get(letter, letter) for letter in text if letter not in VOWELS and letter not in "HWY"
    )
    return re.sub(r"(.)\1+", r"\1", bare)
