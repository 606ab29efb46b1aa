"""Carries out what belongs to a turn's end: the wait for it, guesses before it, taking back after it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any, Protocol

from mybro import events as ev
from mybro.brain.dialog import Dialog, resolve
from mybro.brain.grammar import parse
from mybro.errors import MybroError
from mybro.intent import Action, Intent
from mybro.pipeline import effects as do
from mybro.pipeline.ports import Listens, Stages

log = logging.getLogger(__name__)


class Loop(Protocol):
    """What is needed of the loop."""

    ear: Listens | None

    async def post(self, event: ev.Event, cause: int | None = None) -> None: ...

    def spawn(self, work: Coroutine[Any, Any, None], *, counts: bool = True) -> asyncio.Task[None]: ...


class Deciding:
    """Works for one `Performer`."""

    def __init__(self, loop: Loop, stages: Stages) -> None:
        self._loop = loop
        self._stages = stages
        self._guesses: dict[int, tuple[str, asyncio.Future[Intent]]] = {}

    def perform(self, effect: do.EndAfter | do.JudgeTurn | do.Guess | do.Withdraw, dialog: Dialog) -> None:
        match effect:
            case do.EndAfter(turn, speech_end, quiet_ms):
                if self._loop.ear is not None:
                    self._loop.ear.end_after(turn, speech_end, quiet_ms * ev.SAMPLE_RATE // 1000)
            case do.JudgeTurn():
                self._loop.spawn(self._judge(effect))
            case do.Guess(turn, text):
                self._guess(turn, text, dialog)
            case do.Withdraw():
                self._loop.spawn(self._withdraw(effect))

    async def understand(self, turn: int, text: str, dialog: Dialog) -> Intent:
        """What a confirmed text means: what was guessed of it, where that was the same text."""
        guessed, found = self._guesses.pop(turn, ("", None))
        if found is not None and guessed == text:
            return await found
        if found is not None:
            found.cancel()
        return await self._stages.brain.understand(text, dialog)

    def forget(self, turn: int) -> None:
        """Nothing that was guessed of a turn is wanted any more."""
        if (guess := self._guesses.pop(turn, None)) is not None:
            guess[1].cancel()

    def _guess(self, turn: int, text: str, dialog: Dialog) -> None:
        if self._guesses.get(turn, ("",))[0] == text:
            return
        self.forget(turn)
        known = parse(resolve(text, dialog))
        if known is not None:
            found = asyncio.get_running_loop().create_future()
            found.set_result(known)
            self._guesses[turn] = text, found
        elif self._stages.speculate:
            asked = asyncio.ensure_future(self._stages.brain.understand(text, dialog))
            # Where nobody waits for it, its failure is nobody's either.
            asked.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._guesses[turn] = text, asked

    async def _judge(self, asked: do.JudgeTurn) -> None:
        judge = self._stages.turn_judge
        if judge is None:
            return
        began = time.perf_counter()
        probability = await judge.judge(asked.audio)
        spent = (time.perf_counter() - began) * 1000
        if probability is not None:
            await self._loop.post(ev.TurnJudged(asked.turn, asked.request, probability, spent))

    async def _withdraw(self, asked: do.Withdraw) -> None:
        outcome = ev.Outcome("What I had begun could not be taken back", ok=False)
        try:
            outcome = await self._take_back(asked)
        except MybroError as error:
            outcome = ev.Outcome(error.message, ok=False)
        finally:
            await self._loop.post(ev.TakenBack(asked.turn, asked.job, outcome))

    async def _take_back(self, asked: do.Withdraw) -> ev.Outcome:
        executor = self._stages.executor
        if executor is None:
            return ev.Outcome("")
        match asked.opposite_of:
            case Action.UNDO:
                return await executor.redo(1)
            case Action.REDO:
                return await executor.undo(1)
            case _:
                return await executor.withdraw(asked.job)
