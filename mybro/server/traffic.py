"""Requests and answers on the wire: bodies that end, refusals that arrive, numbers that tell them apart."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from mybro.errors import MybroError, ServerError
from mybro.server import faults

LINGER_S = 2.0
_REQUEST_ID = re.compile(rb"[\w.-]{1,64}")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class Body:
    """Counts a body as it comes."""

    def __init__(self, receive: Receive, limit: int, seconds: float) -> None:
        self.unbounded, self._limit = receive, limit
        self._ends = asyncio.get_running_loop().time() + seconds
        self._size = 0
        self._whole = False
        self.fault: ServerError | None = None
        """What was wrong with it; whoever parses it may have hidden that behind an error of its own."""

    async def receive(self) -> Message:
        if self._whole:
            return await self.unbounded()
        try:
            async with asyncio.timeout_at(self._ends):
                message = await self.unbounded()
        except TimeoutError:
            self.fault = ServerError("body_too_slow", "the request did not come in whole in time")
            raise self.fault from None
        self._size += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._size > self._limit:
            self.fault = too_large(self._limit)
            raise self.fault
        return message


class Answer:
    """Adds the request's number and the safe headers, and knows whether an answer has begun."""

    def __init__(self, receive: Receive, send: Send, request_id: str) -> None:
        self.receive, self._send = receive, send
        self.request_id = request_id
        self.status = 0
        self.origin = b""
        self.body: Body | None = None
        self._replaced = False

    async def send(self, message: Message) -> None:
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            if self.body is not None and self.body.fault is not None and not self.status:
                await self.refuse(self.body.fault)
                self._replaced = True
                return
            self.status = message["status"]
            headers = message.setdefault("headers", [])
            given = {name for name, _ in headers}
            headers.append((b"x-request-id", self.request_id.encode()))
            headers.extend(pair for pair in _HEADERS if pair[0] not in given)
        await self._send(message)

    async def refuse(self, error: MybroError) -> None:
        if self.status:
            return  # half an answer cannot be taken back; the connection ends
        content = json.dumps(faults.body(error, self.request_id)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        status = faults.status_of(error)
        if status in (408, 413):
            # What is left of the body is not waited for.
            headers.append((b"connection", b"close"))
        if status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        if isinstance(error, TooManyError):
            headers.append((b"retry-after", str(int(error.wait) + 1).encode()))
        if self.origin:
            headers.append((b"access-control-allow-origin", self.origin))
            headers.append((b"access-control-allow-credentials", b"true"))
        body, self.body = self.body, None
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": content, "more_body": True})
        if status == 413:
            await _linger(body.unbounded if body is not None else self.receive)
        await self._send({"type": "http.response.body", "body": b""})


async def _linger(receive: Receive) -> None:
    """Take what is still coming, for a moment: a client that is cut off does not read why."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            while (message := await receive())["type"] == "http.request" and message.get("more_body"):
                pass


class TooManyError(ServerError):
    wait = 1.0


def too_many(wait: float) -> ServerError:
    error = TooManyError("too_many_requests", "too many calls in too short a time", retryable=True)
    error.wait = wait
    return error


def too_large(limit: int) -> ServerError:
    return ServerError("body_too_large", f"the body may have at most {limit} bytes")


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    known: dict[bytes, bytes] | None = scope.get("mybro.headers")
    if known is None:
        known = scope["mybro.headers"] = dict(scope["headers"])
    return known


def address_of(scope: Scope) -> str:
    client: Any = scope.get("client")
    return client[0] if client else "local"


def request_id_of(scope: Scope) -> str:
    scope.setdefault("state", {})
    given = headers_of(scope).get(b"x-request-id", b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


async def refuse_websocket(scope: Scope, send: Send, error: MybroError, request_id: str) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": error.code})
        return
    content = json.dumps(faults.body(error, request_id)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    status = faults.status_of(error)
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": content})
