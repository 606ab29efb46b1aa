"""What somebody has said so far, while the speech goes on: only words that stay."""

from __future__ import annotations

import itertools
import re
from typing import Protocol

from mybro.clock import Clock
from mybro.errors import TranscriptionError
from mybro.events import AudioBlock, Transcribed

SHARE = 0.25
"""How much of the recogniser's time partial texts may take."""
TOO_SLOW_MS = 400.0
"""Where one takes longer, the words at the end of the speech would have to wait for it."""
AGAIN_S = 10.0
"""So long until it is tried again then."""


class Recognises(Protocol):
    """A recogniser that can also be quick."""

    async def transcribe(
        self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False, quick: bool = False
    ) -> Transcribed | None: ...


class Agreement:
    """The beginning that each two readings in a row have in common; it only grows.

    The last word of a reading does not count: the speech may have been cut within it.
    """

    def __init__(self) -> None:
        self._before: list[str] = []
        self.words: list[str] = []
        """What has been agreed on, as it was last written."""

    def add(self, text: str) -> str:
        """The next reading of the growing sound; returns the words that stay."""
        now = text.split()
        same = 0
        for one, other in zip(self._before[:-1], now[:-1], strict=False):
            if _bare(one) != _bare(other):
                break
            same += 1
        if same >= len(self.words):
            self.words = now[:same]
        self._before = now
        return " ".join(self.words)


class Partials:
    """Partial texts, as often as they cost little."""

    def __init__(self, recogniser: Recognises, clock: Clock) -> None:
        self._recogniser = recogniser
        self._clock = clock
        # Other requests have numbers above zero.
        self._numbers = itertools.count(-1, -1)
        self._turn: int | None = None
        self._agreement = Agreement()
        self._busy = False
        self._free_at = float("-inf")

    async def text(self, turn: int, audio: AudioBlock) -> str | None:
        """The words of `audio` so far that stay; None where nothing new can be told, or not cheaply.

        `audio` is all that was heard of the turn.
        """
        if self._busy or self._clock.now() < self._free_at:
            return None
        if turn != self._turn:
            self._turn, self._agreement = turn, Agreement()
        self._busy = True
        try:
            heard = await self._recogniser.transcribe(
                turn, next(self._numbers), audio, speculative=True, quick=True
            )
        except TranscriptionError:
            # The words at the end of the speech tell what is wrong.
            return None
        finally:
            self._busy = False
        if heard is None or turn != self._turn:
            return None
        self._pause(heard.processing_ms)
        known = len(self._agreement.words)
        text = self._agreement.add(heard.text)
        return text if len(self._agreement.words) > known else None

    def _pause(self, spent_ms: float) -> None:
        rest = AGAIN_S if spent_ms > TOO_SLOW_MS else spent_ms / 1000 * (1 / SHARE - 1)
        self._free_at = self._clock.now() + rest


def _bare(word: str) -> str:
    return re.sub(r"\W", "", word.lower())
