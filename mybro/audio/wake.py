"""A wake phrase at the start of what was recognised: found by sound, as its spelling is a guess."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_WORD = re.compile(r"[a-z0-9']+")
_FILLERS = frozenset(["um", "uh", "so", "okay", "ok", "well", "and", "oh"])
_SOUNDS = (
    (r"ough|owe|ow|oe|oa|oh", "o"), (r"igh|eigh|ey|ay|ai|ei|uy|ie|y", "i"), (r"ee|ea", "i"),
    (r"ph", "f"), (r"ck|c|q", "k"), (r"wr", "r"), (r"kn", "n"), (r"oo|ou", "u"), (r"(?<=.)h", ""),
    (r"e$", ""), (r"z", "s"), (r"(.)\1+", r"\1"),
)  # fmt: skip
"""Letters that sound alike in English, well enough to compare two spellings of one sound."""
_ALIKE = 0.24
"""The share of sounds that may differ."""
_MORE_WORDS = 2
"""A recogniser may hear so many words more than were said: "my bro"."""


class WakePhrase:
    """Finds one phrase."""

    def __init__(self, phrase: str) -> None:
        words = _WORD.findall(phrase.lower())
        self._sound = _sound(words)
        self._most = len(words) + _MORE_WORDS

    def rest(self, text: str) -> str | None:
        """What was said after the phrase, perhaps nothing; None where the text does not begin with it."""
        spoken = list(_WORD.finditer(text.lower()))
        first = 1 if spoken and spoken[0].group() in _FILLERS else 0
        best: tuple[float, int] | None = None
        for start in range(first + 1):
            for end in range(start + 1, min(start + self._most, len(spoken)) + 1):
                sound = _sound([word.group() for word in spoken[start:end]])
                off = _distance(sound, self._sound) / max(len(self._sound), 1)
                if off <= _ALIKE and (best is None or off < best[0]):
                    best = (off, spoken[end - 1].end())
        if best is None:
            return None
        return text[best[1] :].lstrip(" ,.!?;:-").strip()


def _sound(words: list[str]) -> str:
    sounds = []
    for word in words:
        sound = word.replace("'", "")
        for letters, alike in _SOUNDS:
            sound = re.sub(letters, alike, sound)
        sounds.append(sound)
    return re.sub(r"(.)\1+", r"\1", "".join(sounds))


def _distance(left: str, right: str) -> int:
    """How many sounds must be changed, added or left out."""
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (one != other))
    return row[-1]


@dataclass(frozen=True, slots=True)
class Wake:
    """What is waited for, and until when nothing is."""

    phrase: WakePhrase
    until: int = 0
    """Sample index up to which speech that begins needs no phrase."""

    def stays(self, until: int) -> Wake:
        return replace(self, until=until)
