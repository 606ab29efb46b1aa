"""Work that is done by Celery's workers, with Redis between: `mybro serve worker`.

A worker that has begun something is never asked again: where it dies, nobody knows how far it came, and the
task is "interrupted". What is in Redis is there for a day.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mybro.errors import MybroError, ServerError
from mybro.server.shapes import Task
from mybro.server.tasks import MOST_KEPT, OPEN, Call, InProcess, Work, fail, new_task

log = logging.getLogger("mybro.server")
T = TypeVar("T")

PREFIX = "mybro."
"""Of the names of what a worker can do."""
KEPT_S = 86_400
ALIVE_S = 5
"""A worker says again and again that it lives; one that is silent for longer is dead."""
WORKERS, TASKS = "mybro:workers", "mybro:tasks"
_META = "celery-task-meta-"
"""Where Celery keeps what came of a task."""
_REDIS_S = 2.0
_POLL_S = (0.02, 0.05, 0.1, 0.2)
"""Between one look and the next; the last again and again."""


def alive_key(worker: str) -> str:
    return f"mybro:worker:{worker}"


def stop_key(number: str) -> str:
    """Is there where a task is to end."""
    return f"mybro:stop:{number}"


def app(url: str, *, results: bool = False) -> Any:
    """A Celery application at a Redis server. Raises `ServerError` where the library is missing."""
    try:
        from celery import Celery
    except ModuleNotFoundError:
        raise ServerError(
            "no_celery", "Celery is not installed", hint="In mybro's checkout: uv pip install -e '.[scale]'"
        ) from None
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise ServerError("bad_setting", "server.celery_url is no address of a Redis server")
    made = Celery("mybro", broker=url, backend=url if results else None, set_as_current=False)
    made.conf.update(
        accept_content=["json"], task_serializer="json", result_serializer="json", enable_utc=True,
        # Acknowledged before it begins, so that no task is begun twice.
        task_acks_late=False, worker_prefetch_multiplier=1, task_track_started=True,
        result_expires=KEPT_S, worker_hijack_root_logger=False, broker_connection_retry_on_startup=True,
        broker_transport_options={"socket_timeout": _REDIS_S, "socket_connect_timeout": _REDIS_S},
        redis_socket_timeout=_REDIS_S, redis_socket_connect_timeout=_REDIS_S, task_default_queue="mybro",
        worker_enable_remote_control=False, worker_send_task_events=False,
    )  # fmt: skip
    return made


class CeleryQueue:
    """Sends what workers can do to them, and does the rest in this process."""

    def __init__(self, url: str, *, fallback: bool, wall: Callable[[], float] = time.time) -> None:
        """`fallback`: where no worker can be reached, the work is done here instead of refused."""
        self._here = InProcess(wall)
        self._fallback, self._wall = fallback, wall
        self._app = app(url)
        from redis.asyncio import Redis

        self._redis: Any = Redis.from_url(
            url, socket_timeout=_REDIS_S, socket_connect_timeout=_REDIS_S, decode_responses=True
        )
        self._sent: dict[str, None] = {}

    async def run(self, kind: str, work: Work, wait_s: float | None = None, call: Call | None = None) -> Task:
        if call is None:
            return await self._here.run(kind, work, wait_s)
        try:
            number = await self._send(kind, call)
        except ServerError as error:
            if not self._fallback:
                work.close()
                raise
            log.warning("%s is done in the session: %s", kind, error.message)
            return await self._here.run(kind, work, wait_s)
        work.close()
        return await self._follow(number, wait_s)

    async def kept(self, number: str | None = None) -> list[Task]:
        if number is not None:
            try:
                return await self._here.kept(number)
            except ServerError:
                return [await self._task(number)]
        own = await self._here.kept()
        try:
            numbers = await self._ask(self._redis.zrevrange(TASKS, 0, MOST_KEPT - 1))
            sent = [await self._known(one) for one in numbers]
        except ServerError as error:
            log.warning("the workers' tasks cannot be listed: %s", error.message)
            sent = []
        own += [task for task in sent if task is not None]
        return sorted(own, key=lambda task: -task.created)

    async def stop(self) -> None:
        for number in list(self._sent):
            await self._ask(self._redis.set(stop_key(number), "1", ex=KEPT_S))

    async def aclose(self) -> None:
        await self._here.aclose()
        await self._redis.aclose()
        await asyncio.to_thread(self._app.close)

    # ------------------------------------------------------------------------ one task

    async def _send(self, kind: str, call: Call) -> str:
        """Raises `ServerError` queue_failed, no_worker."""
        if not await self._workers():
            raise ServerError(
                "no_worker", "no worker is at work", hint="Start one: mybro serve worker", retryable=True
            )
        number, created = uuid.uuid4().hex, self._wall()
        async with self._redis.pipeline() as pipe:
            pipe.set(_key(number), json.dumps({"kind": kind, "created": created}), ex=KEPT_S)
            pipe.zadd(TASKS, {number: created})
            pipe.zremrangebyrank(TASKS, 0, -MOST_KEPT - 1)
            await self._ask(pipe.execute())
        try:
            # What is given to it may be what somebody said: it is in no header and no log.
            await asyncio.to_thread(
                self._app.send_task, PREFIX + call.name, kwargs=call.arguments(), task_id=number, retry=False,
                argsrepr="()", kwargsrepr="{}", expires=KEPT_S,
            )  # fmt: skip
        except Exception as error:
            with contextlib.suppress(ServerError):
                await self._ask(self._redis.delete(_key(number)))
            raise _failed(error) from None
        self._sent[number] = None
        while len(self._sent) > MOST_KEPT:
            self._sent.pop(next(iter(self._sent)))
        return number

    async def _workers(self) -> list[str]:
        """The names of those that live."""
        known = sorted(await self._ask(self._redis.smembers(WORKERS)))
        return [name for name in known if await self._ask(self._redis.exists(alive_key(name)))]

    async def _follow(self, number: str, wait_s: float | None) -> Task:
        loop = asyncio.get_running_loop()
        ends = None if wait_s is None else loop.time() + wait_s
        look = 0
        while True:
            task = await self._task(number)
            if task.state not in OPEN:
                self._sent.pop(number, None)
            elif ends is None or loop.time() < ends:
                pause = _POLL_S[min(look, len(_POLL_S) - 1)]
                await asyncio.sleep(pause if ends is None else min(pause, max(0.0, ends - loop.time())))
                look += 1
                continue
            return task

    async def _known(self, number: str) -> Task | None:
        """One of the list; None where it is too old to be kept."""
        try:
            return await self._task(number)
        except ServerError as error:
            if error.code == "no_such_task":
                return None
            raise

    async def _task(self, number: str) -> Task:
        """Raises `ServerError` no_such_task, queue_failed."""
        sent, meta = await self._ask(self._redis.mget(_key(number), _META + number))
        if sent is None:
            raise ServerError("no_such_task", f"there is no task {number}")
        task = new_task(number=number, **json.loads(sent))
        if meta is not None:
            await self._settle(task, json.loads(meta))
        return task

    async def _settle(self, task: Task, meta: dict[str, Any]) -> None:
        """What Celery wrote down of it."""
        found = meta.get("result")
        match meta.get("status"):
            case "STARTED":
                worker = str((found or {}).get("hostname", ""))
                alive = await self._ask(self._redis.exists(alive_key(worker)))
                # Looked at before its end was written, and its worker after.
                again = (
                    None if alive else json.loads(await self._ask(self._redis.get(_META + task.id)) or "{}")
                )
                if again is not None and again.get("status") != "STARTED":
                    await self._settle(task, again)
                elif alive:
                    task.state = "running"
                else:
                    _interrupted(task)
            case "SUCCESS" if isinstance(found, dict) and "error" in found:
                fail(task, _told(found["error"]))
            case "SUCCESS":
                task.result, task.state = found, "done"
            case _:
                _interrupted(task)

    @staticmethod
    async def _ask(command: Awaitable[T]) -> T:
        """Raises `ServerError` queue_failed."""
        from redis.exceptions import RedisError

        try:
            return await command
        except (RedisError, OSError, TimeoutError) as error:
            raise _failed(error) from None


def _key(number: str) -> str:
    return f"mybro:task:{number}"


def _interrupted(task: Task) -> None:
    error = ServerError(
        "interrupted", "the worker that did it has ended: what came of it is not known",
        hint="Look at what it was about, then ask again if you want to: it is not begun again by itself",
    )  # fmt: skip
    fail(task, error)
    task.state = "interrupted"


def _told(error: dict[str, Any]) -> MybroError:
    return ServerError(
        str(error["code"]), str(error["message"]), hint=str(error.get("hint", "")),
        retryable=bool(error.get("retryable")),
    )  # fmt: skip


def _failed(error: Exception) -> ServerError:
    return ServerError(
        "queue_failed", f"the queue of tasks does not answer ({type(error).__name__})",
        hint="Look after the Redis server of server.celery_url", retryable=True,
    )  # fmt: skip
