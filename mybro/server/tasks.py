"""Work of the API that takes longer than a client should wait."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from pydantic import BaseModel

from mybro.errors import MybroError, ServerError
from mybro.server import faults
from mybro.server.shapes import Task

log = logging.getLogger("mybro.server")

PATIENCE_S = 0.2
"""Longer work becomes a task, unless the client says how long it waits."""
MOST_RUNNING = 32
MOST_KEPT = 500

Work = Coroutine[Any, Any, BaseModel]


class Queue(Protocol):
    """Where tasks are done."""

    async def run(self, kind: str, work: Work, wait_s: float) -> Task:
        """Begin it; return it once it is over, or so many seconds later. Raises `ServerError`."""
        ...

    def get(self, number: str) -> Task:
        """Raises `ServerError` no_such_task."""
        ...

    def all(self) -> list[Task]: ...

    async def aclose(self) -> None: ...


class InProcess:
    """Does tasks in this process, and remembers the newest."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._kept: OrderedDict[str, Task] = OrderedDict()
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, kind: str, work: Work, wait_s: float = PATIENCE_S) -> Task:
        if len(self._running) >= MOST_RUNNING:
            work.close()
            raise ServerError("too_many_requests", "too many tasks are running", retryable=True)
        number = secrets.token_hex(8)
        task = Task(
            id=number, kind=kind, state="running", created=self._wall(), url=f"/v1/tasks/{number}"
        )  # fmt: skip
        self._kept[number] = task
        running = asyncio.create_task(self._do(task, work))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        self._forget()
        await asyncio.wait([running], timeout=wait_s)
        return task

    def get(self, number: str) -> Task:
        if (task := self._kept.get(number)) is None:
            raise ServerError("no_such_task", f"there is no task {number}")
        return task

    def all(self) -> list[Task]:
        return list(reversed(self._kept.values()))

    async def aclose(self) -> None:
        for running in list(self._running):
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _do(self, task: Task, work: Work) -> None:
        try:
            task.result = (await work).model_dump(mode="json")
            task.state = "done"
        except MybroError as error:
            self._fail(task, error)
        except asyncio.CancelledError:
            self._fail(task, ServerError("cancelled", "the server ended first"))
            raise
        except Exception as error:
            log.error("fault in a task of kind %s: %s", task.kind, type(error).__name__)
            self._fail(task, ServerError("internal_error", "something went wrong inside mybro"))

    @staticmethod
    def _fail(task: Task, error: MybroError) -> None:
        task.error = faults.body(error, task.id)["error"]
        task.state = "failed"

    def _forget(self) -> None:
        for number in [one.id for one in self._kept.values() if one.state != "running"]:
            if len(self._kept) <= MOST_KEPT:
                return
            del self._kept[number]
