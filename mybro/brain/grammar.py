"""The local grammar: what can be understood on this machine, at once, without a model."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

from mybro import risk
from mybro.brain import alike, slots
from mybro.brain.templates import Rule, load
from mybro.intent import CONTROL, Action, Intent, Kind
from mybro.words import LEADS, TAILS, Word, leads, polite_tails, split, tails

_LONGEST_TEXT = 1_000
_LONGEST_SENTENCE = 64
_LONGEST_CONTROL = 14
_PIECES = re.compile(r"[.,;:!?…]+(?:\s+|$)|\s[-–—]+\s|[–—]")

_HESITATIONS = frozenset({"i", "im", "ill", "ive", "ah", "oh", "a", "an", "are"})
_FEWEST_AFTER = 3
_AGREEING = frozenset({"yes", "yeah", "yep", "yup", "sure", "wait", "absolutely", "definitely", "correct"})
_REFUSING = frozenset({"no", "nope", "nah"})
_AFTER_NO = frozenset({Action.STOP, Action.CANCEL, Action.PAUSE, Action.RESUME, Action.UNDO})


class _Index:
    """The rules of some files by the word they can begin with."""

    def __init__(self, *files: str) -> None:
        self.rules: dict[str, list[Rule]] = {}
        for rule in load(*files):
            for word in rule.first:
                self.rules.setdefault(word, []).append(rule)

    def compile(self) -> None:
        for rules in self.rules.values():
            for rule in rules:
                _ = rule.pattern


@functools.cache
def _control() -> _Index:
    return _Index("control")


@functools.cache
def _local() -> _Index:
    return _Index("git", "work", "packages")


def warm_up() -> None:
    """Read and compile all templates now (a quarter of a second) instead of as they are needed."""
    _control().compile()
    _local().compile()


def parse(text: str) -> Intent | None:
    """The control or local intent that the whole sentence is, or None: pure, deterministic, no model.

    A sentence that goes on after a command ("run the tests and fix what fails") is no command.
    """
    words = _words(text)
    if not words:
        return None
    found = (
        _several(words, text)
        or _find(words, _control(), _local())
        or _after_word(words)
        or _after_hesitation(words)
        or _by_sound(words)
    )
    return risk.judge(found.model_copy(update={"text": text})) if found is not None else None


def control_action(text: str) -> Action | None:
    """The control action that the whole text is, if any; for partial transcripts too."""
    words = _words(text)
    if not words:
        return None
    found = _several(words, text) or _find(words, _control()) or _after_word(words, _control())
    return found.action if found is not None and found.kind == "control" else None


def _words(text: str) -> list[Word]:
    words = split(text) if len(text) <= _LONGEST_TEXT else []
    return words if len(words) <= _LONGEST_SENTENCE else []


def _find(words: Sequence[Word], *indexes: _Index) -> Intent | None:
    """Match the sentence, taking off ever more politeness, then the same said once where it is said twice."""
    once = [word for at, word in enumerate(words) if at == 0 or word.norm != words[at - 1].norm]
    norms = [word.norm for word in once]
    half = len(once) // 2
    if half and norms[:half] == norms[half:]:
        once = once[:half]
    for said in [words] if len(once) == len(words) else [words, once]:
        for lead in leads([word.norm for word in said]):
            if (found := _match(said[lead:], indexes)) is not None:
                return found
    return None


def _match(words: Sequence[Word], indexes: Iterable[_Index]) -> Intent | None:
    rules = [rule for index in indexes for rule in index.rules.get(words[0].norm, ())]
    if not rules:
        return None
    norms = [word.norm for word in words]
    for tail in tails(norms):
        line = " ".join(norms[: len(norms) - tail]) + " "
        for rule in rules:
            if rule.literal and rule.pattern.fullmatch(line):
                return _made(rule.action, {"said": words})
    for tail in reversed(list(polite_tails(norms))):
        line = " ".join(norms[: len(norms) - tail]) + " "
        for rule in rules:
            match = None if rule.literal else rule.pattern.fullmatch(line)
            if match is not None and (found := _made(rule.action, _caught(match, line, words))):
                return found
    return None


def _caught(match: re.Match[str], line: str, words: Sequence[Word]) -> dict[str, Sequence[Word]]:
    """What the slots hold, by name; and the whole sentence, as "said"."""
    spans = {name: match.span(name) for name, value in match.groupdict().items() if value is not None}
    caught = {
        name: words[line.count(" ", 0, start) : line.count(" ", 0, end)]
        for name, (start, end) in spans.items()
    }
    return {**caught, "said": words}


def _made(action: Action, caught: slots.Slots) -> Intent | None:
    filled = slots.fill(action, caught)
    if filled is None:
        return None
    kind: Kind = "control" if action in CONTROL else "local"
    return Intent(kind=kind, action=action, arguments=filled.arguments, target=filled.target, text="")


def _after_word(words: Sequence[Word], *indexes: _Index) -> Intent | None:
    """A command after an answer: "yes, undo that", "no, stop"."""
    norms = [word.norm for word in words]
    *_, lead = leads(norms)
    start = next((at for at in (lead, 0) if norms[at] in _AGREEING | _REFUSING), None)
    while start is not None and start + 1 < len(norms) and norms[start + 1] in _REFUSING:
        start += 1
    if start is None or len(words) - start < 2:
        return None
    rest = words[start + 1 :]
    if norms[start] in _REFUSING:
        found = _find(rest, _control())
        return found if found is not None and found.action in _AFTER_NO else None
    found = _find(rest, *(indexes or (_control(), _local())))
    return found if found is not None and found.action is not Action.NO else None


def _after_hesitation(words: Sequence[Word]) -> Intent | None:
    """Local work after an "uh" or "um", which recognisers write as "I" or "I'm"."""
    if words[0].norm in _HESITATIONS and len(words) > _FEWEST_AFTER:
        return _find(words[1:], _local())
    return None


def _by_sound(words: Sequence[Word]) -> Intent | None:
    """What a sentence of one or two words sounds like, where it is nothing else."""
    meant = alike.command([word.norm for word in words])
    return _find(split(meant), _control()) if meant is not None else None


def _several(words: Sequence[Word], text: str) -> Intent | None:
    """One intent for control words said several times, or one after the other: "stop! stop it!"."""
    if not 1 < len(words) <= _LONGEST_CONTROL:
        return None
    pieces = [piece for part in _PIECES.split(text) if (piece := split(part))]
    if len(pieces) > 1:
        known = [_find(piece, _control()) for piece in pieces if not _is_filler(piece)]
        intents = [intent for intent in known if intent is not None]
        if known and len(intents) == len(known):
            return _strongest(intents)
    return _repeated(words)


def _is_filler(piece: Sequence[Word]) -> bool:
    said = tuple(word.norm for word in piece)
    return said in LEADS or said in TAILS


def _strongest(intents: Sequence[Intent]) -> Intent:
    """Stop outranks everything; between yes and no it is no; otherwise the last counts."""
    for action in (Action.STOP, Action.NO):
        first = next((intent for intent in intents if intent.action is action), None)
        if first is not None and (action is Action.STOP or intents[-1].action in (Action.YES, Action.NO)):
            return first
    return intents[-1]


def _repeated(words: Sequence[Word]) -> Intent | None:
    """The same control intent over and over, without punctuation: "stop it stop please stop"."""
    found: Intent | None = None
    rest = list(words)
    while rest:
        for size in range(min(4, len(rest)), 0, -1):
            part = rest[:size]
            intent = _match(part, (_control(),))
            same = intent is not None and (found is None or intent.action is found.action)
            if same or (found is not None and _is_filler(part)):
                found = found or intent
                rest = rest[size:]
                break
        else:
            return None
    return found
