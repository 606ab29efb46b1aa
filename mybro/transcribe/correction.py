"""Names of the repository put where they were heard as English: by sound, and by what stands around them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mybro.index.lexicon import LONGEST, Lexicon, Name, Said, sounds_of
from mybro.index.sound import likeness, skeleton, sound
from mybro.transcribe.context import (
    COMMON,
    Context,
    context_of,
    ending_off,
    is_determined,
    is_filling,
    is_known,
    is_request,
)
from mybro.transcribe.heard import Piece, pieces, said

LONGEST_TEXT = 400
"""Characters: a longer text is a dictation or a report, not a command."""
_CLEAR = 1.3
"""How much likelier than the next one a name must be, of those that are said alike."""
_APART = 0.03
"""How much better than the next one a sound must fit."""

_NEEDED = {3: (0.76, 0.81), 2: (0.82, 0.92), 1: (0.86, 2.0)}
"""How alike a name of several words must sound, by the strength of the context: where a word was heard that
is neither English nor in any name, and where all of them are known."""
_INFLECTED_LEAST = 0.78
_FILLING_LEAST = 0.9
_LONG = 7
_STEM_LEAST = 0.7
_CALLED = frozenset({"function", "method", "class"})
_WORD_LEAST = 0.5
_SAME_SOUND = 0.9
_NEVER = 2.0
_NEEDED_ALONE = {3: 0.8, 2: 0.88}
"""The same for a name of one word, which must not be an English one as it was heard."""


@dataclass(frozen=True, slots=True)
class Change:
    """One stretch of the text that is a name."""

    start: int
    end: int
    heard: str
    written: str
    likeness: float


@dataclass(frozen=True, slots=True)
class Corrected:
    """A text with names in it, and what was done to it."""

    text: str
    changes: tuple[Change, ...] = ()
    alternatives: tuple[str, ...] = ()
    """Names that were as likely as each other, so that the words stayed as they were."""


@dataclass(frozen=True, slots=True)
class _Proposal:
    start: int
    end: int
    """Indexes of pieces."""
    name: Name | None
    """None where several are as likely."""
    others: tuple[str, ...]
    likeness: float
    score: float


def correct(text: str, lexicon: Lexicon, *, settled: Callable[[str], bool] = lambda _: False) -> Corrected:
    """The text with the repository's names in it.

    `settled` tells of sentences that are understood as they are, such as "stop" or "run the tests": these
    stay, and no correction may make one.
    """
    if not len(lexicon) or len(text) > LONGEST_TEXT or settled(text):
        return Corrected(text)
    heard = pieces(text)
    chosen: list[_Proposal] = []
    for proposal in sorted(_proposals(heard, lexicon), key=lambda one: -one.score):
        if _is_word(proposal, text, heard):
            continue  # a word that is written right must not keep a longer name from being found
        if all(proposal.end <= other.start or proposal.start >= other.end for other in chosen):
            chosen.append(proposal)
    changes = []
    for proposal in sorted(chosen, key=lambda one: one.start):
        start, end = heard[proposal.start].start, heard[proposal.end - 1].end
        if proposal.name is not None and text[start:end] != proposal.name.written:
            changes.append(Change(start, end, text[start:end], proposal.name.written, proposal.likeness))
    changed = apply(text, changes)
    if changes and settled(changed):
        return Corrected(text)
    others = tuple(other for proposal in chosen if proposal.name is None for other in proposal.others)
    return Corrected(changed, tuple(changes), others)


def _is_word(proposal: _Proposal, text: str, heard: Sequence[Piece]) -> bool:
    """Whether a proposal is one word that is written as it should be already."""
    if proposal.end - proposal.start > 1 or proposal.name is None:
        return False
    piece = heard[proposal.start]
    return text[piece.start : piece.end] == proposal.name.written


def apply(text: str, changes: Sequence[Change]) -> str:
    """The text with its changes made; they are in order and do not overlap."""
    out, at = "", 0
    for change in changes:
        out += text[at : change.start] + change.written
        at = change.end
    return out + text[at:]


def _proposals(heard: Sequence[Piece], lexicon: Lexicon) -> Iterator[_Proposal]:
    request = is_request(heard)
    for start in range(len(heard)):
        if heard[start].glued and heard[start].low != "dot":
            continue
        for end in range(start + 1, min(len(heard), start + LONGEST) + 1):
            whole = end == len(heard) or not heard[end].glued
            if whole and (found := _proposal(heard, start, end, lexicon, request=request)):
                yield found
            if heard[end - 1].closes:
                break


def _proposal(
    heard: Sequence[Piece], start: int, end: int, lexicon: Lexicon, *, request: bool
) -> _Proposal | None:
    span = heard[start:end]
    words = said(span)
    if not words or words[-1] in ("dot", "slash") or words[0] == "slash":
        return None
    around = context_of(heard, start, end, request=request)
    path = "dot" in words or "slash" in words
    exact = lexicon.exact(words)
    if exact is not None:
        path = path and _is_place(exact)  # dot_product is none
        likely = _allowed_exact(span, words, exact, around, path=path)
        return _of([(1.0, exact)], start, end, around, path=path) if likely else None
    least = _least(words, lexicon, around, path=path)
    if least is None or len(skeleton("".join(sounds_of(words)[0]))) < 3:
        return None
    found = _alike(words, lexicon, least, around, path=path)
    return _of(found, start, end, around, path=path) if found else None


def _alike(
    words: list[str], lexicon: Lexicon, least: float, around: Context, *, path: bool
) -> list[tuple[float, Said]]:
    """What sounds like the words and fits there, the likeliest first."""
    stems = _stems(words)
    best: dict[int, tuple[float, Said]] = {}
    for heard in sounds_of(words):
        for fit, one in lexicon.alike(heard, min(least, _INFLECTED_LEAST)):
            if not _fits(one, around, path=path) or not _word_by_word(words, one.words, around):
                continue
            if path and _stem_likeness(words, one.words) < _STEM_LEAST:
                continue
            needed = least
            if len(words) > 1 and _stems(one.words) == stems:
                # "parses dates" may be English; where a name stands, an ending was lost.
                needed = _INFLECTED_LEAST if path or around.strength >= 2 else _NEVER
            elif (len(one.words) == 1) != (len(words) == 1):
                needed += 0.04
            if fit >= needed and best.get(id(one), (0.0,))[0] < fit:
                best[id(one)] = (fit, one)
    return sorted(best.values(), key=lambda pair: -_worth(*pair))


def _stem_likeness(heard: Sequence[str], name: Sequence[str]) -> float:
    """How alike two paths are without their endings, which are the same for many."""
    return likeness(sounds_of(heard[:-2])[0], sounds_of(name[:-2])[0])


def _word_by_word(heard: Sequence[str], name: Sequence[str], around: Context) -> bool:
    """Whether no word is quite another one, where there are as many: "get content" is not byte_content.

    Two common words are hardly taken for each other unless they sound the same: "use async" is not is_async.
    """
    if len(heard) != len(name):
        return True
    for one, other in zip(heard, name, strict=True):
        common = around.strength < 3 and one in COMMON and other in COMMON
        same = one == other or ending_off(one) == ending_off(other)
        if not same and likeness(sound(one), sound(other)) < (_SAME_SOUND if common else _WORD_LEAST):
            return False
    return True


def _stems(words: Sequence[str]) -> list[str]:
    return [ending_off(word) for word in words]


def _worth(fit: float, one: Said) -> float:
    return fit + 0.012 * math.log1p(max(name.weight for name in one.names.values()))


def _is_place(one: Said) -> bool:
    return any(name.kinds & {"path", "branch"} for name in one.names.values())


def _fits(one: Said, around: Context, *, path: bool) -> bool:
    """Whether the names are of the kind that stands there: a path where a dot was said, and only there."""
    if path or around.new:
        return path and _is_place(one)
    kinds = set[str]().union(*(name.kinds for name in one.names.values()))
    return around.place != "path" and kinds != {"path"} and (around.place != "branch" or "branch" in kinds)


def _of(
    found: list[tuple[float, Said]], start: int, end: int, around: Context, *, path: bool
) -> _Proposal | None:
    """The name that is meant; several where none is much likelier than the next."""
    fit, best = found[0]
    wanted = {"path"} if path else around.kinds
    names = sorted(best.names.values(), key=lambda name: -_fit(name))
    names = [name for name in names if wanted & name.kinds] or names
    # What was heard as it is written outranks whatever sounds alike.
    score = fit + 0.05 * (end - start) + 0.04 * around.strength + 0.5 * (fit == 1.0 and len(best.words) > 1)
    rivals = [one for other, one in found[1:3] if _worth(fit, best) - _worth(other, one) < _APART]
    if fit < 1.0 and rivals:
        others = tuple(name for one in (best, *rivals) for name in one.names)
        return _Proposal(start, end, None, others, fit, score - 0.1)
    if len(names) > 1 and _fit(names[0]) < _CLEAR * _fit(names[1]):
        return _Proposal(start, end, None, tuple(name.written for name in names), fit, score)
    return _Proposal(start, end, names[0], (), fit, score)


def likeliest(one: Said) -> Name:
    """The likeliest of the names that are said alike."""
    return max(one.names.values(), key=_fit)


def _fit(name: Name) -> float:
    """How likely a name is among those that are said alike."""
    fit = name.weight
    if name.kinds <= {"path", "branch", "dependency"}:
        fit *= 0.5
    if name.written.startswith("_"):
        fit *= 0.1 if name.written.startswith("__") else 0.3
    return fit


def _allowed_exact(
    span: Sequence[Piece], words: list[str], exact: Said, around: Context, *, path: bool
) -> bool:
    """Whether words that are just those of a name are meant as the name."""
    if path:
        return True
    if not _fits(exact, around, path=path) and not around.new:
        return False
    phrase = all(name.kinds == {"phrase"} for name in exact.names.values())
    if phrase:
        return around.request and len(words) > len(exact.words)
    if any(piece.low == "underscore" for piece in span) or any(piece.glued for piece in span):
        return True
    rare = any(word not in COMMON for word in words)
    if is_filling(words):
        return around.strength >= 2 and len(words) > 2
    if len(exact.words) == 1:
        if len(words) > 1:  # "command line" is COMMANDLINE
            return around.strength >= 2 and len("".join(words)) >= _LONG
        if any(not name.startswith("_") for name in exact.names):
            return bool(around.kinds) and around.strength == 3 and not around.new
        # "a docstring to prepare", where there is a function _prepare and nothing else of that name
        return around.strength == 3 and all(name.kinds <= _CALLED for name in exact.names.values())
    match around.strength:
        case 3 | 2:
            return True
        case 1:
            return rare or len(words) > 2
        case _:
            return rare and len(words) > 2


def _least(words: list[str], lexicon: Lexicon, around: Context, *, path: bool) -> float | None:
    """How alike a name must sound to be meant; None where only the very words will do."""
    if around.new or (path and around.creating):
        return None
    if path:
        return 0.8 if words.count("dot") == 1 and words[-2] == "dot" else None
    if around.strength == 0:
        return None
    if is_filling(words):
        likely = around.strength > 1 and len(words) > 2 and not is_determined(words)
        return _FILLING_LEAST if likely else None
    rare = any(not is_known(word) and word not in lexicon.words for word in words)
    if len(words) == 1:
        return _NEEDED_ALONE.get(around.strength) if rare else None
    return _NEEDED[around.strength][0 if rare else 1]
