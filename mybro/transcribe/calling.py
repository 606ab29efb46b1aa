"""Whether speech begins with the wake phrase: asked of the recogniser, by how likely that beginning is.

A recogniser that is told of a phrase finds it in everything that sounds a little like it. Told of what sounds
like it as well, in one breath, it tells them apart: the sound decides.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence

from mybro.index.sound import distance, sound, weight
from mybro.transcribe.context import COMMON
from mybro.transcribe.recogniser import Recognition

BEGINS = -2.85
"""The least natural logarithm of how likely the phrase is to be what the speech begins with.

Measured with tiny.en and six voices: 29 of 30 calls are above -2.8, and of 168 other sentences two are above
-3.0.
"""
BEGINS_WORDS = -2.2
"""The same for a phrase that is written as it sounds: "computer" is above -1, "hey friday" above -1.8."""
_OTHERS = 6
_NEAR = 0.45
"""The share of a word's sounds in which another may differ that is taken for it."""
_KNOWN = {
    "mybro": ("Margo", "Michael", "my boat", "my brother", "my browser", "my broker", "my bro said", "bro",
              "maybe", "anybody"),
}  # fmt: skip
"""What a name is taken for, where it was measured."""
_SPLIT = {"mybro": "my bro"}
"""A name as a recogniser writes it that does not know it."""


def expectation(phrase: str) -> str:
    """For a recogniser's prompt: told of rather than said twice, or it takes the phrase for said before."""
    name = phrase.strip()
    return f"{name.capitalize()}, open the file. Somebody says {name} and then what to do."


@functools.lru_cache(maxsize=8)
def contrast(phrase: str) -> str:
    """The phrase, and what it may be taken for, for a prompt under which to ask for it."""
    name = phrase.strip()
    *before, last = name.split()
    others = list(_sound_alikes(last.lower()))
    if before:
        # The greeting before a few of them: before each, it leads into a loop.
        greeting = " ".join(before)
        others = [*(f"{greeting} {other}" for other in others[:2]), greeting, *others[2:]]
    listed = ", ".join(others)
    return f"{name.capitalize()}, open the file. Somebody says {name}, or {listed}."


def beginnings(phrase: str) -> tuple[str, ...]:
    """The ways in which a recogniser writes it at the start of a sentence."""
    first, _, rest = phrase.strip().lower().capitalize().partition(" ")
    written = [f" {first} {rest}", f" {first}, {rest}"] if rest else [f" {first}"]
    written += [f" {first}, {_SPLIT[rest]}", f" {first} {_SPLIT[rest]}"] if rest in _SPLIT else []
    return tuple(f"{way}{mark}" for mark in (",", ".") for way in written)


def is_called(phrase: str, forced: Recognition) -> bool:
    """Whether the phrase was said, by the reading that was made to begin with it."""
    coined = phrase.lower().split()[-1] in _SPLIT
    return forced.start_logprob >= (BEGINS if coined else BEGINS_WORDS)


def without(phrase: str, text: str) -> str:
    """What follows the phrase, which a recogniser may have written once more, as a sentence."""
    # Wherever a word ends: "my bro" is "mybro".
    letters = r"[\s,.!?]*".join(map(re.escape, "".join(phrase.lower().split())))
    rest = re.sub(rf"^(?:[\s,.!?;:-]*{letters}\b)*[\s,.!?;:-]*", "", text, flags=re.IGNORECASE)
    return rest[:1].upper() + rest[1:]


def _sound_alikes(word: str) -> Sequence[str]:
    if word in _KNOWN:
        return _KNOWN[word]
    said = sound(word)
    limit = _NEAR * weight(said)
    found = []
    for other in COMMON:
        # A word that the name begins with, or that begins with the name, is the likeliest to be meant.
        if other != word and len(other) > 2:
            apart = distance(said, sound(other), limit)
            if apart <= limit and math.isfinite(apart):
                found.append((apart, other))
    return [other for _, other in sorted(found)[:_OTHERS]]
