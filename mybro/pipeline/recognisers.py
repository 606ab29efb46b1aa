"""Speech to text for clients: the session's recogniser, and others in workers of their own."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from mybro.audio.ear import Ear
from mybro.config import Settings, TranscribeSettings
from mybro.errors import ModelError, ServerError, TranscriptionError
from mybro.events import AudioBlock, ModelSwitched
from mybro.models import Backend, find, models, named
from mybro.models.catalogue import BACKENDS
from mybro.models.store import installed
from mybro.pipeline.feed import make_ear
from mybro.pipeline.live_speech import PushedSource, Recognise, SpeechStream
from mybro.pipeline.pipeline import Pipeline
from mybro.server.port import Heard, SpeechModel
from mybro.transcribe.choice import backend_for
from mybro.transcribe.service import Transcription

WORKERS = 4
"""Workers of clients beside the session's own."""
REQUESTS_FROM = 2_000_000_000
"""Beyond what a session counts up to."""
_LIST_S = 5.0


@dataclass
class _Worker:
    """A recogniser that some clients use."""

    transcription: Transcription
    users: int = 0
    used: float = 0.0


class SessionEars:
    """The server's `Ears`."""

    def __init__(self, pipeline: Pipeline, settings: Settings, transcription: Transcription) -> None:
        self._pipeline, self._settings, self._own = pipeline, settings, transcription
        self._numbers = itertools.count(REQUESTS_FROM)
        self._shared: dict[tuple[str, str], _Worker] = {}
        self._alone: set[Transcription] = set()
        self._starting = asyncio.Lock()
        self._listening = False
        self._listed: tuple[float, list[SpeechModel]] = (float("-inf"), [])

    # ------------------------------------------------------------------ the port

    @property
    def current(self) -> str:
        return f"{self._own.name}/{self._own.model}"

    def models(self) -> list[SpeechModel]:
        now = time.monotonic()
        if now - self._listed[0] > _LIST_S:
            self._listed = (now, self._list())
        return self._listed[1]

    async def transcribe(
        self, pcm: bytes, model_id: str | None = None, language: str | None = None, prompt: str = ""
    ) -> Heard:
        recogniser, worker = await self._for_request(model_id, language)
        try:
            heard = await self._recognise(recogniser, pcm, expected=prompt)
        finally:
            if worker is not None:
                worker.users -= 1
                worker.used = time.monotonic()
        if heard is None:
            raise TranscriptionError("recogniser_closed", "the recogniser was closed", retryable=True)
        return heard

    async def stream(self, model_id: str | None = None) -> SpeechStream:
        alone: list[Transcription] = []
        own = model_id in (None, self.current, self._own.model)
        chosen = self._own if own else await self._fresh(str(model_id))
        if chosen is not self._own:
            alone.append(chosen)

        async def switch(wanted: str) -> Recognise:
            fresh = await self._fresh(wanted)
            alone.append(fresh)
            return self._recogniser_of(fresh)

        async def close() -> None:
            while alone:
                await self._end(alone.pop())

        return SpeechStream(self._settings.audio, self._recogniser_of(chosen), switch, close)

    async def listen(self, sound: AsyncIterator[bytes], name: str) -> None:
        if self._listening:
            raise ServerError("microphone_busy", "another microphone of a browser is open", retryable=True)
        self._listening = True
        before = self._pipeline.ear
        source = PushedSource(name, live=True)
        ear: Ear = make_ear(self._pipeline, self._settings, lockstep=False, jobs=True)
        hearing = asyncio.create_task(ear.listen(source))
        try:
            async for pcm in sound:
                await source.feed(pcm)
            await source.end()
            await hearing
        finally:
            self._listening = False
            self._pipeline.ear = before
            await source.aclose()
            await asyncio.gather(hearing, return_exceptions=True)

    async def use(self, model_id: str) -> None:
        """Have the session itself recognise with another model. Raises `ModelError`, `TranscriptionError`."""
        settings = self._settings_of(model_id, self._settings.transcribe.language)
        async with self._starting:
            await self._own.switch(settings.backend, settings.model)
        self._listed = (float("-inf"), [])
        await self._pipeline.post(ModelSwitched(self.current))

    async def aclose(self) -> None:
        """End every worker but the session's own."""
        shared, self._shared = self._shared, {}
        for transcription in [*(one.transcription for one in shared.values()), *self._alone]:
            await transcription.aclose()
        self._alone.clear()

    # ------------------------------------------------------------------ recognisers

    def _recogniser_of(self, transcription: Transcription) -> Recognise:
        turn = next(self._numbers)

        async def recognise(pcm: bytes, trial: bool) -> Heard | None:
            return await self._recognise(transcription, pcm, turn, trial=trial)

        return recognise

    async def _recognise(
        self, transcription: Transcription, pcm: bytes, turn: int | None = None, *, trial: bool = False,
        expected: str = "",
    ) -> Heard | None:  # fmt: skip
        began = time.monotonic()
        number = next(self._numbers)
        heard = await transcription.transcribe(
            number if turn is None else turn, number, AudioBlock(0, pcm),
            speculative=trial, quick=trial, expected=expected,
        )  # fmt: skip
        if heard is None:
            return None
        spent = (time.monotonic() - began) * 1e3
        return Heard(heard.text, heard.model, heard.language, latency_ms=spent)

    async def _for_request(
        self, model_id: str | None, language: str | None
    ) -> tuple[Transcription, _Worker | None]:
        """The recogniser for one recording, counted as used."""
        usual = self._settings.transcribe.language
        if model_id in (None, self.current, self._own.model) and language in (None, usual):
            return self._own, None
        settings = self._settings_of(model_id or self.current, language or usual)
        key = (f"{settings.backend}/{settings.model}", settings.language)
        async with self._starting:
            worker = self._shared.get(key)
            if worker is None:
                await self._make_room()
                worker = self._shared[key] = _Worker(await self._started(settings))
            worker.users += 1
        return worker.transcription, worker

    async def _fresh(self, model_id: str) -> Transcription:
        """A worker for one client alone."""
        settings = self._settings_of(model_id, self._settings.transcribe.language)
        async with self._starting:
            await self._make_room()
            fresh = await self._started(settings)
            self._alone.add(fresh)
        return fresh

    async def _end(self, transcription: Transcription) -> None:
        self._alone.discard(transcription)
        await transcription.aclose()

    async def _started(self, settings: TranscribeSettings) -> Transcription:
        transcription = Transcription(settings)
        try:
            await transcription.start()
        except BaseException:
            await transcription.aclose()
            raise
        return transcription

    async def _make_room(self) -> None:
        """End the worker that was idle longest, where there are as many as there may be."""
        if len(self._shared) + len(self._alone) < WORKERS:
            return
        idle = [(worker.used, key) for key, worker in self._shared.items() if not worker.users]
        if not idle:
            raise TranscriptionError("too_many_workers", "too many models are in use at once", retryable=True)
        await self._shared.pop(min(idle)[1]).transcription.aclose()

    def _settings_of(self, model_id: str, language: str) -> TranscribeSettings:
        return settings_for(self._settings.transcribe, model_id, language)

    @property
    def _backend(self) -> str:
        return backend_for(self._settings.transcribe.backend)

    def _list(self) -> list[SpeechModel]:
        # Behind an address are other models than here.
        backend: Backend = next((one for one in BACKENDS if one == self._backend), "faster-whisper")
        known = {model.key: model for model in models(backend)}
        known |= {weights.model.key: weights.model for weights in installed()}
        return [
            SpeechModel(
                model.key, model.backend, model.name, find(model) is not None, model.english_only,
                model.bytes_about, model.key == self.current,
            )
            for model in known.values()
        ]  # fmt: skip


def settings_for(chosen: TranscribeSettings, model_id: str, language: str | None) -> TranscribeSettings:
    """The settings with another model in them. Raises `ModelError` for a model that nobody knows."""
    backend, _, name = model_id.partition("/")
    if backend not in BACKENDS or not name:
        backend, name = backend_for(chosen.backend), model_id
    if name.startswith((".", "/", "~")) or ".." in name:
        # A client names models, never folders of this machine.
        raise ModelError("unknown_model", "models are known by name", hint="See: GET /api/v1/models")
    named(backend, name)  # type: ignore[arg-type]
    return chosen.model_copy(
        update={"backend": backend, "model": name, "language": language or chosen.language}
    )
