"""Which of several answers a sentence means: by name, number or place."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Sequence

from mybro.vocabulary import words
from mybro.words import norms, number

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_AROUND = words("answers")["AROUND"]
_ALIKE = 0.8
"""How alike a label and what was heard must be, as recognisers write names in their own way."""


def choose(text: str, labels: Sequence[str], *, guess: bool = True) -> int | None:
    """The index of the label that is meant; None where none is, or more than one.

    Unless it may `guess`, a label counts only as it is written.
    """
    # "Two, two": a word said again is the same word.
    said = [word for word, _ in itertools.groupby(norms(text))]
    if not said or not labels:
        return None
    place = _place([word for word in said if word not in _AROUND - {"one"}], len(labels))
    named = [at for at, label in enumerate(labels) if _is_named(said, norms(label), guess=guess)]
    if len(named) == 1:
        return named[0]
    return place if not named else None


def _place(said: list[str], count: int) -> int | None:
    """An index from "second", "the last one" or "two"."""
    if len(said) > 1 and said[-1] == "one":
        said = said[:-1]
    if len(said) != 1:
        return None
    if said[0] == "last":
        return count - 1
    at = _ORDINALS.index(said[0]) + 1 if said[0] in _ORDINALS else number(said)
    return at - 1 if at is not None and 0 < at <= count else None


def _is_named(said: Sequence[str], label: Sequence[str], *, guess: bool) -> bool:
    core = [word for word in said if word not in _AROUND]
    name = [word for word in label if word not in _AROUND] or list(label)
    if not core or not name:
        return list(said) == list(label)
    if set(name) <= set(core) or set(core) <= set(name):
        return True
    return guess and difflib.SequenceMatcher(None, "".join(core), "".join(name)).ratio() >= _ALIKE
