"""Carries out the effects that `transition` asks for; each answers with an event that bears its number."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Protocol

from mybro import events as ev
from mybro.brain.classify import classify
from mybro.brain.dialog import Dialog
from mybro.clock import Clock
from mybro.errors import Problem, TranscriptionError
from mybro.pipeline import effects as do
from mybro.pipeline import spending
from mybro.pipeline.deciding import Deciding
from mybro.pipeline.handing import Handing
from mybro.pipeline.ports import Listens, Stages
from mybro.pipeline.problems import problem_of
from mybro.pipeline.state import State
from mybro.pipeline.timers import Timers
from mybro.pipeline.waking import Discretion

log = logging.getLogger(__name__)

JOURNAL_QUEUE = 4096
"""Events that may wait for the disk; the loop waits when there are more."""


class Loop(Protocol):
    """What the performer needs of the loop that it works for."""

    state: State
    clock: Clock
    ended: asyncio.Event
    ear: Listens | None

    async def post(self, event: ev.Event, cause: int | None = None) -> None: ...

    def post_own(self, event: ev.Event, cause: int | None) -> None: ...

    def spawn(self, work: Coroutine[Any, Any, None], *, counts: bool = True) -> asyncio.Task[None]: ...


class Performer:
    """Works for one `Pipeline`."""

    def __init__(self, pipeline: Loop, stages: Stages) -> None:
        self._pipeline = pipeline
        self._stages = stages
        self._dialog = Dialog()
        self._deciding = Deciding(pipeline, stages)
        self._handing = Handing(pipeline, stages)
        self._thinking: dict[int, asyncio.Task[None]] = {}
        self._timers = Timers(
            pipeline.clock,
            lambda work: pipeline.spawn(work, counts=False),
            lambda timer: pipeline.post(ev.TimerFired(timer)),
        )
        self._unwritten: asyncio.Queue[ev.Envelope] = asyncio.Queue(JOURNAL_QUEUE)
        self._discretion = Discretion()
        self._written = 0
        self._write_error: Problem | None = None
        self._progress = asyncio.Condition()
        self._writer: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------ the journal

    async def record(self, envelope: ev.Envelope) -> None:
        """Hand an event to the journal, which writes in order; and keep the dialog window."""
        self._follow(envelope.event)
        if self._stages.journal is None or self._discretion.keeps(envelope, self._pipeline.state):
            return
        await self._unwritten.put(envelope)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        journal = self._stages.journal
        assert journal is not None  # noqa: S101
        while True:
            group = [await self._unwritten.get()]
            while not self._unwritten.empty():
                group.append(self._unwritten.get_nowait())
            # Together they share a commit: somebody waits for the last of them.
            for done in await asyncio.gather(*map(journal.record, group), return_exceptions=True):
                if isinstance(done, Exception):
                    self._write_error = problem_of(done)
            async with self._progress:
                self._written = max(self._written, *(envelope.seq for envelope in group))
                for _ in group:
                    self._unwritten.task_done()
                self._progress.notify_all()

    async def _acknowledge(self, turn: int, seq: int) -> None:
        if self._stages.journal is not None:
            if kept := self._discretion.release(turn):
                for envelope in kept:
                    await self._unwritten.put(envelope)
                await self._unwritten.join()
            async with self._progress:
                await self._progress.wait_for(lambda: self._written >= seq)
            if (problem := self._write_error) is not None:
                self._write_error = None
                await self._pipeline.post(ev.RecordingFailed(turn, problem), seq)
                return
        await self._pipeline.post(ev.Recorded(turn), seq)

    async def aclose(self) -> None:
        """Write what is still unwritten, then close the journal."""
        if self._writer is not None:
            await self._unwritten.join()
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        if self._stages.journal is not None:
            await self._stages.journal.aclose()

    # ------------------------------------------------------------------ effects

    def perform(self, effect: do.Effect, seq: int) -> None:  # noqa: C901 - one flat table
        """Begin an effect; whatever takes time runs beside the loop."""
        pipeline, stages = self._pipeline, self._stages
        match effect:
            case do.Post(event):
                pipeline.post_own(event, seq)
            case do.Transcribe():
                pipeline.spawn(self._transcribe(effect, seq))
            case do.DropTranscription(request):
                if stages.transcription is not None:
                    stages.transcription.drop(request)
            case do.Acknowledge(turn):
                pipeline.spawn(self._acknowledge(turn, seq))
            case do.Understand(turn, text):
                self._thinking[turn] = pipeline.spawn(self._understand(turn, text, seq))
            case do.ForgetTurn(turn):
                self._discretion.forget(turn)
                self._deciding.forget(turn)
                if (task := self._thinking.pop(turn, None)) is not None:
                    task.cancel()
                pipeline.spawn(self._handing.mark(turn, "dropped"))
            case do.TellCosts():
                pipeline.spawn(spending.tell(effect, stages.journal, pipeline))
            case do.FreezeJobs(on):
                if stages.executor is not None:
                    pipeline.spawn(stages.executor.freeze(on=on))
            case do.Answer(answer):
                if stages.executor is not None:
                    pipeline.spawn(stages.executor.answer(answer))
            case do.SetTimer(timer, seconds):
                self._timers.set(timer, seconds)
            case do.CancelTimer(timer):
                self._timers.cancel(timer)
            case do.ShutDown():
                pipeline.ended.set()
            case do.StartJob() | do.TakeBack() | do.StopJobs() | do.StopAgent() | do.Sweep():
                self._handing.perform(effect)
            case do.EndAfter() | do.JudgeTurn() | do.Guess() | do.Withdraw():
                self._deciding.perform(effect, self._dialog)
            case _:
                self._voice(effect, seq)

    def _voice(self, effect: do.Effect, seq: int) -> None:
        mouth = self._stages.mouth
        match effect:
            case do.GiveWay(on):
                self._timers.hold("speech", on=on)
            case do.HoldVoice(on):
                self._timers.hold("pause", on=on)
        match effect:
            case do.Say(speech, text, urgency):
                if mouth is not None:
                    self._pipeline.spawn(mouth.say(speech, text, urgency))
                else:
                    self._pipeline.post_own(ev.SayStarted(speech, text), seq)
                    self._pipeline.post_own(ev.SayFinished(speech), seq)
            case do.Hush() if mouth is not None:
                mouth.interrupt()
            case do.Duck(on) if mouth is not None:
                mouth.duck(on)
            case do.GiveWay(on) if mouth is not None:
                mouth.person_speaks(on)
            case do.HoldVoice(on) if mouth is not None:
                mouth.hold(on)
            case do.Mute(on) if mouth is not None:
                mouth.mute(on)
            case do.Chime(name) if mouth is not None:
                self._pipeline.spawn(mouth.chime(name))

    async def _transcribe(self, asked: do.Transcribe, seq: int) -> None:
        transcription = self._stages.transcription
        try:
            if transcription is None:
                raise TranscriptionError("no_recogniser", "this session has no recogniser")
            answer: ev.Event | None = await transcription.transcribe(
                asked.turn, asked.request, asked.audio, speculative=asked.trial
            )
        except Exception as error:
            answer = ev.TranscriptionFailed(asked.turn, asked.request, problem_of(error))
        if answer is not None:
            await self._pipeline.post(answer, seq)

    async def _understand(self, turn: int, text: str, seq: int) -> None:
        began = self._pipeline.clock.now()
        try:
            intent = await self._deciding.understand(turn, text, self._dialog)
        except Exception:
            log.exception("the brain failed")
            # What was said is never lost: the plain reading needs no model.
            intent = classify(text)
        self._thinking.pop(turn, None)
        spent_ms = (self._pipeline.clock.now() - began) * 1000
        await self._pipeline.post(ev.Understood(turn, intent, spent_ms), seq)

    def _follow(self, event: ev.Event) -> None:
        """Remember the last turns, so that "it" and "that file" can be understood."""
        match event:
            case ev.Understood(intent=intent):
                self._dialog = self._dialog.add(intent.text, intent)
            case ev.JobFinished(outcome=outcome):
                self._dialog = self._dialog.settle(outcome.summary)
            case ev.JobFailed(problem=problem):
                self._dialog = self._dialog.settle(problem.message)
            case _:
                pass
