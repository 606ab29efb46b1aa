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
"""The least natural logarithm of how likely the phrase is to be what the speech begins with."""
MAY_BEGIN = -5.5
"""Below this it was not said, and nothing more is asked."""
RIVALS_WEIGH, OVER_RIVALS = 0.75, -0.75
"""In noise every beginning is unlikely: what counts is how much likelier the phrase is than what it is taken
for, so weighed.

Fitted with tiny.en to 69 calls and 173 sentences that are taken for one, by 15 voices: 0.03 of the clean
calls and 0.28 of those in noise of 10 dB are missed, and 0.04 of the others wake it; 0.07, 0.40 and 0.08 by
`BEGINS` alone. Of `benchmarks.wake_bench`, to which it was not fitted: 0 of 30, 10 of 30 (two voices) and 0
of 168.
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
_RIVALS = {
    "mybro": (" Margo", " Michael", ", my brother", ", my boat", " my browser", ", my", ", I", " bro",
              " maybe", ", anybody"),
}  # fmt: skip
"""What it may be instead, behind the greeting."""
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


def rivals(phrase: str) -> tuple[str, ...]:
    """How a sentence may begin that sounds like the phrase and is not; empty where that was not measured."""
    greeting, _, last = phrase.strip().lower().capitalize().rpartition(" ")
    return tuple(f" {greeting}{other}" for other in _RIVALS.get(last, ())) if greeting else ()


def may_be_called(forced: Recognition) -> bool:
    """Whether it is worth asking for its rivals."""
    return forced.start_logprob >= MAY_BEGIN


def is_called(phrase: str, forced: Recognition, rival: Recognition | None = None) -> bool:
    """Whether the phrase was said, by the reading that was made to begin with it, and with a rival of it."""
    if rival is not None:
        return forced.start_logprob - RIVALS_WEIGH * rival.start_logprob >= OVER_RIVALS
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
