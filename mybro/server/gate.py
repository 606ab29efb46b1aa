"""The one way in: hosts, origins, credentials, rates and bodies are judged before anything is parsed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mybro.errors import MybroError, ServerError
from mybro.server import faults
from mybro.server.auth import Doorkeeper, Who
from mybro.server.rates import Rates

log = logging.getLogger("mybro.server")

OPEN_PATHS = frozenset({"/healthz", "/openapi.json", "/v1/session"})
"""What may be asked for without credentials: nothing in it is anybody's."""
CLOSED_PREFIXES = ("/v1/", "/api/", "/ws/", "/metrics")
"""Everything else is the page's files."""
UPLOAD_PREFIXES = ("/v1/audio/", "/v1/voice/")
SMALL_BODY = 256 << 10
LINGER_S = 2.0
SAFE = frozenset({"GET", "HEAD"})
_REQUEST_ID = re.compile(rb"[\w.-]{1,64}")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


@dataclass
class Rules:
    """What the gate goes by."""

    doorkeeper: Doorkeeper
    hosts: Collection[str]
    """Names that the Host header may have, with their ports."""
    origins: Collection[str]
    """The page's own, and those of other pages that may use the API."""
    rates: Rates
    upload_bytes: int
    body_timeout_s: float
    max_connections: int
    now: Callable[[], float] = time.monotonic
    on_request: Callable[[str, str, int, float], None] = lambda _method, _path, _status, _seconds: None
    """Told of each: method, path as the route has it, status, seconds."""
    connections: int = 0
    failures: Rates = field(default_factory=lambda: Rates(2.0, 40))
    """Wrong credentials, by address."""


class Gate:
    """Wraps the whole application, HTTP and WebSockets alike."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = self._rules.now()
        answer = _Answer(receive, send, _request_id(scope))
        answer.origin = self._allowed_origin(scope)
        scope["state"]["request_id"] = answer.request_id
        try:
            self._admit(scope)
            answer.body = self._body(scope, receive)
            await self._app(scope, answer.body.receive if answer.body else receive, answer.send)
        except MybroError as error:
            if error.code != "too_many_requests":
                log.info("refused %s: %s", scope["path"], error.code, extra={"id": answer.request_id})
            await answer.refuse(error)
        except Exception as error:
            # Its text may hold what somebody said: only its kind is logged.
            log.error("fault in %s: %s", scope["path"], type(error).__name__, extra={"id": answer.request_id})
            await answer.refuse(ServerError("internal_error", "something went wrong inside mybro"))
        route = getattr(scope.get("route"), "path", "other")
        self._rules.on_request(scope["method"], route, answer.status, self._rules.now() - began)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _request_id(scope)
        scope["state"]["request_id"] = request_id
        rules = self._rules
        try:
            self._admit(scope)
            if rules.connections >= rules.max_connections:
                raise ServerError("too_many_connections", "too many connections are open", retryable=True)
        except MybroError as error:
            await _refuse_websocket(scope, send, error, request_id)
            return
        rules.connections += 1
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            log.error("fault in %s: %s", scope["path"], type(error).__name__, extra={"id": request_id})
        finally:
            rules.connections -= 1

    def _admit(self, scope: Scope) -> None:
        """Let a request through, with `who` it is of. Raises `ServerError`."""
        rules = self._rules
        headers = _headers(scope)
        if headers.get(b"host", b"").decode("latin-1").lower() not in rules.hosts:
            raise ServerError(
                "foreign_host", "this server does not go by that name", hint="See: server.allowed_hosts"
            )
        origin = headers.get(b"origin", b"").decode("latin-1")
        risky = scope["type"] == "websocket" or scope["method"] not in SAFE
        if origin and risky and origin not in rules.origins:
            raise ServerError(
                "foreign_origin", "pages of that origin may not do this", hint="See: server.cors_origins"
            )
        path: str = scope["path"]
        if path.startswith(CLOSED_PREFIXES) and path not in OPEN_PATHS and scope.get("method") != "OPTIONS":
            who = scope["state"]["who"] = self._identify(scope, headers)
            self._rate(who.name)
            if who.by == "cookie" and risky and not origin and scope["type"] == "http":
                # A browser says where it comes from: what carries its cookie and does not is no page.
                raise ServerError("foreign_origin", "a request with the page's cookie needs an Origin")
        else:
            self._rate(_address(scope))

    def _identify(self, scope: Scope, headers: dict[bytes, bytes]) -> Who:
        try:
            return self._rules.doorkeeper.who(
                headers.get(b"authorization", b"").decode("latin-1"),
                headers.get(b"cookie", b"").decode("latin-1"),
            )
        except ServerError:
            if wait := self._rules.failures.take(_address(scope), self._rules.now()):
                raise _too_many(wait) from None
            raise

    def _rate(self, client: str) -> None:
        if wait := self._rules.rates.take(client, self._rules.now()):
            raise _too_many(wait)

    def _allowed_origin(self, scope: Scope) -> bytes:
        origin = _headers(scope).get(b"origin", b"")
        return origin if origin.decode("latin-1") in self._rules.origins else b""

    def _body(self, scope: Scope, receive: Receive) -> _Body | None:
        """The body, if there is one, of at most so many bytes in so many seconds. Raises `ServerError`."""
        headers = _headers(scope)
        declared = headers.get(b"content-length")
        if declared is None and b"transfer-encoding" not in headers:
            return None
        limit = self._rules.upload_bytes if scope["path"].startswith(UPLOAD_PREFIXES) else SMALL_BODY
        if declared is not None and not (declared.isdigit() and int(declared) <= limit):
            raise _too_large(limit)
        return _Body(receive, limit, self._rules.body_timeout_s)


class _Body:
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
            self.fault = _too_large(self._limit)
            raise self.fault
        return message


class _Answer:
    """Adds the request's number and the safe headers, and knows whether an answer has begun."""

    def __init__(self, receive: Receive, send: Send, request_id: str) -> None:
        self.receive, self._send = receive, send
        self.request_id = request_id
        self.status = 0
        self.origin = b""
        self.body: _Body | None = None
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
        if isinstance(error, _TooManyError):
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


class _TooManyError(ServerError):
    wait = 1.0


def _too_many(wait: float) -> ServerError:
    error = _TooManyError("too_many_requests", "too many calls in too short a time", retryable=True)
    error.wait = wait
    return error


def _too_large(limit: int) -> ServerError:
    return ServerError("body_too_large", f"the body may have at most {limit} bytes")


def _headers(scope: Scope) -> dict[bytes, bytes]:
    known: dict[bytes, bytes] | None = scope.get("mybro.headers")
    if known is None:
        known = scope["mybro.headers"] = dict(scope["headers"])
    return known


def _address(scope: Scope) -> str:
    client: Any = scope.get("client")
    return client[0] if client else "local"


def _request_id(scope: Scope) -> str:
    scope.setdefault("state", {})
    given = _headers(scope).get(b"x-request-id", b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


async def _refuse_websocket(scope: Scope, send: Send, error: MybroError, request_id: str) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": error.code})
        return
    content = json.dumps(faults.body(error, request_id)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    status = faults.status_of(error)
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": content})
