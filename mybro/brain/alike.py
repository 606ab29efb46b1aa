"""Short sentences that steer mybro, known by their sound when no template knows their words."""

from __future__ import annotations

from collections.abc import Sequence

from mybro.brain.verbs import ASKING, READING, VERBS

LEAST = 0.8
"""How alike: "council" is cancel, "undo bat" undo that, "shop" is not stop."""
APART = 0.1
LONGEST = 2
_COMMANDS = (
    "pause", "resume", "mute", "unmute", "help", "status", "repeat that", "undo that", "redo", "redo that",
    "cancel", "stop", "stop it",
)  # fmt: skip
"""Never yes or no: an answer is heard as it is, or asked for again."""


_REQUESTS = (VERBS | READING | ASKING) - {one.split()[0] for one in _COMMANDS}


def command(words: Sequence[str]) -> str | None:
    """The command that a sentence of one or two words sounds like; None where none or several do."""
    if not 0 < len(words) <= LONGEST or words[0] in _REQUESTS:
        return None
    from mybro.index.lexicon import sounds_of
    from mybro.index.sound import likeness

    heard = sounds_of(words)[0]
    ranked = sorted(((likeness(heard, sounds_of(one.split())[0]), one) for one in _COMMANDS), reverse=True)
    best, next_best = ranked[0], next(one for one in ranked[1:] if one[1][:4] != ranked[0][1][:4])
    return best[1] if best[0] >= LEAST and best[0] - next_best[0] >= APART else None
