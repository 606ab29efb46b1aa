"""What the words around a stretch of a sentence say of it: whether a name is likely to stand there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mybro.transcribe.heard import Piece
from mybro.vocabulary import words
from mybro.words import leads

COMMON = words("common")["COMMON"]
"""English words that mean themselves more often than not."""
_CODE = words("code")
_REQUESTS = words("requests")
_ARTICLES = words("names")["ARTICLES"] - {"that", "of"}
_STARTS = _REQUESTS["VERBS"] | _REQUESTS["ASKING"] | _REQUESTS["READING"]
_ENDING = re.compile(r"(?:e?s|e?d|e|ing)$")
_KNOWN_STEMS = frozenset(_ENDING.sub("", word) for word in COMMON | _STARTS)
_PLACES = {
    **dict.fromkeys(_CODE["PLACE_KINDS"], "path"), **dict.fromkeys(_CODE["BRANCH_KINDS"], "branch"),
    **dict.fromkeys(_CODE["PACKAGE_KINDS"], "dependency"),
}  # fmt: skip
_KINDS_OF = {
    **dict.fromkeys(_CODE["KINDS"], frozenset({"variable", "function", "method", "class", "constant"})),
    **dict.fromkeys(_CODE["CLASS_KINDS"], frozenset({"class"})),
    **dict.fromkeys(_CODE["FUNCTION_KINDS"], frozenset({"function", "method"})),
    **dict.fromkeys(_CODE["CONSTANT_KINDS"], frozenset({"constant"})),
    **dict.fromkeys(("variable", "variables", "parameter", "argument", "field", "attribute", "property"),
                    frozenset({"variable", "method", "constant"})),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Context:
    """What stands around a stretch of words."""

    strength: int
    """How likely a name is: 0 not, 1 it may be one, 2 likely, 3 it is one."""
    kinds: frozenset[str]
    """The kinds that the words around ask for; empty for any."""
    place: str = ""
    """path, branch or dependency where such a thing is asked for."""
    new: bool = False
    """Whether a new name is being given, which need not be one that is known."""
    request: bool = False
    """Whether the sentence asks for something."""
    creating: bool = False
    """Whether it asks for something that is not there yet."""


def is_request(heard: Sequence[Piece]) -> bool:
    """Whether a sentence begins like something that is asked of a programmer."""
    lows = [piece.low for piece in heard]
    if not lows:
        return False
    return any(lows[at] in _STARTS for at in leads(lows)) or any(low in _CODE["TELLING"] for low in lows)


def is_known(word: str) -> bool:
    """Whether a word is English, or a verb of programmers, in whatever form: it was hardly misheard."""
    return word in COMMON or ending_off(word) in _KNOWN_STEMS


def ending_off(word: str) -> str:
    """A word without an ending that recognisers lose."""
    return _ENDING.sub("", word)


def is_determined(said: Sequence[str]) -> bool:
    """Whether a stretch begins with an article or ends with one, which belongs to no name."""
    return said[0] in _ARTICLES or said[-1] in _ARTICLES


def is_filling(said: Sequence[str]) -> bool:
    """Whether a stretch begins or ends with a small word, which names hardly do."""
    return said[0] in _CODE["FILLING"] or said[-1] in _CODE["FILLING"]


def context_of(heard: Sequence[Piece], start: int, end: int, *, request: bool) -> Context:
    """The context of heard[start:end]."""
    before = [piece.low for piece in heard[max(0, start - 3) : start] if not piece.closes]
    if start and heard[start - 1].closes:
        before = []
    after = heard[end].low if end < len(heard) and not heard[end - 1].closes else ""
    article = bool(before) and before[-1] in _ARTICLES
    head = before[:-1] if article else before
    last = head[-1] if head else ""
    renamed = any(piece.low in ("rename", "renamed") for piece in heard[:start])
    new = last in _CODE["NEW"] or (renamed and last in ("to", "as", "into"))
    near = before[-1] if before else ""
    # "Add type hints": what begins a sentence is its verb.
    kind = near if near in _KINDS_OF or near in _PLACES or not start else after
    kinds = _KINDS_OF.get(kind, frozenset())
    place = _PLACES.get(kind, "")
    strength = _strength(head, article=article, named=bool(kinds or place), request=request)
    creating = any(piece.low in _CODE["CREATING"] for piece in heard[:start])
    return Context(strength, kinds, place, new, request, creating)


def _strength(head: Sequence[str], *, article: bool, named: bool, request: bool) -> int:
    last = head[-1] if head else ""
    if named:
        return 3 if request else 2
    if not request:
        return 0
    if last in _CODE["NAMING"] and not article:
        return 3
    if last in ("of", "to", "for") and len(head) > 1 and head[-2] in _CODE["USAGES"]:
        return 2 if article else 3
    if article:
        return 1
    if last == "that" and len(head) > 1 and head[-2] in _CODE["ENSURING"]:
        return 2
    if last in _CODE["OPENING"] or last in _REQUESTS["VERBS"] or last in _CODE["BEFORE"]:
        return 2
    return 0
