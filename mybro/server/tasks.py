"""Work of the API that takes longer than a client should wait."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from mybro.config import ServerSettings
from mybro.errors import MybroError, ServerError
from mybro.server import faults
from mybro.server.shapes import Task

log = logging.getLogger("mybro.server")

PATIENCE_S = 0.2
"""Longer work becomes a task, unless the client says how long it waits."""
MOST_RUNNING = 32
MOST_KEPT = 500
OPEN = ("queued", "running")
"""The states that a task leaves again."""

Work = Coroutine[Any, Any, BaseModel]


@dataclass(frozen=True, slots=True)
class Call:
    """The same work for somebody who does not have this session at hand."""

    name: str
    arguments: Callable[[], dict[str, Any]]
    """Gives them as JSON; not called where nobody else is asked."""


class Queue(Protocol):
    """Where tasks are done."""

    async def run(self, kind: str, work: Work, wait_s: float | None, call: Call | None = None) -> Task:
        """Begin it; return it once it is over, or so many seconds later. Raises `ServerError`.

        `call` says the same work for a worker elsewhere; work without one needs this process.
        """
        ...

    async def kept(self, number: str | None = None) -> list[Task]:
        """All, the newest first, or that one. Raises `ServerError` no_such_task."""
        ...

    async def stop(self) -> None:
        """End what is done elsewhere; work of this process is stopped by the session itself."""
        ...

    async def aclose(self) -> None: ...


def queue_for(settings: ServerSettings) -> Queue:
    """This process, or the workers that the settings name. Raises `ServerError`."""
    if settings.celery_url is None:
        return InProcess()
    from mybro.server.celery_queue import CeleryQueue

    return CeleryQueue(settings.celery_url.get_secret_value(), fallback=settings.celery_fallback)


class InProcess:
    """Does tasks in this process, and remembers the newest."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._kept: OrderedDict[str, Task] = OrderedDict()
        self._running: set[asyncio.Task[None]] = set()

    async def run(
        self, kind: str, work: Work, wait_s: float | None = PATIENCE_S, _call: Call | None = None
    ) -> Task:
        if len(self._running) >= MOST_RUNNING:
            work.close()
            raise ServerError("too_many_requests", "too many tasks are running", retryable=True)
        task = new_task(kind, secrets.token_hex(8), self._wall())
        task.state = "running"
        self._kept[task.id] = task
        running = asyncio.create_task(self._do(task, work))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        self._forget()
        await asyncio.wait([running], timeout=wait_s)
        return task

    async def kept(self, number: str | None = None) -> list[Task]:
        if number is None:
            return list(reversed(self._kept.values()))
        if (task := self._kept.get(number)) is None:
            raise ServerError("no_such_task", f"there is no task {number}")
        return [task]

    async def stop(self) -> None:
        pass

    async def aclose(self) -> None:
        for running in list(self._running):
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _do(self, task: Task, work: Work) -> None:
        try:
            task.result = (await work).model_dump(mode="json")
            task.state = "done"
        except MybroError as error:
            fail(task, error)
        except asyncio.CancelledError:
            fail(task, ServerError("cancelled", "the server ended first"))
            raise
        except Exception as error:
            log.error("fault in a task of kind %s: %s", task.kind, type(error).__name__)
            fail(task, ServerError("internal_error", "something went wrong inside mybro"))

    def _forget(self) -> None:
        for number in [one.id for one in self._kept.values() if one.state not in OPEN]:
            if len(self._kept) <= MOST_KEPT:
                return
            del self._kept[number]


def new_task(kind: str, number: str, created: float) -> Task:
    return Task(id=number, kind=kind, state="queued", created=created, url=f"/v1/tasks/{number}")


def fail(task: Task, error: MybroError) -> None:
    task.error = faults.body(error, task.id)["error"]
    task.state = "failed"


def result_of(task: Task) -> dict[str, Any]:
    """What came of a task that is over. Raises what it failed with."""
    if task.error is not None:
        told = task.error
        raise ServerError(
            told["code"], told["message"], hint=told["hint"], retryable=told.get("retryable", False)
        )
    return task.result or {}
