"""Names that may have been said where none was found: worth listening once more with them in mind."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mybro.index.lexicon import Lexicon, sounds_of
from mybro.transcribe.context import context_of, is_known, is_request
from mybro.transcribe.correction import likeliest
from mybro.transcribe.heard import pieces, said

MOST = 6
LEAST = 0.55
"""How alike a name must sound to be worth a thought."""
LONGEST_SPAN = 4
_KEPT = 0.6
"""How much of the rest of a sentence must have been heard before."""
SURE_LOGPROB = -0.25
"""Above this mean log probability a recogniser is right, as long as it wrote words that there are."""


def guesses(text: str, lexicon: Lexicon, average_logprob: float) -> list[str]:
    """Names that sound a little like what stands where names do, the likeliest first.

    None where nothing asks for a name, or where every word was heard well.
    """
    heard = pieces(text)
    if not is_request(heard):
        return []
    found: dict[str, float] = {}
    for start in range(len(heard)):
        for end in range(start + 1, min(len(heard), start + LONGEST_SPAN) + 1):
            words = said(heard[start:end])
            around = context_of(heard, start, end, request=True)
            doubtful = average_logprob < SURE_LOGPROB or _has_unknown(words, lexicon)
            if words and around.strength > 1 and not around.new and doubtful and len("".join(words)) > 3:
                for likeness, one in lexicon.alike(sounds_of(words)[0], LEAST):
                    name = likeliest(one).written
                    found[name] = max(found.get(name, 0.0), likeness + 0.01 * len(words))
            if heard[end - 1].closes:
                break
    return sorted(found, key=lambda name: -found[name])[:MOST]


def _has_unknown(words: Sequence[str], lexicon: Lexicon) -> bool:
    return any(not is_known(word) and word not in lexicon.words for word in words)


def is_better(first: str, second: str, wanted: Sequence[str]) -> bool:
    """Whether a second hearing found one of the names, and is the same sentence otherwise."""
    names = [name for name in wanted if _holds(second, name) and not _holds(first, name)]
    if not names:
        return False
    before, after = ([piece.low for piece in pieces(text)] for text in (first, second))
    kept = sum(min(before.count(word), after.count(word)) for word in set(after))
    return kept >= _KEPT * (len(after) - sum(len(pieces(name)) for name in names))


def _holds(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w./]){re.escape(name)}(?![\w/])", text) is not None
