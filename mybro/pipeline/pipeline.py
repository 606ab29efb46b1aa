"""Runs the state machine: takes events in order, publishes them, and has their effects carried out."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from mybro import events as ev
from mybro.audio.wake import Wake, WakePhrase
from mybro.clock import Clock, MonotonicClock
from mybro.errors import MybroError
from mybro.pipeline.effects import Effect
from mybro.pipeline.patience import Patience
from mybro.pipeline.pauses import Pauses
from mybro.pipeline.performer import Performer
from mybro.pipeline.ports import Listens, Stages
from mybro.pipeline.problems import problem_of
from mybro.pipeline.state import JobPhase, State
from mybro.pipeline.transition import transition

log = logging.getLogger(__name__)

INBOX = 4096
"""Events that may wait; whoever posts more waits too."""
CLOSE_STAGES_S = 1.5
CLOSE_JOURNAL_S = 0.4

Watcher = Callable[[ev.Envelope], None]


class Pipeline:
    """One session. Use it as an asynchronous context manager: leaving it shuts everything down in order."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        wall: Callable[[], float] = time.time,
        acting: bool = True,
        watchers: tuple[Watcher, ...] = (),
        patience: Patience | None = None,
        pauses: Pauses | None = None,
    ) -> None:
        """`patience` decides how long a quiet ends a turn; without one the ear does."""
        self.state = State(acting=acting, pauses=pauses or Pauses())
        if patience is not None:
            self.state = replace(self.state, patience=patience)
        self.ear: Listens | None = None
        """Is told when a turn is to end."""
        self.clock: Clock = clock or MonotonicClock()
        self._wall = wall
        self._watchers = list(watchers)
        self._began = self.clock.now()
        self._seq = itertools.count(1)
        self._turns = itertools.count(1)
        self._hand_questions = itertools.count(1, 2)
        self._inbox: asyncio.Queue[tuple[ev.Event, int | None]] = asyncio.Queue(INBOX)
        self._own: deque[tuple[ev.Event, int | None]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._changed = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()
        """Set when the session has been asked to end."""
        self._stages: Stages
        self._performer: Performer

    def attach(self, stages: Stages) -> None:
        """Give the session its stages, which report through `post`; before it is entered."""
        self._stages = stages
        self._performer = Performer(self, stages)

    def watch(self, watcher: Watcher) -> None:
        """Let one more watcher see every event from here on."""
        self._watchers.append(watcher)

    def wake_by(self, phrase: str) -> None:
        """Take from here on only what begins with the phrase for meant."""
        self.state = replace(self.state, wake=Wake(WakePhrase(phrase)))

    def next_turn(self) -> int:
        return next(self._turns)

    def next_question(self) -> int:
        """A number for a hand's question; the state machine gives itself the even ones."""
        return next(self._hand_questions)

    async def post(self, event: ev.Event, cause: int | None = None) -> None:
        """Put an event into the queue; waits while the queue is full."""
        await self._inbox.put((event, cause))

    def post_own(self, event: ev.Event, cause: int | None) -> None:
        """The machine's own events go before all others and never wait."""
        self._own.append((event, cause))

    def spawn(self, work: Coroutine[Any, Any, None], *, counts: bool = True) -> asyncio.Task[None]:
        """Run an effect beside the loop; one that does not count, a timer, keeps `settled` from waiting."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        self._waiting += counts

        def done(finished: asyncio.Task[None]) -> None:
            self._tasks.discard(finished)
            self._waiting -= counts
            self._changed.set()
            if not finished.cancelled() and (error := finished.exception()) is not None:
                self._own.append((ev.StageFailed("executor", problem_of(error)), None))
                self._wake()

        task.add_done_callback(done)
        return task

    async def settled(self, *, jobs: bool = True) -> None:
        """Return once nothing goes on that would go on without the person."""
        while not self._is_settled(jobs):
            self._changed.clear()
            await self._changed.wait()

    def _is_settled(self, jobs: bool) -> bool:
        if self._own or not self._inbox.empty() or self._waiting or self.state.saying:
            return False
        return not (jobs and self.state.busy) or self.ended.is_set()

    def _wake(self) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._inbox.put_nowait((_NOTHING, None))

    async def __aenter__(self) -> Self:
        self._loop = asyncio.create_task(self._run())
        return self

    async def _run(self) -> None:
        while True:
            event, cause = self._own.popleft() if self._own else await self._inbox.get()
            if event is not _NOTHING:
                await self._step(event, cause)
            self._changed.set()

    async def _step(self, event: ev.Event, cause: int | None) -> None:
        state, effects = transition(self.state, event)
        envelope = ev.Envelope(
            next(self._seq), self.clock.now() - self._began, event, _audio_time(event, state), cause,
            self.state.generation, self._wall(),
        )  # fmt: skip
        self.state = state
        await self._performer.record(envelope)
        for watch in self._watchers:
            try:
                watch(envelope)
            except Exception:
                log.exception("a watcher failed")
        for effect in effects:
            self._perform(effect, envelope)

    def _perform(self, effect: Effect, envelope: ev.Envelope) -> None:
        try:
            self._performer.perform(effect, envelope.seq)
        except MybroError as error:
            self.post_own(ev.StageFailed("executor", error.problem), envelope.seq)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Shut down within two seconds, from any state: jobs first, the journal last."""
        self.ended.set()
        self._changed.set()
        stages = self._stages
        first = [
            stage.aclose()
            for stage in (stages.executor, stages.mouth, stages.transcription, stages.brain)
            if stage
        ]
        await _bounded(asyncio.gather(*first, return_exceptions=True), CLOSE_STAGES_S)
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None
        while not self._inbox.empty():
            event, cause = self._inbox.get_nowait()
            if event is not _NOTHING:
                await self._step(event, cause)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await _bounded(self._performer.aclose(), CLOSE_JOURNAL_S)

    @property
    def running(self) -> bool:
        """Whether a job is at work right now."""
        return any(job.phase is not JobPhase.WAITING for job in self.state.jobs.values())


def _audio_time(event: ev.Event, state: State) -> int:
    """The sample that an event is about, or the newest one known."""
    match event:
        case ev.SpeechPaused(utterance=utterance) | ev.SpeechEnded(utterance=utterance):
            return utterance.audio.end
        case _:
            sample: int = getattr(event, "sample", state.sample)
            return sample


_NOTHING: Any = object()
"""Wakes the loop, which otherwise waits for the inbox alone."""


async def _bounded(work: Any, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(work, seconds)
