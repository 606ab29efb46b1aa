"""Word error rate, after writing numbers, file names and the like as they are spoken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_SIGNS = {"%": "percent", "&": "and", "+": "plus", "@": "at", "=": "equals", "#": "hash"}
_SAME = {
    "ok": "okay", "mr": "mister", "mrs": "missus", "dr": "doctor", "doc string": "docstring",
    "doc strings": "docstrings", "read me": "readme", "call back": "callback", "e mail": "email",
    "log in": "login", "set up": "setup", "user name": "username", "data base": "database",
    "metres": "meters", "git hub": "github", "type script": "typescript", "java script": "javascript",
    "web socket": "websocket",
}  # fmt: skip
_SAME_PATTERN = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _SAME), key=len, reverse=True)) + r")\b")


@dataclass(frozen=True, slots=True)
class Score:
    """Errors over a set of sentences."""

    errors: int
    """Words substituted, left out or put in."""
    words: int
    """Of the references."""
    exact: int
    """Sentences without an error."""
    sentences: int

    @property
    def percent(self) -> float:
        """The word error rate."""
        return 100 * self.errors / max(1, self.words)


def normalise(text: str) -> str:
    """Lower-case words as they are spoken: "utils.py" is "utils dot py", "8,000" is "eight thousand"."""
    text = re.sub(r"\[[^\]]*\]|\([^)]*\)", " ", text.lower()).replace("’", "'")
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(r"(?<=\d)\.(?=\d)", " point ", text)
    text = re.sub(r"(?<=\w)\.(?=[a-z])", " dot ", text)
    text = re.sub(r"\b(\d+)(st|nd|rd|th)\b", lambda found: f" {_ordinal(int(found[1]))} ", text)
    text = re.sub(r"\d+", lambda found: f" {spell(found[0])} ", text)
    for sign, word in _SIGNS.items():
        text = text.replace(sign, f" {word} ")
    text = re.sub(r"[^\w\s]|_", " ", text.replace("'", ""))
    return _SAME_PATTERN.sub(lambda found: _SAME[found[0]], " ".join(text.split()))


def spell(digits: str) -> str:
    """A number in words; digit by digit where it has a leading zero or is very long."""
    if len(digits) > 6 or (len(digits) > 1 and digits.startswith("0")):
        return " ".join(_ONES[int(digit)] for digit in digits)
    return _spell(int(digits))


def _spell(number: int) -> str:
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, rest = divmod(number, 10)
        return f"{_TENS[tens]} {_ONES[rest]}" if rest else _TENS[tens]
    unit, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    many, rest = divmod(number, unit)
    return f"{_spell(many)} {name} {_spell(rest)}" if rest else f"{_spell(many)} {name}"


def _ordinal(number: int) -> str:
    *before, last = _spell(number).split()
    ordinal = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return " ".join([*before, ordinal])


def distance(reference: list[str], heard: list[str]) -> int:
    """The fewest words to substitute, leave out or put in."""
    row = list(range(len(heard) + 1))
    for index, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], index
        for column, other in enumerate(heard, 1):
            best = min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
            diagonal, row[column] = row[column], best
    return row[-1]


def score(pairs: Iterable[tuple[str, str]]) -> Score:
    """The score of (reference, heard) pairs, both normalised here."""
    errors = words = exact = sentences = 0
    for reference, heard in pairs:
        said, got = normalise(reference).split(), normalise(heard).split()
        wrong = distance(said, got)
        errors, words, sentences, exact = (
            errors + wrong,
            words + len(said),
            sentences + 1,
            exact + (wrong == 0),
        )
    return Score(errors, words, exact, sentences)
