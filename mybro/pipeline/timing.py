"""Where the time of each turn went, from the end of speech to the beginning of the work: one event a turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from mybro import events as ev

MOST = 32
"""Turns under way that are kept in mind; an older one of which nothing came is forgotten."""

Post = Callable[[ev.Event, int | None], None]


@dataclass(slots=True)
class _Marks:
    """Seconds on the session's clock; of a turn under way."""

    spoken: float
    """When the last speech was over, as far as the voice detector knows."""
    ended: float
    words: float = 0.0
    recorded: float = 0.0
    understood: float = 0.0


class TurnClock:
    """Watches a session; `post` gets a `TurnTimed` when the work of a spoken turn begins."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._turns: dict[int, _Marks] = {}

    def watch(self, envelope: ev.Envelope) -> None:
        match envelope.event:
            case ev.SpeechEnded(turn, heard):
                quiet = (heard.audio.end - heard.speech_end) / ev.SAMPLE_RATE
                self._turns[turn] = _Marks(envelope.at - quiet, envelope.at)
                while len(self._turns) > MOST:
                    del self._turns[next(iter(self._turns))]
            case ev.Transcript(turn, final=True) if turn in self._turns:
                self._turns[turn].words = envelope.at
            case ev.Recorded(turn) if turn in self._turns:
                self._turns[turn].recorded = envelope.at
            case ev.Understood(turn, intent) if turn in self._turns:
                self._turns[turn].understood = envelope.at
                if intent.kind == "control":
                    self._tell(turn, envelope)
            case ev.JobStarted(turn=turn) if turn in self._turns:
                self._tell(turn, envelope)

    def _tell(self, turn: int, envelope: ev.Envelope) -> None:
        marks = self._turns.pop(turn)
        steps = (marks.spoken, marks.ended, marks.words, marks.recorded, marks.understood, envelope.at)
        if 0.0 in steps[1:5]:
            return
        spent = [max(after - before, 0.0) * 1000 for before, after in pairwise(steps)]
        self._post(ev.TurnTimed(turn, *spent), envelope.seq)
