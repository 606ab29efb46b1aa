"""JSON-RPC 2.0 with an agent: one message a line, requests in both directions at once."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mybro.executor.claude.messages import Json
from mybro.executor.lines import LineProcess, keep
from mybro.ops.kept import Kept

CANCELLED = -32800
INTERNAL = -32603
INVALID_PARAMS = -32602
NO_SUCH_METHOD = -32601
NOT_FOUND = -32002
SIGN_IN = -32000

_MAX_BAD_LINES = 100
"""In a row: some agents write a log line among their messages, none writes only such lines."""
_MAX_SERVED = 64

_log = logging.getLogger(__name__)


class RpcError(Exception):
    """An error reply, received or to be sent."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class GoneError(Exception):
    """The agent ended before it replied."""


class Connection(LineProcess):
    """Notifications go to `on_notice` in order, one at a time; requests to `serve`, each in a task."""

    def __init__(
        self,
        kept: Kept,
        on_notice: Callable[[str, Json], Awaitable[None]],
        serve: Callable[[str, Json], Awaitable[Json]],
    ) -> None:
        self.bad_lines = 0
        """Lines in a row that were no messages."""
        self._on_notice = on_notice
        self._serve = serve
        self._numbers = itertools.count(1)
        self._replies: dict[int, asyncio.Future[Json]] = {}
        self._served: dict[str, asyncio.Task[None]] = {}
        super().__init__(kept)

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        on_notice: Callable[[str, Json], Awaitable[None]],
        serve: Callable[[str, Json], Awaitable[Json]],
    ) -> Connection:
        """Start the agent under a keeper. `serve` may raise `RpcError`. Raises `ExecutorError`."""
        return cls(await keep(argv, cwd=cwd, env=env), on_notice, serve)

    async def request(self, method: str, params: Json) -> Json:
        """Send a request and wait for its result. Raises `RpcError`, and `GoneError` where the agent ends."""
        number = next(self._numbers)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        try:
            await self._write({"id": number, "method": method, "params": params})
            await asyncio.wait({reply, self.ended}, return_when=asyncio.FIRST_COMPLETED)
            if not reply.done():
                raise GoneError
            result: Json = reply.result()
            return result
        finally:
            reply.cancel()
            del self._replies[number]

    async def notify(self, method: str, params: Json) -> None:
        """Send what needs no answer."""
        await self._write({"method": method, "params": params})

    async def aclose(self) -> None:
        for task in self._served.values():
            task.cancel()
        await asyncio.gather(*self._served.values(), return_exceptions=True)
        await super().aclose()

    async def take(self, line: bytes) -> None:
        try:
            raw = json.loads(line)
        except ValueError:
            raw = None
        if not isinstance(raw, dict) or not await self._route(raw):
            self.bad_lines += 1
            if self.bad_lines >= _MAX_BAD_LINES:
                self.kept.kill()
            return
        self.bad_lines = 0

    async def _route(self, raw: Json) -> bool:
        """Pass on one message; False where it is none."""
        method, number = raw.get("method"), raw.get("id")
        params = raw.get("params")
        if isinstance(method, str):
            params = params if isinstance(params, dict) else {}
            if method == "$/cancel_request":
                if (served := self._served.get(json.dumps(params.get("requestId")))) is not None:
                    served.cancel()
            elif number is None:
                await self._on_notice(method, params)
            else:
                await self._begin(number, method, params)
            return True
        waiting = self._replies.get(number) if isinstance(number, int) else None
        if waiting is not None and not waiting.done():
            error = raw.get("error")
            if isinstance(error, dict):
                waiting.set_exception(RpcError(_code(error), str(error.get("message") or "")))
            else:
                result = raw.get("result")
                waiting.set_result(result if isinstance(result, dict) else {})
        return "result" in raw or "error" in raw

    async def _begin(self, number: Any, method: str, params: Json) -> None:
        key = json.dumps(number)
        if len(self._served) >= _MAX_SERVED or key in self._served:
            await self._write({"id": number, "error": _error(RpcError(INTERNAL, "too many requests"))})
            return
        self._served[key] = asyncio.create_task(self._answer(key, number, method, params))

    async def _answer(self, key: str, number: Any, method: str, params: Json) -> None:
        try:
            body: Json = {"result": await self._serve(method, params)}
        except RpcError as error:
            body = {"error": _error(error)}
        except asyncio.CancelledError:
            body = {"error": _error(RpcError(CANCELLED, "cancelled"))}
        except Exception:
            _log.exception("a request of the agent could not be served")
            body = {"error": _error(RpcError(INTERNAL, "internal error"))}
        finally:
            self._served.pop(key, None)
        await self._write({"id": number, **body})

    async def _write(self, message: Json) -> None:
        await self.send(json.dumps({"jsonrpc": "2.0", **message}, allow_nan=False).encode() + b"\n")


def _error(error: RpcError) -> Json:
    return {"code": error.code, "message": error.message}


def _code(error: Json) -> int:
    code = error.get("code")
    return code if isinstance(code, int) else INTERNAL
