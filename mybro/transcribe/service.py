"""Transcription for the pipeline: one worker process kept alive, and every request answered."""

from __future__ import annotations

import asyncio

from mybro.clock import Clock, MonotonicClock
from mybro.config import TranscribeSettings
from mybro.errors import (
    ChildError,
    ModelLoadError,
    MybroError,
    RecogniserDiedError,
    TranscriptionError,
    TranscriptionTimeout,
)
from mybro.events import AudioBlock, Transcribed
from mybro.ops.frames import Header
from mybro.transcribe.choice import Fetch, check_language, setup_for
from mybro.transcribe.client import WorkerProcess, failure, transcribed
from mybro.transcribe.mailbox import Request
from mybro.transcribe.mending import mend, prepare
from mybro.transcribe.pending import Pending
from mybro.transcribe.prompt import prompt_for
from mybro.transcribe.recogniser import Setup
from mybro.transcribe.smaller import Fit
from mybro.transcribe.threads import in_thread

MAX_DEATHS = 5
"""In a row, without an answer in between: after these the requests that wait are given up."""
BACK_OFF_S = (0.0, 0.0, 0.5, 1.0, 2.0)
"""Before the next start, by the number of deaths in a row."""


def _closed() -> TranscriptionError:
    return TranscriptionError("recogniser_closed", "the speech recogniser is not running")


class Transcription:
    """Speech to text in a worker process that is restarted when it dies.

    `start` before `transcribe`; `aclose` ends it, at any time. All from one event loop.
    """

    def __init__(
        self, settings: TranscribeSettings, *, clock: Clock | None = None, call: str | None = None
    ) -> None:
        """`call` is a phrase that may stand first: it is told in `Transcribed.called`, and left out."""
        self._settings = settings
        self._call = (call or "").strip()
        self._clock = clock or MonotonicClock()
        self._setup: Setup | None = None
        self._worker: WorkerProcess | None = None
        self._pending = Pending()
        self._supervisor: asyncio.Task[None] | None = None
        self._alarm: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._changing = asyncio.Lock()
        self._deaths = 0
        self._fit = Fit(settings.language, self._clock)
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
            if self._supervisor is None:
                setup = await self._fit.at_first(await in_thread(prepare, self._settings, fetch))
                try:
                    await self._begin(setup)
                except ModelLoadError:
                    if not await in_thread(mend, setup):
                        raise
                    await self._begin(await in_thread(prepare, self._settings, fetch))

    async def transcribe(
        self,
        turn: int,
        request: int,
        audio: AudioBlock,
        *,
        speculative: bool = False,
        quick: bool = False,
        expected: str = "",
    ) -> Transcribed | None:
        """The words in `audio`; None if the request was dropped or replaced meanwhile.

        `request` is a number that is never used twice. A newer speculative request of a turn replaces one
        that still waits; a confirmed one is never replaced. A `quick` one is answered with what first comes
        to the recogniser's mind. `expected` are names that may have been said.
        Raises `TranscriptionError`.
        """
        if self._closed or self._setup is None:
            raise _closed()
        language = self._settings.language
        extra = f"{self._settings.prompt} {expected}"
        prompt = prompt_for(language, extra, latin_names=self._settings.latin_names)
        asked = Request(request, turn, audio.pcm, prompt, language, speculative, quick, self._call)
        answer = self._pending.add(asked)
        self._wanted.set()
        if self._worker:
            self._worker.send(asked)
        try:
            return await answer
        finally:
            # Nothing is left to drop, unless the caller was cancelled.
            self.drop(request)

    def drop(self, request: int) -> None:
        """Forget a request: its `transcribe` returns None. A number that is not known is ignored."""
        if self._pending.settle(request, None) and self._worker:
            self._worker.drop(request)

    async def switch(self, backend: str, model: str, fetch: Fetch | None = None) -> None:
        """Stop the worker and start another with a different model; what waits is answered by that one.

        Where the new one cannot be had, the old one serves on and the error is raised.
        """
        settings = self._settings.model_copy(update={"backend": backend, "model": model})
        async with self._changing:
            setup = await in_thread(setup_for, settings, fetch)
            former = self._setup
            await self._stop()
            try:
                await self._begin(setup)
            except BaseException:
                if former:
                    self._supervise_from(former, None)
                raise
            self._settings = settings

    async def upgrade(self) -> bool:
        """Switch to the model that "auto" means by now; False where no better one has arrived.

        Raises what `switch` raises.
        """
        if self._settings.model != "auto" or self._setup is None or self._setup.backend == "openai":
            return False
        if self._fit.shrunk:
            return False  # there is no room for it
        better = await in_thread(setup_for, self._settings, None)
        if (better.backend, better.model) == (self.name, self.model):
            return False
        await self.switch(better.backend, better.model)
        return True

    async def aclose(self) -> None:
        """End the worker; requests that wait are answered with an error."""
        self._closed = True
        await self._stop()
        self._pending.give_up(_closed())

    # ------------------------------------------------------------------ one worker after another

    async def _begin(self, setup: Setup) -> None:
        """Return once a worker has loaded `setup`. Raises what went wrong with the first one."""
        first = asyncio.get_running_loop().create_future()
        self._supervise_from(setup, first)
        try:
            await first
        except BaseException:
            await self._stop()
            raise

    def _supervise_from(self, setup: Setup, first: asyncio.Future[None] | None) -> None:
        if self._closed:
            raise _closed()
        self._supervisor = asyncio.create_task(self._supervise(setup, first))
        self._supervisor.add_done_callback(self._supervisor_ended)

    def _supervisor_ended(self, task: asyncio.Task[None]) -> None:
        # Only a fault of ours ends it otherwise; nobody must wait for ever because of it.
        if not task.cancelled() and task.exception():
            self._pending.give_up(_closed())
            self._setup = None

    async def _stop(self) -> None:
        supervisor, self._supervisor = self._supervisor, None
        if supervisor:
            supervisor.cancel()
            await asyncio.wait({supervisor})

    async def _supervise(self, setup: Setup, first: asyncio.Future[None] | None) -> None:
        """Serve with one worker after another, until cancelled; `first` hears of the first one."""
        self._deaths = 0
        try:
            worker = await (self._launch(setup) if first else self._revive(setup))
        except (MybroError, asyncio.CancelledError) as error:
            if first and not first.done():
                first.set_exception(error if isinstance(error, MybroError) else _closed())
            return
        self._setup = setup
        if first and not first.done():
            first.set_result(None)
        while True:
            await self._serve(worker)
            setup = self._setup = await self._fit.after(await worker.status(), setup)
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
        error: TranscriptionError = RecogniserDiedError(
            "recogniser_crashes", "the speech recogniser crashes again and again"
        )
        while True:
            if self._deaths >= MAX_DEATHS:
                self._pending.give_up(error)
                # Somebody has to ask before it is tried again.
                self._wanted.clear()
                await self._wanted.wait()
            else:
                await self._clock.sleep(BACK_OFF_S[self._deaths])
            try:
                return await self._launch(setup)
            except TranscriptionError as failed:
                self._deaths = self._deaths + 1 if failed.retryable else MAX_DEATHS
                error = failed

    async def _serve(self, worker: WorkerProcess) -> None:
        """Send what waits, deliver answers, and return when the worker has died."""
        self._worker = worker
        try:
            for request in self._pending:
                worker.send(request)
            while header := await worker.receive():
                self._deliver(worker, header)
            self._deaths += 1
            if worker.running is not None:
                self._pending.died_of(worker.running, worker.epitaph())
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
        request = self._pending.get(number)
        if header["type"] == "failed":
            self._pending.settle(number, failure(header))
        elif header["type"] == "dropped":
            self._pending.settle(number, None)
        elif request:
            self._pending.settle(number, transcribed(request, header, f"{self.name}/{self.model}"))

    async def _time_out(self, worker: WorkerProcess, number: int) -> None:
        """Kill a worker that does not answer in time; its request is not tried again."""
        await self._clock.sleep(self._settings.timeout_s)
        message = f"the speech recogniser took longer than {self._settings.timeout_s:g} s"
        self._pending.settle(number, TranscriptionTimeout("recogniser_timeout", message, retryable=True))
        worker.kill()

    def _disarm(self) -> None:
        alarm, self._alarm = self._alarm, None
        if alarm:
            alarm.cancel()
