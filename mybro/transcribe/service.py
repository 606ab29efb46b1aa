"""Transcription for the pipeline: one worker process kept alive, and every request answered."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from mybro.clock import Clock, MonotonicClock
from mybro.config import TranscribeSettings
from mybro.errors import ChildError, MybroError, TranscriptionError
from mybro.events import AudioBlock, Transcribed
from mybro.ops.frames import Header
from mybro.transcribe.choice import Fetch, check_language, setup_for
from mybro.transcribe.client import WorkerProcess, failure
from mybro.transcribe.mailbox import Request
from mybro.transcribe.prompt import prompt_for
from mybro.transcribe.recogniser import Setup

TRIES = 2
"""A segment that a worker died of is tried again once."""
MAX_DEATHS = 5
"""In a row, without an answer in between: after these the requests that wait are given up."""
BACK_OFF_S = (0.0, 0.5, 1.0, 2.0, 4.0)


def _closed() -> TranscriptionError:
    return TranscriptionError("recogniser_closed", "the speech recogniser is not running")


@dataclass(slots=True)
class _Pending:
    request: Request
    answer: asyncio.Future[Transcribed | None]
    tries: int = 1


class Transcription:
    """Speech to text in a worker process that is restarted when it dies.

    `start` before `transcribe`; `aclose` ends it, at any time. All from one event loop.
    """

    def __init__(self, settings: TranscribeSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or MonotonicClock()
        self._setup: Setup | None = None
        self._worker: WorkerProcess | None = None
        self._pending: dict[int, _Pending] = {}
        self._supervisor: asyncio.Task[None] | None = None
        self._alarm: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._changing = asyncio.Lock()
        self._deaths = 0
        self._closed = False

    @property
    def name(self) -> str:
        """The backend's name; empty before `start`."""
        return self._setup.backend if self._setup else ""

    @property
    def model(self) -> str:
        """The model's name; empty before `start`."""
        return self._setup.model if self._setup else ""

    @property
    def ready(self) -> bool:
        """Whether a loaded worker waits for requests at this moment."""
        return self._worker is not None

    @property
    def worker_pid(self) -> int | None:
        return self._worker.pid if self._worker else None

    async def start(self, fetch: Fetch | None = None) -> None:
        """Start a worker, load the model and rehearse it.

        `fetch` gets weights that are missing (it may block: it runs in a thread); without it they are
        an error. Raises `ModelError` or `TranscriptionError`.
        """
        async with self._changing:
            await self._begin(await _in_thread(setup_for, self._settings, fetch))

    async def transcribe(
        self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False
    ) -> Transcribed | None:
        """The words in `audio`; None if the request was dropped or replaced meanwhile.

        `request` is a number that is never used twice. A newer speculative request of a turn replaces one
        that still waits; a confirmed one is never replaced. Raises `TranscriptionError`.
        """
        if self._closed or self._setup is None:
            raise _closed()
        language = self._settings.language
        prompt = prompt_for(language, self._settings.prompt, latin_names=self._settings.latin_names)
        asked = Request(request, turn, audio.pcm, prompt, language, speculative)
        pending = _Pending(asked, asyncio.get_running_loop().create_future())
        self._pending[request] = pending
        self._wanted.set()
        if self._worker:
            self._worker.send(asked)
        try:
            return await pending.answer
        finally:
            if self._pending.pop(request, None) and self._worker:
                self._worker.drop(request)

    def drop(self, request: int) -> None:
        """Forget a request: its `transcribe` returns None. A number that is not known is ignored."""
        pending = self._pending.pop(request, None)
        if pending and not pending.answer.done():
            pending.answer.set_result(None)
            if self._worker:
                self._worker.drop(request)

    async def switch(self, backend: str, model: str, fetch: Fetch | None = None) -> None:
        """Stop the worker and start another with a different model; what waits is answered by that one.

        Where the new one cannot be had, the old one serves on and the error is raised.
        """
        settings = self._settings.model_copy(update={"backend": backend, "model": model})
        async with self._changing:
            setup = await _in_thread(setup_for, settings, fetch)
            former = self._setup
            await self._stop()
            try:
                await self._begin(setup)
            except MybroError:
                if former and not self._closed:
                    await self._begin(former)
                raise
            self._settings = settings

    async def aclose(self) -> None:
        """End the worker; requests that wait are answered with an error."""
        self._closed = True
        await self._stop()
        self._give_up(_closed())

    # ------------------------------------------------------------------ one worker after another

    async def _begin(self, setup: Setup) -> None:
        first = asyncio.get_running_loop().create_future()
        self._supervisor = asyncio.create_task(self._supervise(setup, first))
        try:
            await first
        except asyncio.CancelledError:
            await self._stop()
            raise

    async def _stop(self) -> None:
        supervisor, self._supervisor = self._supervisor, None
        if supervisor:
            supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await supervisor

    async def _supervise(self, setup: Setup, first: asyncio.Future[None]) -> None:
        """Serve with one worker after another, until cancelled; `first` hears of the first one."""
        try:
            worker = await self._launch(setup)
        except BaseException as error:
            if not first.done():
                first.set_exception(error if isinstance(error, MybroError) else _closed())
            if isinstance(error, MybroError):
                return
            raise
        self._setup, self._deaths = setup, 0
        if not first.done():
            first.set_result(None)
        while True:
            await self._serve(worker)
            worker = await self._revive(setup)

    async def _launch(self, setup: Setup) -> WorkerProcess:
        try:
            worker = await WorkerProcess.start(setup, self._clock)
        except ChildError as error:
            raise TranscriptionError(error.code, error.message, retryable=True) from error
        try:
            check_language(self._settings.language, worker.languages, setup.name)
        except TranscriptionError:
            await worker.aclose()
            raise
        return worker

    async def _revive(self, setup: Setup) -> WorkerProcess:
        """The next worker after a death; waits longer from death to death."""
        error = TranscriptionError("recogniser_crashes", "the speech recogniser crashes again and again")
        while True:
            if self._deaths >= MAX_DEATHS:
                self._give_up(error)
                # Somebody has to ask before it is tried again.
                self._wanted.clear()
                await self._wanted.wait()
            await self._clock.sleep(BACK_OFF_S[min(self._deaths, len(BACK_OFF_S)) - 1])
            try:
                return await self._launch(setup)
            except TranscriptionError as failed:
                self._deaths = self._deaths + 1 if failed.retryable else MAX_DEATHS
                error = failed

    async def _serve(self, worker: WorkerProcess) -> None:
        """Send what waits, deliver answers, and return when the worker has died."""
        self._worker = worker
        try:
            for pending in self._pending.values():
                worker.send(pending.request)
            while header := await worker.receive():
                self._deliver(worker, header)
            self._bury(worker)
        finally:
            self._worker = None
            self._disarm()
            await worker.aclose()

    def _deliver(self, worker: WorkerProcess, header: Header) -> None:
        number = header["request"]
        if header["type"] == "started":
            worker.running = number
            self._alarm = asyncio.create_task(self._time_out(worker, number))
            return
        if worker.running == number:
            worker.running = None
            self._deaths = 0
            self._disarm()
        pending = self._pending.pop(number, None)
        if pending is None or pending.answer.done():
            return
        if header["type"] == "failed":
            pending.answer.set_exception(failure(header))
        elif header["type"] == "dropped":
            pending.answer.set_result(None)
        else:
            pending.answer.set_result(self._transcribed(pending.request, header))

    def _transcribed(self, request: Request, header: Header) -> Transcribed:
        return Transcribed(
            turn=request.turn,
            request=request.number,
            text=header["text"],
            model=f"{self.name}/{self.model}",
            language=header["language"],
            no_speech_probability=header["no_speech_probability"],
            average_logprob=header["average_logprob"],
            processing_ms=header["timings_ms"]["total"],
        )

    def _bury(self, worker: WorkerProcess) -> None:
        """Count a death, and give up the request that the worker died of if it had its second chance."""
        self._deaths += 1
        pending = self._pending.get(worker.running) if worker.running is not None else None
        if pending is None:
            return
        if pending.tries < TRIES:
            pending.tries += 1
            return
        del self._pending[pending.request.number]
        if not pending.answer.done():
            error = TranscriptionError("recogniser_died", worker.epitaph(), retryable=True)
            pending.answer.set_exception(error)

    async def _time_out(self, worker: WorkerProcess, number: int) -> None:
        """Kill a worker that does not answer in time; its request is not tried again."""
        await self._clock.sleep(self._settings.timeout_s)
        pending = self._pending.pop(number, None)
        if pending and not pending.answer.done():
            message = f"the speech recogniser took longer than {self._settings.timeout_s:g} s"
            pending.answer.set_exception(TranscriptionError("recogniser_timeout", message, retryable=True))
        worker.kill()

    def _disarm(self) -> None:
        alarm, self._alarm = self._alarm, None
        if alarm:
            alarm.cancel()

    def _give_up(self, error: TranscriptionError) -> None:
        waiting, self._pending = list(self._pending.values()), {}
        for pending in waiting:
            if not pending.answer.done():
                pending.answer.set_exception(error)


_P = ParamSpec("_P")
_T = TypeVar("_T")


async def _in_thread(work: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
    """Like `asyncio.to_thread`, but a download that nobody waits for any more does not keep the program."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def finish(result: _T | None, error: Exception | None) -> None:
        if not done.done():
            done.set_exception(error) if error else done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work(*arguments, **named)
        except Exception as raised:
            error = raised
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(finish, result, error)

    threading.Thread(target=run, name="weights", daemon=True).start()
    return await done
