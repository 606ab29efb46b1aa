"""A command that was misheard: "undo the last chain", "what can I see", "fix the save once".

The grammar knows whole sentences; a sentence that is none, and becomes one by a single word that sounds much
like what was heard, was most likely that one. Where the recogniser was unsure, so was one that as a whole
sounds like a usual command. Whatever only answers or destroys is left as it was heard.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mybro.index.lexicon import sounds_of
from mybro.index.sound import distance, likenesses, sound, weight
from mybro.transcribe.context import ending_off
from mybro.vocabulary import lines

FEWEST, MOST = 3, 9
"""Words of a sentence: a shorter one is too easily another, a longer one is dictated."""
ALIKE = 0.4
"""How far apart words may sound where the recogniser was sure: a vowel, or a consonant of the same kind."""
UNSURE_APART = 1.0
"""The same where it was not: a consonant more or less."""
UNSURE_SHARE = 0.4
"""And at most this share of the word."""
SURE_LOGPROB = -0.25
ENDING = 0.2
"""What an ending counts that recognisers lose: "show me what change"."""
WEAK = {"the": 0.3, "a": 0.35, "to": 0.35}
"""Words that nobody stresses sound alike, whatever is written: "show me to git diff". How far, as `ALIKE`."""
WHOLE_LEAST = 0.8
"""How alike a sentence as a whole must sound."""
ALIKE_LEAST = 0.7
"""The same where the recogniser is asked whether it was said."""
WHOLE_APART = 0.05
"""How much more than any other that asks for something else."""
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

Meant = Callable[[str], str]
"""The name of what a sentence asks for, if it asks for something harmless as it stands; else empty."""


@dataclass(frozen=True, slots=True)
class _Spoken:
    word: str
    sound: str


def mended(text: str, meant: Meant, average_logprob: float) -> str | None:
    """The command that a sentence was meant to be; None where it may be anything else."""
    found = list(_WORD.finditer(text))
    if not FEWEST <= len(found) <= MOST:
        return None
    limit = ALIKE if average_logprob > SURE_LOGPROB else UNSURE_APART
    best: dict[str, tuple[float, str]] = {}
    for match in found:
        for apart, word in _near(match[0].lower(), limit):
            other = f"{text[: match.start()]}{_cased(word, match[0])}{text[match.end() :]}"
            action = meant(other)
            if action and (action not in best or best[action][0] > apart):
                best[action] = apart, other
    ranked = sorted(best.values())
    if not ranked and limit > ALIKE:
        return _as_a_whole(text, meant)
    # Of two commands that are as near as each other, neither was surely meant.
    if not ranked or (len(ranked) > 1 and ranked[1][0] - ranked[0][0] < ENDING):
        return None
    return ranked[0][1]


def _as_a_whole(text: str, meant: Meant) -> str | None:
    """The usual command that all of a sentence sounds like, be it a word more or less."""
    lines, sounds = _sentences()
    heard = "".join(sounds_of([match[0].lower() for match in _WORD.finditer(text)])[0])
    alike = likenesses(heard, sounds, WHOLE_LEAST - WHOLE_APART)
    ranked = sorted(((fit, line) for fit, line in zip(alike, lines, strict=True) if fit), reverse=True)
    if not ranked or ranked[0][0] < WHOLE_LEAST:
        return None
    best, found = ranked[0]
    action = meant(found)
    rivals = (line for fit, line in ranked[1:] if best - fit < WHOLE_APART)
    return f"{found.capitalize()}." if action and all(meant(line) == action for line in rivals) else None


def sounding_like(texts: Sequence[str]) -> list[str]:
    """What people often say that as a whole sounds like one of some texts, the likest first."""
    said, sounds = _sentences()
    best: dict[str, float] = {}
    for heard in filter(None, ("".join(sounds_of(text.split())[0]) for text in texts)):
        for line, alike in zip(said, likenesses(heard, sounds, ALIKE_LEAST), strict=True):
            if alike > best.get(line, 0.0):
                best[line] = alike
    return sorted(best, key=lambda line: (-best[line], line))


@functools.lru_cache(maxsize=4_096)
def _near(word: str, limit: float) -> tuple[tuple[float, str], ...]:
    """The words of commands that sound like a word, and how far apart."""
    heard = sound(word)
    found = [(apart, other) for other, apart in WEAK.items() if other != word] if word in WEAK else []
    for other in _vocabulary():
        if other.word == word:
            continue
        if ending_off(other.word) == ending_off(word):
            found.append((ENDING, other.word))
            continue
        share = min(limit, max(ALIKE, UNSURE_SHARE * weight(other.sound)))
        apart = distance(heard, other.sound, share)
        if apart <= share:
            found.append((apart, other.word))
    return tuple(sorted(found))


@functools.cache
def _vocabulary() -> Sequence[_Spoken]:
    return [_Spoken(word, sound(word)) for word in sorted(set(_words())) if len(word) > 2]


@functools.cache
def _sentences() -> tuple[Sequence[str], Sequence[str]]:
    """What people say, and how it sounds."""
    said = lines("commands")["SAID"]
    return said, ["".join(sounds_of(line.split())[0]) for line in said]


def _words() -> Iterator[str]:
    for line in lines("commands")["SAID"]:
        yield from (match[0].lower() for match in _WORD.finditer(line))


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[0].isupper() else word
