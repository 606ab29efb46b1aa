"""A person speaks over mybro: the voice is cut on the sound, and goes on where nothing was meant."""

from __future__ import annotations

import re

from mybro import events as ev
from mybro.pipeline.draft import Draft
from mybro.pipeline.effects import Duck, HoldVoice
from mybro.pipeline.state import Ear, Mouth, Turn

_WORD = re.compile(r"[a-z]+")
_HUM = re.compile(
    r"(m+|h+m+|mh+m*|u+h+|a+h*|o+h+|u+m+|e+r+m*|hu+h|a+ha+|hm+|mhm|mmhm+|uhhu+h|mhc?m|h[aeo]+h*)+"
)
_NODS = frozenset(
    ["yeah", "yes", "yep", "yup", "okay", "ok", "right", "sure", "alright", "all", "good", "great", "nice",
     "cool", "fine", "i", "see", "got", "it", "thanks", "thank", "you", "oh", "well", "wow", "interesting",
     "write"]
)  # fmt: skip
"""With what "right" is often taken for: alone it asks for nothing either."""
_DRAWN = re.compile(r"(\w)\1+")
_LONGEST, _LONGEST_LAUGH = 3, 10
_LONGEST_HUM = 12


def is_nod(text: str) -> bool:
    """Whether these words only say that somebody listens ("mhm", "okay", "I see"): they ask for nothing.

    What recognisers like to make of a cough ("thank you") is among them.
    """
    words = _WORD.findall(_DRAWN.sub(r"\1\1", text.lower().replace("-", "")))
    said = [word for word in words if len(word) > _LONGEST_HUM or not _HUM.fullmatch(word)]
    return 0 < len(words) <= _LONGEST_LAUGH and len(said) <= _LONGEST and _NODS.issuperset(said)


def only_listens(draft: Draft, turn: Turn, text: str) -> bool:
    """Whether a turn over mybro's own voice is a nod. Where something is asked, the same words answer."""
    return bool(turn.over_voice) and turn.question is None and draft.state.asked is None and is_nod(text)


def sustained(draft: Draft, event: ev.SpeechSustained) -> None:
    """This is no cough: be silent, but keep the place."""
    if event.turn in draft.state.turns and draft.state.mouth is not Mouth.SILENT and not draft.state.cut:
        draft.set(cut=True)
        draft.do(HoldVoice(on=True))


def go_on(draft: Draft) -> None:
    """Nothing was meant: the voice goes on from where it was, unless somebody still speaks."""
    if draft.state.ear is Ear.HEARING:
        return
    if draft.state.mouth is Mouth.DUCKED:
        draft.set(mouth=Mouth.SPEAKING)
        draft.do(Duck(on=False))
    let_speak(draft)


def let_speak(draft: Draft) -> None:
    """The voice is free again for what there is to say from here on."""
    if draft.state.cut:
        draft.set(cut=False)
        if not draft.state.paused:
            draft.do(HoldVoice(on=False))
