"""A session with its page and API."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mybro import __version__
from mybro.brain.brain import Brain
from mybro.clock import MonotonicClock
from mybro.config import Settings
from mybro.errors import ServerError
from mybro.events import StopAll
from mybro.pipeline.budgets import SessionBudget
from mybro.pipeline.conversations import Conversations
from mybro.pipeline.diffs import SessionDiffs
from mybro.pipeline.health import SessionHealth
from mybro.pipeline.ports import Thinks
from mybro.pipeline.recognisers import SessionEars
from mybro.pipeline.recollection import SessionMemory, SessionVoice
from mybro.pipeline.service import SessionWork
from mybro.pipeline.upkeep import keep_up
from mybro.server.cache import Cache, InMemory, Redis, Tiers
from mybro.server.kept_secrets import with_secrets
from mybro.server.logs import EventLog, LogRing, logging_to
from mybro.server.measures import Measures
from mybro.server.port import Services
from mybro.server.runner import Served, serving
from mybro.server.store import Store
from mybro.server.stream import EventStream
from mybro.server.tasks import Queue, queue_for

if TYPE_CHECKING:
    from mybro.events import Envelope
    from mybro.pipeline.session import Session

log = logging.getLogger("mybro.server")


@dataclass
class Server:
    """What has to be there before the session, so that it sees everything from the first event on."""

    settings: Settings
    store: Store
    logs: LogRing
    stream: EventStream = field(default_factory=EventStream)
    measures: Measures = field(default_factory=Measures)
    conversations: Conversations | None = None
    event_log: EventLog = field(default_factory=EventLog)
    queue: Queue | None = None
    _stopping: set[asyncio.Task[None]] = field(default_factory=set)

    def watch(self, envelope: Envelope) -> None:
        """A watcher of the pipeline."""
        if isinstance(envelope.event, StopAll) and self.queue is not None:
            self._stopping.add(stopping := asyncio.create_task(_stop(self.queue)))
            stopping.add_done_callback(self._stopping.discard)
        self.stream.take(envelope)
        self.event_log.watch(envelope)
        self.measures.watch(envelope)

    def think(self, brain: Brain) -> Thinks:
        """The brain, with clients' conversations and the cache around it."""
        chosen, ttl_s = self.settings.brain, self.settings.server.cache_ttl_s
        redis = self.settings.server.redis_url
        first: Cache = Redis(redis.get_secret_value()) if redis else InMemory()
        name = f"{chosen.provider}/{chosen.model}/{chosen.hard_model}/{chosen.openai_model}"
        self.conversations = Conversations(
            brain, cache=Tiers((first, _Kept(self.store)), ttl_s), ttl_s=ttl_s, name=name
        )
        return self.conversations

    @contextlib.asynccontextmanager
    async def serve(self, session: Session) -> AsyncIterator[Served]:
        """Serve a session until the block is left. Raises `ServerError`."""
        pipeline, settings = session.pipeline, self.settings
        conversations = self.conversations or Conversations(session.brain)
        ears = SessionEars(pipeline, settings, session.transcription) if session.transcription else None
        diffs = SessionDiffs(pipeline, session.repo, settings.executor)
        work = SessionWork(pipeline, conversations, ears.use if ears else None, diffs.of)
        health = SessionHealth(pipeline, session.repo, settings.executor)
        services = Services(
            work, ears, SessionVoice(settings.speak),
            SessionMemory(session.journal), {"repo": str(session.repo), "version": __version__}, health,
            SessionBudget(settings.executor),
        )  # fmt: skip
        upkeep = None
        if settings.server.celery_url is None:
            upkeep = asyncio.create_task(keep_up(settings, MonotonicClock()))
        self.queue = queue_for(settings.server)
        try:
            async with serving(
                settings.server, services, self.stream, self.measures, self.store, self.logs, self.queue
            ) as served:
                yield served
        finally:
            if upkeep is not None:
                upkeep.cancel()
                await asyncio.wait([upkeep])
            await health.aclose()
            if ears is not None:
                await ears.aclose()


@contextlib.asynccontextmanager
async def server(settings: Settings) -> AsyncIterator[Server]:
    """The parts of a server that come before its session. Raises `ServerError`."""
    settings = settings.model_copy(update={"server": with_secrets(settings.server)})
    url = settings.server.database_url
    store = await Store.open(
        url.get_secret_value() if url else None, retention_days=settings.journal.retention_days
    )
    try:
        with logging_to(transcripts=settings.server.log_transcripts) as logs:
            yield Server(settings, store, logs)
    finally:
        await store.aclose()


async def _stop(queue: Queue) -> None:
    try:
        await queue.stop()
    except ServerError as error:
        log.warning("workers were not told to stop: %s", error.message)


class _Kept:
    """The store as the cache's second tier; it outlives the cache."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, key: str) -> str | None:
        return await self._store.get(key)

    async def put(self, key: str, body: str, ttl_s: float) -> None:
        await self._store.put(key, body, ttl_s)

    async def clear(self) -> None:
        await self._store.clear()

    async def aclose(self) -> None:
        pass
