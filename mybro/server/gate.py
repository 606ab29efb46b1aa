"""The one way in: hosts, origins, credentials, rates and bodies are judged before anything is parsed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from mybro.errors import MybroError, ServerError
from mybro.server.auth import Doorkeeper, Who
from mybro.server.rates import Rates
from mybro.server.traffic import (
    LINGER_S,
    Answer,
    Body,
    address_of,
    headers_of,
    refuse_websocket,
    request_id_of,
    too_large,
    too_many,
)

log = logging.getLogger("mybro.server")

OPEN_PATHS = frozenset({"/", "/favicon.ico", "/healthz", "/openapi.json", "/v1/session"})
"""What may be asked for without credentials, as may the page's files: nothing in it is anybody's."""
PAGE_PREFIX = "/page/"
UPLOAD_PREFIXES = ("/v1/audio/", "/v1/voice/")
SMALL_BODY = 256 << 10
SAFE = frozenset({"GET", "HEAD"})


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
    recheck_s: float = 5.0
    """How soon a connection ends whose token has expired or been revoked."""
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
        answer = Answer(receive, send, request_id_of(scope))
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
        request_id = request_id_of(scope)
        scope["state"]["request_id"] = request_id
        rules = self._rules
        try:
            self._admit(scope)
            if rules.connections >= rules.max_connections:
                raise ServerError("too_many_connections", "too many connections are open", retryable=True)
        except MybroError as error:
            await refuse_websocket(scope, send, error, request_id)
            return
        rules.connections += 1
        serving = asyncio.create_task(_served(self._app, scope, receive, send))
        try:
            while not (await asyncio.wait([serving], timeout=rules.recheck_s))[0]:
                try:
                    self._identify(scope, headers_of(scope))
                except ServerError as error:
                    await send({"type": "websocket.close", "code": 1008, "reason": error.code})
                    await asyncio.wait([serving], timeout=LINGER_S)
                    break
        finally:
            rules.connections -= 1
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    def _admit(self, scope: Scope) -> None:
        """Let a request through, with `who` it is of. Raises `ServerError`."""
        rules = self._rules
        headers = headers_of(scope)
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
        is_open = path in OPEN_PATHS or path.startswith(PAGE_PREFIX) or scope.get("method") == "OPTIONS"
        if not is_open:
            who = scope["state"]["who"] = self._identify(scope, headers)
            self._rate(who.name)
            if who.by == "cookie" and risky and not origin and scope["type"] == "http":
                # A browser says where it comes from: what carries its cookie and does not is no page.
                raise ServerError("foreign_origin", "a request with the page's cookie needs an Origin")
        else:
            self._rate(address_of(scope))

    def _identify(self, scope: Scope, headers: dict[bytes, bytes]) -> Who:
        try:
            return self._rules.doorkeeper.who(
                headers.get(b"authorization", b"").decode("latin-1"),
                headers.get(b"cookie", b"").decode("latin-1"),
            )
        except ServerError:
            if wait := self._rules.failures.take(address_of(scope), self._rules.now()):
                raise too_many(wait) from None
            raise

    def _rate(self, client: str) -> None:
        if wait := self._rules.rates.take(client, self._rules.now()):
            raise too_many(wait)

    def _allowed_origin(self, scope: Scope) -> bytes:
        origin = headers_of(scope).get(b"origin", b"")
        return origin if origin.decode("latin-1") in self._rules.origins else b""

    def _body(self, scope: Scope, receive: Receive) -> Body | None:
        """The body, if there is one, of at most so many bytes in so many seconds. Raises `ServerError`."""
        headers = headers_of(scope)
        declared = headers.get(b"content-length")
        if declared is None and b"transfer-encoding" not in headers:
            return None
        limit = self._rules.upload_bytes if scope["path"].startswith(UPLOAD_PREFIXES) else SMALL_BODY
        if declared is not None and not (declared.isdigit() and int(declared) <= limit):
            raise too_large(limit)
        return Body(receive, limit, self._rules.body_timeout_s)


async def _served(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    try:
        await app(scope, receive, send)
    except Exception as error:
        request_id = scope["state"]["request_id"]
        log.error("fault in %s: %s", scope["path"], type(error).__name__, extra={"id": request_id})
