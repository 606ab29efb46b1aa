"""How long a quiet ends a turn: what has been said so far decides. Pure; all times in milliseconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mybro.brain.address import address
from mybro.brain.classify import classify
from mybro.brain.grammar import parse
from mybro.config import TurnSettings
from mybro.intent import Action, Intent
from mybro.pipeline.pauses import Pauses
from mybro.vocabulary import lines
from mybro.vocabulary import words as word_lists
from mybro.words import norms

Meaning = Literal["nothing", "stop", "complete", "whole", "open", "dangling", "destructive"]
"""What a text is so far.

nothing: no words; stop: a word that stops something; complete: a command of the local grammar that can be
taken back; whole: a sentence that can be taken back and seems to be over; open: one that may go on;
dangling: one that must go on; destructive: one that cannot be taken back.
"""

_STOPPING = frozenset({Action.STOP, Action.CANCEL})
_LASTING = frozenset({Action.YES, Action.QUIT})
"""What cannot be taken back once it is obeyed."""
_FREE_ENDS = frozenset({Action.COMMIT, Action.PULL_REQUEST})
"""Commands that may end in words of the person's own, which may go on."""
_UNFINISHED = (",", "…", "...", "-", "–", "—", ":", ";")
_WHOLE_WORDS = 3
"""A request of fewer words seldom is one."""

_LISTS = word_lists("endings")
_DANGLING = _LISTS["DANGLING"]
_PARTICLES = _LISTS["PARTICLES"]
_TRANSITIVE = _LISTS["TRANSITIVE"]
_NEEDS = {
    verb: frozenset(after.split())
    for verb, _, after in (line.partition(":") for line in lines("endings")["NEEDS"])
}

FASTEST = 8.0
"""Syllables in a second. Commands are spoken at 4 to 6.5; who expects "run the tests" hears them
where "run the" was all."""
FEWEST = 3
"""Of fewer syllables the rate says nothing."""
_VOWELS = re.compile(r"[aeiouy]+")
_SPOKEN = re.compile(r"[0-9]|[a-z]+")

SURE, DOUBTFUL = 0.9, 0.1
"""By the sound: an open sentence counts as whole from this probability on, a whole one as open up to that."""


@dataclass(frozen=True, slots=True)
class Patience:
    """What the settings say, as far as the state machine needs it."""

    settings: TurnSettings
    listens_to_sound: bool = False
    """Whether a model judges the sound, too."""

    @property
    def by_meaning(self) -> bool:
        return self.settings.rule == "meaning"

    @property
    def longest_ms(self) -> int:
        """A turn that nothing is known of ends after this much quiet."""
        chosen = self.settings
        return max(chosen.open_ms, chosen.dangling_ms, chosen.destructive_ms)


def unhurried() -> Patience:
    """The ear alone decides, by silence, and nothing is taken back."""
    return Patience(TurnSettings(rule="silence", join_ms=0))


def meaning_of(text: str, *, grammar: bool = True, dangling: bool = True) -> Meaning:
    """What a partial transcript is; with `grammar` or `dangling` off, without that signal."""
    if (addressed := address(text)) is not None:
        text = addressed.rest
    words = norms(text)
    if not words:
        return "nothing"
    intent = parse(text) if grammar else None
    if intent is not None:
        return _known(intent, text)
    if dangling and _is_dangling(words, text):
        return "dangling"
    judged = classify(text)
    if judged.needs_confirmation or judged.risk == "destructive":
        return "destructive"
    return "whole" if dangling and len(words) >= _WHOLE_WORDS and text.rstrip()[-1:] in ".?!" else "open"


def is_more_than_said(text: str, seconds: float) -> bool:
    """Whether nobody speaks so much in that time: some of it was expected, not heard."""
    # An "e" at the end is silent: "rename".
    spoken = (_VOWELS.findall(word.removesuffix("e")) for word in _SPOKEN.findall(text.lower()))
    count = sum(max(len(syllables), 1) for syllables in spoken)
    return count >= FEWEST and count > FASTEST * seconds


def wait_ms(meaning: Meaning, patience: Patience, probability: float | None, pauses: Pauses) -> int:
    """Milliseconds of quiet that end a turn.

    `probability` is that of an end, as the sound has it, None where nobody listens. `pauses` are those the
    person makes within sentences.
    """
    chosen = patience.settings
    if meaning in ("whole", "open") and probability is not None:
        meaning = "whole" if probability >= SURE else "open" if probability <= DOUBTFUL else meaning
    fixed = {
        "nothing": chosen.open_ms,
        "stop": 0,
        "complete": chosen.complete_ms,
        "whole": chosen.whole_ms,
        "open": chosen.open_ms,
        "dangling": chosen.dangling_ms,
        "destructive": chosen.destructive_ms,
    }[meaning]
    if meaning not in ("whole", "open") or not chosen.learn_pauses:
        return fixed
    return min(max(round(fixed * pauses.slowness), chosen.complete_ms), chosen.dangling_ms)


def _known(intent: Intent, text: str) -> Meaning:
    """Of a command that the local grammar knows."""
    if intent.action in _STOPPING:
        return "stop"
    if intent.needs_confirmation or intent.risk == "destructive":
        return "destructive"
    if intent.action in _LASTING or text.rstrip().endswith(_UNFINISHED):
        return "open"
    arguments = intent.arguments
    return "whole" if intent.action in _FREE_ENDS and arguments.message is not None else "complete"


def _is_dangling(words: list[str], text: str) -> bool:
    if text.rstrip().endswith(_UNFINISHED):
        return True
    first, last = words[0], words[-1]
    if last in _DANGLING and not (last in _PARTICLES and len(words) > _WHOLE_WORDS):
        return True
    if len(words) == 1:
        return first in _TRANSITIVE
    return first in _NEEDS and not _NEEDS[first] & set(words[2:])
