"""A worker of Celery for sessions of the same person: recordings, the doctor, and what is periodic."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import logging
import os
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from mybro.config import Settings, data_dir
from mybro.errors import MybroError, ServerError, TranscriptionError
from mybro.events import AudioBlock
from mybro.executor.actions import doctor
from mybro.pipeline.health import told
from mybro.pipeline.recognisers import settings_for
from mybro.pipeline.upkeep import CHORES
from mybro.server import celery_queue as queue
from mybro.server import sound
from mybro.server.decoding import decoded
from mybro.server.faults import body
from mybro.server.kept_secrets import with_secrets
from mybro.transcribe.service import Transcription

log = logging.getLogger("mybro.server")

AT_ONCE = 2
MODELS = 2
"""So many stay loaded."""
_LOOK_S = 0.3
"""Between looks at whether a task is to end."""

Json = dict[str, Any]


class Shop:
    """The worker's own event loop, in a thread of its own, with the models that it has loaded."""

    def __init__(self, settings: Settings, redis_url: str, name: str) -> None:
        from redis.asyncio import Redis

        self._settings, self._name = settings, name
        self._redis: Any = Redis.from_url(redis_url, decode_responses=True)
        self._loaded: dict[tuple[str, str], Transcription] = {}
        self._numbers = 0
        self._loading: asyncio.Lock | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        # Known to be alive before it takes anything.
        self.wait(self._say_alive())
        self._beating = asyncio.run_coroutine_threadsafe(self._beat(), self._loop)

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """From any thread but the loop's own."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def do(self, number: str, work: Coroutine[Any, Any, Json]) -> Json:
        """A task: what comes of it, or the error as a value, so that no text of a fault gets into Redis."""
        return dict(self.wait(self._do(number, work)))

    def close(self) -> None:
        self._beating.cancel()
        self.wait(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # ------------------------------------------------------------------------ what it can do

    async def transcribe(self, sound_b64: str, model_id: str, language: str | None, prompt: str) -> Json:
        pcm = await decoded(base64.b64decode(sound_b64))
        recogniser = await self._recogniser(model_id, language)
        self._numbers += 1
        began = self._loop.time()
        number = self._numbers
        heard = await recogniser.transcribe(number, number, AudioBlock(0, pcm), expected=prompt)
        if heard is None:
            raise TranscriptionError("recogniser_closed", "the recogniser was closed", retryable=True)
        return {
            "text": heard.text, "model_id": heard.model, "language": heard.language,
            "latency_ms": (self._loop.time() - began) * 1e3, "seconds": len(pcm) / (2 * sound.RATE),
        }  # fmt: skip

    async def examine(self, repo: str) -> Json:
        return told(await doctor.checked(Path(repo), self._settings.executor))

    async def chore(self, name: str) -> Json:
        return {"deleted": await CHORES[name](self._settings)}

    # ------------------------------------------------------------------------ inside the loop

    async def _do(self, number: str, work: Coroutine[Any, Any, Json]) -> Json:
        working = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait([working], timeout=_LOOK_S))[0]:
                if await self._redis.exists(queue.stop_key(number)):
                    working.cancel()
            return await working
        except MybroError as error:
            return body(error, number)
        except asyncio.CancelledError:
            return body(ServerError("stopped", "it was stopped"), number)
        except Exception as error:
            log.error("fault in a task: %s", type(error).__name__)
            return body(ServerError("internal_error", "something went wrong inside mybro"), number)

    async def _recogniser(self, model_id: str, language: str | None) -> Transcription:
        settings = settings_for(self._settings.transcribe, model_id, language)
        key = (f"{settings.backend}/{settings.model}", settings.language)
        self._loading = self._loading or asyncio.Lock()
        async with self._loading:
            if (found := self._loaded.get(key)) is None:
                while len(self._loaded) >= MODELS:
                    await self._loaded.pop(next(iter(self._loaded))).aclose()
                found = Transcription(settings)
                try:
                    await found.start()
                except BaseException:
                    await found.aclose()
                    raise
                self._loaded[key] = found
        return found

    async def _say_alive(self) -> None:
        await self._redis.set(queue.alive_key(self._name), "1", ex=queue.ALIVE_S)
        await self._redis.sadd(queue.WORKERS, self._name)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(queue.ALIVE_S / 4)
            try:
                await self._say_alive()
            except Exception as error:
                log.warning("the queue of tasks does not answer (%s)", type(error).__name__)

    async def _end(self) -> None:
        for recogniser in self._loaded.values():
            await recogniser.aclose()
        try:
            await self._redis.delete(queue.alive_key(self._name))
            await self._redis.srem(queue.WORKERS, self._name)
            await self._redis.aclose()
        except Exception as error:
            log.warning("the queue of tasks does not answer (%s)", type(error).__name__)


@dataclasses.dataclass
class _Opened:
    shop: Shop | None = None
    beat: Any = None

    @property
    def here(self) -> Shop:
        assert self.shop is not None  # noqa: S101
        return self.shop


def application(settings: Settings, *, beat: bool = False) -> Any:
    """The Celery application of a worker, with a beat if it is to have one. Raises `ServerError`."""
    secret = settings.server.celery_url
    if secret is None:
        raise ServerError(
            "no_queue",
            "no queue of tasks is configured",
            hint="Run: mybro serve secret celery_url, or set MYBRO_SERVER__CELERY_URL",
        )
    url = secret.get_secret_value()
    app = queue.app(url, results=True)
    opened = _Opened()
    _when_it_begins(app, settings, url, opened, beat=beat)
    _teach(app, opened)
    app.conf.beat_schedule = {
        name: {
            "task": f"{queue.PREFIX}chore", "schedule": settings.server.upkeep_s, "kwargs": {"name": name},
            "options": {"expires": settings.server.upkeep_s},
        }
        for name in CHORES
    }  # fmt: skip
    return app


def _schedule() -> Path:
    folder = data_dir()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "beat-schedule"


def _teach(app: Any, opened: _Opened) -> None:
    @app.task(name=f"{queue.PREFIX}transcribe", bind=True)  # type: ignore[untyped-decorator]
    def transcribe(self: Any, sound: str, model_id: str, language: str | None, prompt: str) -> Json:
        work = opened.here.transcribe(sound, model_id, language, prompt)
        return opened.here.do(self.request.id, work)

    @app.task(name=f"{queue.PREFIX}examine", bind=True)  # type: ignore[untyped-decorator]
    def examine(self: Any, repo: str) -> Json:
        return opened.here.do(self.request.id, opened.here.examine(repo))

    @app.task(name=f"{queue.PREFIX}chore", bind=True)  # type: ignore[untyped-decorator]
    def chore(self: Any, name: str) -> Json:
        return opened.here.do(self.request.id, opened.here.chore(name))


def _when_it_begins(app: Any, settings: Settings, url: str, opened: _Opened, *, beat: bool) -> None:
    from celery import signals
    from celery.beat import EmbeddedService

    def begin(sender: Any, **_more: Any) -> None:
        # Celery's own lines hold what tasks are given and what comes of them.
        for name in ("celery.app.trace", "celery.worker.strategy"):
            logging.getLogger(name).setLevel(logging.WARNING)
        opened.shop = Shop(settings, url, str(sender.hostname))
        if beat:
            # A thread, as Celery's own process for it outlives a worker that is killed.
            opened.beat = EmbeddedService(app, thread=True, schedule_filename=str(_schedule()))
            opened.beat.start()

    def end(**_more: Any) -> None:
        beating, opened.beat = opened.beat, None
        if beating is not None:
            beating.stop()
        shop, opened.shop = opened.shop, None
        if shop is not None:
            shop.close()

    signals.worker_init.connect(begin, weak=False)
    signals.worker_shutdown.connect(end, weak=False)


def work(settings: Settings, *, beat: bool) -> int:
    """Be a worker until a signal ends it; the exit status."""
    settings = settings.model_copy(update={"server": with_secrets(settings.server)})
    app = application(settings, beat=beat)
    arguments = [
        "worker", "--pool=threads", f"--concurrency={AT_ONCE}", "--loglevel=WARNING", "--without-gossip",
        "--without-mingle", "--without-heartbeat", f"--hostname=mybro-{os.getpid()}@%h", "--queues=mybro",
    ]  # fmt: skip
    app.worker_main(arguments)
    return 0
