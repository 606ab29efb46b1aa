"""What single keys do in the terminal while a session runs."""

from __future__ import annotations

from mybro.events import Answered, Event, Quit, StopAll, Typed
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.state import Question, State


def meaning(key: bytes, state: State) -> Event | None:
    """What a key asks for; None for a key that means nothing now. Pure, but for the turn of a sentence, 0.

    A lower-case y is no answer to something destructive: that takes a Y, or the spoken words.
    """
    asked = state.asked
    if asked is not None and (answered := _answer(key, asked)) is not None:
        return answered
    match key:
        case b"s" | b"\x1b":
            return StopAll()
        case b"q" | b"\x04":
            return Quit()
        case b"u":
            return Typed(0, "undo that")
        case b"m":
            return Typed(0, "unmute" if state.muted else "mute")
        case _:
            return None


def _answer(key: bytes, asked: Question) -> Answered | None:
    if key.isdigit() and 0 < int(key) <= len(asked.choices):
        return Answered(asked.number, yes=True, choice=asked.choices[int(key) - 1].label, by="key")
    match key:
        case b"n":
            return Answered(asked.number, yes=False, by="key")
        case b"Y" if not asked.choices:
            return Answered(asked.number, yes=True, by="key")
        case b"y" | b"a" if asked.risk != "destructive" and not asked.choices:
            return Answered(asked.number, yes=True, always=key == b"a", by="key")
        case _:
            return None


class Desk:
    """Takes what is pressed to the pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def press(self, keys: bytes) -> None:
        """Act on one key; several at once are an arrow key, or something pasted."""
        if len(keys) != 1:
            return
        event = meaning(keys, self._pipeline.state)
        if isinstance(event, Typed):
            event = Typed(self._pipeline.next_turn(), event.text)
        if event is not None:
            self._pipeline.spawn(self._pipeline.post(event), counts=False)
