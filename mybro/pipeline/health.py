"""The doctor as the server's port has it."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from mybro import events as ev
from mybro.config import ExecutorSettings
from mybro.errors import ServerError
from mybro.executor.actions import doctor
from mybro.executor.actions.checkup import Checkup, remembered
from mybro.pipeline.pipeline import Pipeline
from mybro.server.port import Json


class SessionHealth:
    """The server's `Health`. Everybody who asks while it looks gets the same answer."""

    def __init__(self, pipeline: Pipeline, repo: Path, settings: ExecutorSettings) -> None:
        self._repo = repo
        self._settings = settings
        self._looking: asyncio.Task[Checkup] | None = None
        pipeline.watch(self._watch)

    async def last(self) -> Json | None:
        found = await asyncio.to_thread(remembered, self._repo)
        return told(found) if found is not None else None

    async def examine(self) -> Json:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(doctor.checked(self._repo, self._settings))
        looking = self._looking
        try:
            return told(await asyncio.shield(looking))
        except asyncio.CancelledError:
            if looking.cancelled():
                raise ServerError("stopped", "the doctor was stopped") from None
            raise

    async def aclose(self) -> None:
        """End what looks."""
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._looking

    def _watch(self, envelope: ev.Envelope) -> None:
        if isinstance(envelope.event, ev.StopAll) and self._looking is not None:
            self._looking.cancel()


def told(found: Checkup) -> Json:
    """What was found, each with the number by which it is spoken of."""
    whole = found.model_dump(mode="json")
    entries = whole.pop("important")
    return {**whole, "findings": [{"number": number, **entry} for number, entry in enumerate(entries, 1)]}
