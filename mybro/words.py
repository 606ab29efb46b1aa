"""Spoken sentences as words: casing, punctuation, fillers and politeness taken off, numbers read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mybro.vocabulary import ordered
from mybro.vocabulary import words as word_lists

_FILLERS = frozenset({"um", "umm", "uhm", "uh", "uhh", "er", "erm", "err", "ehm", "hmm", "hm", "mm", "mmm"})

_POLITENESS = word_lists("politeness")


def _phrases(name: str) -> tuple[frozenset[tuple[str, ...]], int]:
    found = frozenset(tuple(phrase.split()) for phrase in _POLITENESS[name])
    return found, max(map(len, found))


LEADS, _LONGEST_LEAD = _phrases("LEADS")
TAILS, _LONGEST_TAIL = _phrases("TAILS")
POLITE_TAILS, _LONGEST_POLITE_TAIL = _phrases("POLITE_TAILS")

_OUTER = " \t\r\n.,;:!?\"'`()[]{}<>…“”‘’«»„¿¡–—*_|"
_OPENING = _OUTER.replace(".", "").replace("_", "")
_AROUND = " .,;:?!\"'`“”‘’«»„"
_SPACED_DASH = re.compile(r"\s[-–—]+\s|[–—]+")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a sentence."""

    norm: str
    """For comparing: lower case, without accents, apostrophes and outer punctuation."""
    text: str
    """As it was written, without outer punctuation."""
    raw: str
    """As it was written."""
    glue: str = " "
    """What stands between it and the word before: a space or a hyphen."""


def split(text: str) -> list[Word]:
    """The words of a sentence; parts joined by hyphens are words of their own, sounds like "um" none."""
    found: list[Word] = []
    for raw in _SPACED_DASH.sub(" ", text).split():
        core = raw.rstrip(_OUTER).lstrip(_OPENING)
        if core.startswith("..."):
            core = core.lstrip(".")
        parts = core.split("-") if "-" in core.strip("-") and not core.startswith(("-", "/", "~")) else [core]
        if not all(part.isalnum() for part in parts):
            parts = [core]
        for at, part in enumerate(parts):
            ends = (raw if len(parts) == 1 else part, "-" if at else " ")
            if norm := _norm(part):
                found.append(Word(norm, part, *ends))
    return _without_fillers(found)


def _norm(core: str) -> str:
    folded = unicodedata.normalize("NFKD", core.casefold())
    return "".join(c for c in folded if not unicodedata.combining(c) and c not in "'’‘`´")


def _without_fillers(words: list[Word]) -> list[Word]:
    """Drop hesitations; "uh huh" and "mm hmm" are a yes, not hesitations."""
    kept: list[Word] = []
    for at, word in enumerate(words):
        after = words[at + 1].norm if at + 1 < len(words) else ""
        before = words[at - 1].norm if at else ""
        yes = (word.norm, after) in _UH_HUH or (before, word.norm) in _UH_HUH
        if word.norm not in _FILLERS or yes:
            kept.append(word)
    return kept


_UH_HUH = frozenset({("uh", "huh"), ("mm", "hmm"), ("mm", "hm"), ("hm", "mm")})


def norms(text: str) -> list[str]:
    """The words of a sentence, for comparing."""
    return [word.norm for word in split(text)]


def join(words: Sequence[Word], *, raw: bool = False) -> str:
    """The words as one string again: names as they were said, or, with `raw`, all punctuation kept."""
    out = "".join(
        (word.glue if at else "") + (word.raw if raw else word.text) for at, word in enumerate(words)
    )
    return out.strip(_AROUND) if raw else out


def leads(words: Sequence[str]) -> Iterator[int]:
    """How many words can be taken off the front as politeness: 0 first, then ever more."""
    return _strips(words, LEADS, _LONGEST_LEAD, front=True)


def tails(words: Sequence[str]) -> Iterator[int]:
    """How many words can be taken off the end as politeness: 0 first, then ever more."""
    return _strips(words, TAILS, _LONGEST_TAIL, front=False)


def polite_tails(words: Sequence[str]) -> Iterator[int]:
    """The same, of what no name or message ends with."""
    return _strips(words, POLITE_TAILS, _LONGEST_POLITE_TAIL, front=False)


def _strips(
    words: Sequence[str], phrases: frozenset[tuple[str, ...]], longest: int, *, front: bool
) -> Iterator[int]:
    taken = 0
    while True:
        yield taken
        left = len(words) - taken
        for size in range(min(longest, left - 1), 0, -1):
            part = words[taken : taken + size] if front else words[left - size : left]
            if tuple(part) in phrases:
                taken += size
                break
        else:
            return


_COMPLAINTS = frozenset({"not", "too", "still", "all", "what"})
_LONGEST_LESSON = 8
_TAUGHT = re.compile(
    r"^\W*(?:no\W+)?(?:sorry\W+)?"
    r"(?:that was|that is|thats|that's|this is|this was|it was|you got (?:it|that))"
    r" (?:wrong|incorrect|not right|not correct)\W+(?:but |and )?"
    r"(?:it is|it's|its|it should be|it should have been|i said|i meant|i mean|write|use) (?:called |named )?"
    r"(?P<right>\S.*?)[\s.,!?]*$",
    re.IGNORECASE | re.DOTALL,
)


def taught(text: str) -> str | None:
    """What X is in "that was wrong, it is X"; None for any other sentence."""
    found = _TAUGHT.match(text) if len(text) < 200 else None
    words = found["right"].split() if found is not None else []
    # "That is wrong, it is not what I meant" complains and teaches nothing.
    teaches = 0 < len(words) <= _LONGEST_LESSON and words[0].lower() not in _COMPLAINTS
    return " ".join(words) if teaches else None


def bare(words: Sequence[str]) -> list[str]:
    """The words without politeness at either end; never empty where `words` is not."""
    *_, front = leads(words)
    rest = list(words[front:])
    *_, end = tails(rest)
    return rest[: len(rest) - end]


NUMBERS: dict[str, int] = {
    **{word: at for at, word in enumerate(ordered("names", "NUMBERS"))},
    **{word: 20 + 10 * at for at, word in enumerate(ordered("names", "TENS"))},
    "a": 1, "an": 1,
    "couple": 2, "once": 1, "twice": 2, "thrice": 3, "to": 2, "too": 2, "tree": 3, "free": 3, "for": 4,
    "hundred": 100, "single": 1, "both": 2,
}  # fmt: skip
"""Words that stand for a number where a number is expected; "to" and "for" as a recogniser hears 2 and 4."""


def number(words: Sequence[str]) -> int | None:
    """The number that the words say: "3", "forty two", "a couple of", "a hundred"; None if they say none."""
    total = 0
    seen = False
    for word in words:
        if word == "of":
            continue
        value = int(word) if word.isdecimal() and len(word) < 7 else NUMBERS.get(word)
        if value is None:
            return None
        small_after_ten = total % 10 == 0 and total >= 20 and 0 < value < 10
        after_article = seen and total == 1 and value in (2, 100)
        if seen and not small_after_ten and not after_article:
            return None
        total = value if after_article or not seen else total + value
        seen = True
    return total if seen else None
