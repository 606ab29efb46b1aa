"""What waits to be said, and in which order: pure rules, without time or sound."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from mybro.speak.news import merged
from mybro.speak.sound import Sound

Urgency = Literal["answer", "question", "error", "news"]
"""A reply to what was just said; a question; a job that failed; any other news of a job."""

_ORDER: dict[Urgency, int] = {"answer": 0, "question": 1, "error": 2, "news": 3}
_NEWS: frozenset[Urgency] = frozenset({"error", "news"})


@dataclass(eq=False, slots=True)
class Speech:
    """Something to say: one sentence asked for, or several pieces of news merged into one."""

    numbers: tuple[int, ...]
    text: str
    urgency: Urgency
    sound: Sound = field(default_factory=Sound)
    started: bool = False
    cut: bool = False
    put_back: bool = False
    """Stopped in the middle, to go on from there."""
    filling: asyncio.Task[None] | None = None
    """The voice at work on `sound`."""

    @property
    def is_news(self) -> bool:
        return self.urgency in _NEWS


class SpeechQueue:
    """Answers first, then what was put back half said, then questions, errors and the rest of the news."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: list[Speech] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, speech: Speech) -> Speech | None:
        """Add at the end of its class; returns what had to give way: of the least urgent, the oldest."""
        self._waiting.append(speech)
        if len(self._waiting) <= self._limit:
            return None
        victim = max(self._waiting, key=lambda waiting: (not waiting.started, _ORDER[waiting.urgency]))
        self._waiting.remove(victim)
        return victim

    def take(self, *, news: bool = True, answers_only: bool = False) -> Speech | None:
        """The next thing to say; with `news` all errors, or all other news, that wait become one."""
        ready = [
            speech
            for speech in self._waiting
            if (not answers_only or (speech.urgency == "answer" and not speech.started))
            and (news or not speech.is_news)
        ]
        if not ready:
            return None
        first = min(ready, key=_rank)
        together = [first]
        if first.is_news and not first.started:
            together = [speech for speech in ready if speech.urgency == first.urgency]
        for speech in together:
            self._waiting.remove(speech)
        if len(together) == 1:
            return first
        numbers = tuple(number for speech in together for number in speech.numbers)
        text = merged([speech.text for speech in together], failures=first.urgency == "error")
        return Speech(numbers, text, first.urgency)

    def remove(self, number: int | None = None) -> list[Speech]:
        """Take out everything, or only what carries this number."""
        out = [speech for speech in self._waiting if number is None or number in speech.numbers]
        self._waiting = [speech for speech in self._waiting if speech not in out]
        return out


def _rank(speech: Speech) -> tuple[int, bool]:
    if speech.started and speech.urgency != "answer":
        return (_ORDER["answer"], True)
    return (_ORDER[speech.urgency], False)
