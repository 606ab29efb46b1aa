"""What an earlier session left behind: what it never began is offered again, what it began is asked about.

Nothing is begun again unasked. What had been begun and was cut off is "interrupted, outcome unknown": one
chooses to look at it, do it again, undo it, or leave it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mybro.brain.dialog import Dialog
from mybro.config import Settings, data_dir
from mybro.errors import ExecutorError, Problem
from mybro.events import (
    Announce,
    Answered,
    AudioBlock,
    Choice,
    Envelope,
    JobAsked,
    Recalled,
    StageFailed,
    Typed,
)
from mybro.executor.checkpoint import CheckpointStore, History, Limits
from mybro.executor.checkpoint.diff import difference
from mybro.executor.words import changed_words
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
MOST_SHOWN = 20_000
"""Characters of a diff in a question."""
_OTHERS = re.compile(r"(?!First )[A-Z][\w-]* agent: ")
"""How titles of other agents' jobs begin."""
UNKNOWN = "What it changed cannot be told."
CHECK, REDO, UNDO, LEAVE = "Check", "Do it again", "Undo", "Leave it"


@dataclass(frozen=True, slots=True)
class Traces:
    """What something that was cut off has left in the files."""

    summary: str
    """A sentence to be said."""
    diff: str
    undoable: bool
    """Whether "undo" takes back just this: it is the newest job that changed something."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question about something that was cut off."""

    utterance: UtteranceRecord
    before: int | None
    """The checkpoint from before it; None where it only read, or it is not known."""
    traces: Traces | None


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
        for left in cut_off:
            before = _began(left.utterance)
            await self._put(_Asked(left.utterance, before, await self._traces(before)))
        return [job.title for one in cut_off for job in one.utterance.jobs]

    async def _put(self, about: _Asked, *, again: bool = False) -> None:
        number = next(self._numbers)
        self._open[number] = about
        await self._pipeline.post(_question(number, about, again=again))

    async def _traces(self, before: int | None) -> Traces | None:
        """None also where the checkpoints cannot be read."""
        if before is None:
            return None
        with contextlib.suppress(ExecutorError):
            return await asyncio.to_thread(traces, self._session.repo, self._session.settings, before)
        return None

    def _watch(self, envelope: Envelope) -> None:
        match envelope.event:
            case Answered(question=number, yes=yes, choice=choice) if number in self._open:
                about = self._open.pop(number)
                if yes and choice is not None:
                    self._pipeline.spawn(self._do(about, choice))

    async def _do(self, about: _Asked, choice: str) -> None:
        match choice:
            case "Leave it":
                return
            case "Check":
                await self._pipeline.post(Announce(about.traces.summary if about.traces else UNKNOWN))
                await self._put(about, again=True)
                return
            case "Do it again":
                text = about.utterance.text
            case "Undo":
                now = await self._traces(about.before)
                if now is None or not now.undoable:
                    await self._tell("undo_not_newest", "something else was done since: undo that first")
                    return
                text = "undo that"
            case _:
                text = choice  # said meanwhile, and meant for no question
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


def traces(repo: Path, settings: Settings, before: int) -> Traces:
    """What is different by a job that was cut off and began with the checkpoint `before`. Blocks.

    Raises `ExecutorError`.
    """
    history = History(CheckpointStore(data_dir() / "checkpoints", repo, Limits.of(settings.executor)))
    try:
        done = history.steps("done")
        if any(one.before == before for one in history.steps("open")):
            return Traces(UNKNOWN, "", undoable=False)  # another mybro is at work there
        step = next((one for one in done if one.before == before), None)
        if step is None or step.after is None:
            return Traces("It has changed nothing.", "", undoable=False)
        words = changed_words(history.store.changes(step.before, step.after)).summary
        found = difference(history.store, step.before, step.after)
        return Traces(words, found.text, undoable=done[-1] == step)
    finally:
        history.close()


def _began(one: UtteranceRecord) -> int | None:
    """The checkpoint from before its last job that may write, in the person's own working tree."""
    # Other agents have trees, and checkpoints, of their own.
    own = [job for job in one.jobs if not _OTHERS.match(job.title)]
    kept = [job.checkpoint_before for job in own if job.checkpoint_before is not None]
    return int(kept[-1]) if kept and kept[-1].isdigit() else None


def _question(number: int, about: _Asked, *, again: bool) -> JobAsked:
    said = " ".join(about.utterance.text.split())
    said = said if len(said) <= 80 else f"{said[:77]}..."
    undoable = about.traces is not None and about.traces.undoable
    ways = [
        *([] if again or about.before is None else [(Choice(CHECK, "what it has changed"), "check it")]),
        (Choice(REDO, "as it was said"), "do it again"),
        *([(Choice(UNDO, "take back what it changed"), "undo it")] if undoable else []),
        (Choice(LEAVE, "it stays in the history"), "leave it"),
    ]
    words = [word for _, word in ways]
    text = f"“{said}” was interrupted, and what came of it is not known. "
    text += f"Shall I {', '.join(words[:-1])} or {words[-1]}?"
    detail = about.traces.diff[:MOST_SHOWN] if again and about.traces else ""
    choices = tuple(choice for choice, _ in ways)
    return JobAsked(0, number, "choice", text, detail, risk="read", choices=choices, timeout_s=WAITS_S)
