"""When a first answer is good enough, and which of several is the best.

The limits were measured with tiny.en on 978 recordings: commands, single words and prose in eight synthetic
voices and of two people, clean, in a room, and in noise. Above `SURE`, searching changes nothing; with
`WEIGHT`, commands gain most, and with `LED` prose loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from mybro.transcribe.expectation import commands, spoken
from mybro.transcribe.near import sounding_like
from mybro.transcribe.recogniser import Hints, Recognition

SURE = -0.2
"""The mean log probability above which the first answer stands."""
CLEAR = -0.15
"""Above it, what is like no command needs but one look without the prompt, which makes a model surer than it
should be."""
FAIRLY_SURE = -0.45
"""The same for words that are what people say to the program."""
USUAL = -4.0
"""How well such words fit what is expected."""
WELL_KNOWN = -4.5
"""How well words fit that need less proof: `is_usual`."""
USUAL_NO_SPEECH = 0.5
USUAL_LOGPROB = -1.25
SURER = 3.5
"""How much surer of the words than that a recogniser must be the less it believes that somebody spoke: of a
single word, however clear, tiny.en says up to 0.7 that nobody did."""
_AGREEING = frozenset({"yes", "yeah", "yep", "yup", "ok", "okay", "sure", "do", "go", "confirm", "right"})
POSSIBLE = -5.5
"""Below this it is no command, and the prompt may have led astray."""
PROSE = -6.0
"""Between readings that are both no command, how little they are like one decides but a tie."""
AGREEING_APART = 0.15
"""How much less likely than another reading a yes may sound."""
WEIGHT = 0.2
"""What a nat of expectation weighs against one of sound."""

LED = 0.1
"""How much surer of its words a prompt makes a model: of clean prose 8.3 instead of 9.2 percent of the words
are wrong with it, and commands are as they were."""
WHOLE = 0.15
"""What it weighs that the whole of a reading is a short thing that people say here, such as "redo"."""

ALONE = 2
"""Words of that, at most: longer sentences are told by their words well enough."""
LOOKED_AT, SUGGESTED = 3, 2
"""How many readings tell what may have been said instead, and how much of that is weighed: each costs about
as much as a greedy look."""
_REFUSING = frozenset({"no", "not", "dont", "never", "stop", "cancel", "wait", "undo", "pause", "abort"})


def is_sure(heard: Recognition, hints: Hints) -> bool:
    """Whether the first answer needs no second look."""
    if not (hints.prompt and _is_english(hints)) and heard.average_logprob > SURE:
        return True
    if heard.average_logprob <= FAIRLY_SURE or not _is_english(hints):
        return False
    return _fit(heard, hints) > (POSSIBLE if heard.average_logprob > SURE else USUAL)


def is_clear(heard: Recognition) -> bool:
    """Whether it sounds like what it says, whatever that is."""
    return heard.average_logprob > CLEAR


def is_known(heard: Recognition, hints: Hints) -> bool:
    """Whether the words are like a command, so that the prompt was in place; it is in other languages."""
    return not _is_english(hints) or _fit(heard, hints) > POSSIBLE


def is_usual(heard: Recognition, hints: Hints) -> bool:
    """Whether the words are so much what people say here that less is needed to believe that somebody spoke.

    Never for a yes: it may let something be destroyed.
    """
    less = max(heard.no_speech_probability - USUAL_NO_SPEECH, 0.0)
    if heard.average_logprob < USUAL_LOGPROB + SURER * less:
        return False
    return _is_english(hints) and not _agrees(heard) and _fit(heard, hints) > WELL_KNOWN


def likeliest(readings: Sequence[Recognition], hints: Hints) -> Recognition:
    """The best by sound and by what is expected; the first of equals.

    Nobody agrees because that was to be expected: a yes must sound about as likely as anything else.
    """
    clearest = max(each.average_logprob for each in readings)
    fair = [e for e in readings if e.average_logprob > clearest - AGREEING_APART or not _agrees(e)]

    def worth(each: Recognition) -> tuple[float, float]:
        fit = _fit(each, hints)
        alone = WHOLE if _is_alone(each, hints) and not _agrees(each) else 0.0
        sound = each.average_logprob + (LED if each.plain else 0.0)
        return sound + WEIGHT * max(fit, PROSE) + alone, fit

    return max(fair, key=worth)


def _agrees(heard: Recognition) -> bool:
    return heard.text.lower().strip(" .,!?").partition(" ")[0].strip(",.") in _AGREEING


def suggestions(readings: Sequence[Recognition], hints: Hints) -> tuple[str, ...]:
    """How a sentence begins that people often say, if it sounds like readings that are hardly one.

    Nothing that agrees, and nothing without a word of the likeliest reading that refuses.
    """
    best = likeliest(readings, hints)
    if not _is_english(hints) or commands().is_said(best.text) or _fit(best, hints) > USUAL:
        return ()
    texts = list(dict.fromkeys(" ".join(spoken(each.text)) for each in readings))
    kept = _REFUSING.intersection(spoken(best.text))
    found = []
    for line in sounding_like(texts[:LOOKED_AT]):
        said = spoken(line)
        if " ".join(said) not in texts and said[0] not in _AGREEING and kept <= set(said):
            found.append(line)
    return tuple(sorted(f" {line.capitalize()}" for line in found[:SUGGESTED]))


def _is_alone(heard: Recognition, hints: Hints) -> bool:
    return _is_english(hints) and len(spoken(heard.text)) <= ALONE and commands().is_said(heard.text)


def _is_english(hints: Hints) -> bool:
    # What is expected is known of English alone; elsewhere all readings are equal in this.
    return hints.language == "en"


def _fit(heard: Recognition, hints: Hints) -> float:
    return commands().fit(heard.text, hints.prompt) if _is_english(hints) else 0.0
