"""What a sentence was understood as, kept in tiers: memory or Redis, then the store, then the model."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from mybro.errors import MybroError, ServerError

log = logging.getLogger("mybro.server")

IN_MEMORY = 2000
REDIS_S = 0.25
"""A cache that takes longer than this is no help."""
_PREFIX = "mybro:intent:"


class Cache(Protocol):
    """Texts under keys, for a time."""

    async def get(self, key: str) -> str | None: ...

    async def put(self, key: str, body: str, ttl_s: float) -> None: ...

    async def clear(self) -> None: ...

    async def aclose(self) -> None: ...


class InMemory:
    """The newest of this run."""

    def __init__(self, size: int = IN_MEMORY, now: Callable[[], float] = time.monotonic) -> None:
        self._size, self._now = size, now
        self._kept: OrderedDict[str, tuple[float, str]] = OrderedDict()

    async def get(self, key: str) -> str | None:
        found = self._kept.get(key)
        if found is None or found[0] <= self._now():
            self._kept.pop(key, None)
            return None
        self._kept.move_to_end(key)
        return found[1]

    async def put(self, key: str, body: str, ttl_s: float) -> None:
        self._kept[key] = (self._now() + ttl_s, body)
        self._kept.move_to_end(key)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)

    async def clear(self) -> None:
        self._kept.clear()

    async def aclose(self) -> None:
        self._kept.clear()


class Redis:
    """A Redis server, by its URL. Raises `ServerError` cache_failed."""

    def __init__(self, url: str) -> None:
        try:
            from redis.asyncio import Redis as Client
        except ModuleNotFoundError:
            raise ServerError(
                "no_redis",
                "the Redis library is not installed",
                hint="In mybro's checkout: uv pip install -e '.[scale]'",
            ) from None
        try:
            self._client: Any = Client.from_url(
                url, socket_timeout=REDIS_S, socket_connect_timeout=REDIS_S, decode_responses=True
            )
        except ValueError:
            raise ServerError("bad_setting", "server.redis_url is no address of a Redis server") from None

    async def get(self, key: str) -> str | None:
        found: str | None = await self._do(self._client.get(_PREFIX + key))
        return found

    async def put(self, key: str, body: str, ttl_s: float) -> None:
        await self._do(self._client.set(_PREFIX + key, body, px=max(1, int(ttl_s * 1000))))

    async def clear(self) -> None:
        await self._do(self._delete_all())

    async def _delete_all(self) -> None:
        async for name in self._client.scan_iter(match=f"{_PREFIX}*"):
            await self._client.delete(name)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _do(self, command: Any) -> Any:
        from redis.exceptions import RedisError

        try:
            return await command
        except (RedisError, OSError, TimeoutError) as error:
            raise ServerError(
                "cache_failed", f"Redis failed ({type(error).__name__})", retryable=True
            ) from None


class Tiers:
    """The quickest first; what a later one knows is kept in those before it. One that fails is left out."""

    def __init__(self, tiers: Sequence[Cache], ttl_s: float) -> None:
        self._tiers, self._ttl_s = tiers, ttl_s

    async def get(self, key: str) -> str | None:
        for at, tier in enumerate(self._tiers):
            try:
                found = await tier.get(key)
            except MybroError as error:
                log.warning("a tier of the cache failed: %s", error.code)
                continue
            if found is not None:
                await self._put(self._tiers[:at], key, found, self._ttl_s)
                return found
        return None

    async def put(self, key: str, body: str, ttl_s: float) -> None:
        await self._put(self._tiers, key, body, ttl_s)

    async def clear(self) -> None:
        """Raises what a tier raises: what was to be forgotten and is not must be told."""
        for tier in self._tiers:
            await tier.clear()

    async def aclose(self) -> None:
        for tier in self._tiers:
            await tier.aclose()

    @staticmethod
    async def _put(tiers: Sequence[Cache], key: str, body: str, ttl_s: float) -> None:
        for tier in tiers:
            try:
                await tier.put(key, body, ttl_s)
            except MybroError as error:
                log.warning("a tier of the cache failed: %s", error.code)
