"""How much a reading sounds like something that is said to a programmer's assistant.

A bigram model with absolute discounting over `vocabulary/commands.txt`. Where a recogniser is not sure, it
chooses between readings that are about as likely by their sound: "run the linter", not "run the winter".
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable

from mybro.vocabulary import lines, ordered, words

DISCOUNT = 0.7
_UNSEEN = 0.1
"""The share of words that stand in no command: half a million of them, the common ones likelier."""
_OTHER_WORDS = 200_000
_START, _END = "<s>", "</s>"
_NUMBER = "#"
_NUMBERS = frozenset(
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
     "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
     "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand")
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+|\d+")


def spoken(text: str) -> list[str]:
    """A text's words as they are compared: lower-case, a written dot said, every number alike."""
    low = re.sub(r"(?<=\w)\.(?=[a-z])", " dot ", re.sub("['’]", "", text.lower()))
    found: list[str] = []
    for word in _WORD.findall(low):
        same = _NUMBER if word.isdigit() or word in _NUMBERS else word
        if same != _NUMBER or found[-1:] != [_NUMBER]:
            found.append(same)
    return found


class Expectation:
    """What is to be expected, as far as the words tell."""

    def __init__(self, sentences: Iterable[str], names: Iterable[str], common: Iterable[str]) -> None:
        """`sentences` teach which word follows which; `names` may stand anywhere; `common` is English."""
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._before: Counter[str] = Counter()
        self._alone: Counter[str] = Counter()
        self._said: set[tuple[str, ...]] = set()
        for sentence in sentences:
            row = [_START, *spoken(sentence), _END]
            self._said.add(tuple(row[1:-1]))
            self._pairs.update(itertools.pairwise(row))
            self._before.update(row[:-1])
            self._alone.update(row[1:])
        for name in names:
            self._alone.update(spoken(name))
        self._followers = Counter(first for first, _ in self._pairs)
        self._total = self._alone.total()
        self._common = frozenset(common)

    def fit(self, text: str, prompt: str = "") -> float:
        """Mean logarithm of the words' probabilities: about -2 for a command, below -6 for other speech.

        The words of `prompt` count as names.
        """
        row = [_START, *spoken(text), _END]
        named = frozenset(spoken(prompt))
        total = 0.0
        for first, second in itertools.pairwise(row):
            chance = self._chance(second, named)
            seen = self._before[first]
            if seen:
                rest = DISCOUNT * self._followers[first] / seen
                chance = max(self._pairs[first, second] - DISCOUNT, 0.0) / seen + rest * chance
            total += math.log(chance)
        return total / (len(row) - 1)

    def is_said(self, text: str) -> bool:
        """Whether it is, as a whole, something that is said: "redo", "go back"."""
        return tuple(spoken(text)) in self._said

    def _chance(self, word: str, named: frozenset[str]) -> float:
        """A word's probability, whatever stands before it."""
        count = max(self._alone[word], word in named)
        rare = 1 / len(self._common) if word in self._common else 1 / _OTHER_WORDS
        return (1 - _UNSEEN) * count / self._total + _UNSEEN * rare


@functools.cache
def commands() -> Expectation:
    """What is expected of English."""
    names = ordered("software", "PHRASES")
    return Expectation(lines("commands")["SAID"], names, words("common")["COMMON"])
