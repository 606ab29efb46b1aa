"""What an earlier session left behind: what it never began is offered again, what it began is asked about.

Nothing is begun again unasked. What had been begun and was cut off is "interrupted, outcome unknown": one
chooses to look at it, do it again, undo it, or leave it.
"""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mybro.brain.dialog import Dialog
from mybro.errors import Problem
from mybro.events import (
    Answered,
    AudioBlock,
    Choice,
    Envelope,
    JobAsked,
    JobStarted,
    Recalled,
    StageFailed,
    Typed,
)
from mybro.intent import Intent
from mybro.journal import Unfinished, UtteranceRecord

if TYPE_CHECKING:
    from mybro.pipeline.session import Session

REHEARD = 1_000_000_000
"""Requests for recordings of earlier sessions are numbered from here, beyond what a session counts up to."""
QUESTIONS_FROM = 3_000_001
"""Beyond those of programs that ask; odd, as the even ones are the state machine's own."""
MOST_ASKED = 3
"""Of what was cut off; the rest stands in the history."""
WAITS_S = 300.0
CHECK, REDO, UNDO, LEAVE = "Check", "Do it again", "Undo", "Leave it"


@dataclass
class _Asked:
    """One question about something that was cut off."""

    utterance: UtteranceRecord
    writes: bool
    newest: bool
    """Whether "undo" would take back just this."""


class Recovery:
    """Tells a new session of what others left, and does what the person chooses."""

    def __init__(self, session: Session) -> None:
        self._session, self._pipeline = session, session.pipeline
        self._numbers = itertools.count(QUESTIONS_FROM, 2)
        self._open: dict[int, _Asked] = {}

    async def run(self) -> None:
        labels = await self._session.executor.recover()
        left = await self._session.journal.unfinished()
        cut_off = [one for one in left if not one.offered]
        asked = [] if not cut_off else await self._ask(cut_off[-MOST_ASKED:])
        for label in labels:
            if label not in asked:
                await self._tell("interrupted", f"{label} was interrupted; say undo to take it back")
        for one in left:
            if one.offered:
                await self._offer(one)

    async def _offer(self, left: Unfinished) -> None:
        intent = await self._intent_of(left.utterance)
        if intent is None or intent.kind == "control":
            await self._session.journal.discard(left.utterance.id)
            return
        turn = self._pipeline.next_turn()
        await self._session.journal.adopt(left.utterance.id, turn)
        await self._pipeline.post(Recalled(turn, intent))

    # ------------------------------------------------------------------------ what was cut off

    async def _ask(self, cut_off: list[Unfinished]) -> list[str]:
        """Ask about each; the titles of their jobs."""
        self._pipeline.watch(self._watch)
        writers = [one for one in cut_off if _writes(one.utterance)]
        for left in cut_off:
            number, writes = next(self._numbers), left in writers
            self._open[number] = _Asked(left.utterance, writes, newest=writes and left is writers[-1])
            await self._pipeline.post(_question(number, self._open[number]))
        return [job.title for one in cut_off for job in one.utterance.jobs]

    def _watch(self, envelope: Envelope) -> None:
        match envelope.event:
            case Answered(question=number, yes=yes, choice=choice) if number in self._open:
                about = self._open.pop(number)
                if yes and choice is not None:
                    self._pipeline.spawn(self._do(about, choice))
            case JobStarted(checkpoint=str()):
                # What "undo" takes back is from now on something else.
                for about in self._open.values():
                    about.newest = False

    async def _do(self, about: _Asked, choice: str) -> None:
        match choice:
            case "Leave it":
                return
            case "Check":
                text = "what did you change" if about.writes else ""
            case "Do it again":
                text = about.utterance.text
            case "Undo":
                text = "undo that"
            case _:
                text = choice  # said meanwhile, and meant for no question
        if choice == UNDO and not about.newest:
            await self._tell("undo_not_newest", "something else was done since: undo that first")
        elif text:
            await self._pipeline.post(Typed(self._pipeline.next_turn(), text))

    # ------------------------------------------------------------------------ what was never begun

    async def _intent_of(self, kept: UtteranceRecord) -> Intent | None:
        """What was meant, as far as the earlier session came with it; None where there were no words."""
        if kept.intent is not None:
            # An intent that another version wrote differently is understood anew.
            with contextlib.suppress(ValidationError):
                return Intent.model_validate(kept.intent.body, strict=False)
        text, session = kept.text, self._session
        if not text and kept.audio is not None and session.transcription is not None:
            from mybro.audio.files import FileSource

            pcm = b"".join([block.pcm async for block in FileSource(kept.audio).blocks()])
            heard = await session.transcription.transcribe(0, REHEARD + kept.id, AudioBlock(0, pcm))
            text = heard.text if heard else ""
        return await session.brain.understand(text, Dialog()) if text else None

    async def _tell(self, code: str, message: str) -> None:
        await self._pipeline.post(StageFailed("executor", Problem(code, message)))


def _writes(one: UtteranceRecord) -> bool:
    return any(job.checkpoint_before is not None for job in one.jobs)


def _question(number: int, about: _Asked) -> JobAsked:
    said = " ".join(about.utterance.text.split())
    said = said if len(said) <= 80 else f"{said[:77]}..."
    choices = [Choice(REDO, "as it was said"), Choice(LEAVE, "it stays in the history")]
    ways = "do it again or leave it"
    if about.writes:
        choices = [
            Choice(CHECK, "show what is different since it began"), choices[0],
            Choice(UNDO, "take back what it changed"), choices[1],
        ]  # fmt: skip
        ways = "check it, do it again, undo it or leave it"
    text = f"“{said}” was interrupted, and what came of it is not known. Shall I {ways}?"
    return JobAsked(0, number, "choice", text, risk="read", choices=tuple(choices), timeout_s=WAITS_S)
