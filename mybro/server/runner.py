"""Listening: ports, certificates and the servers' lives, inside a session's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from mybro.config import ServerSettings
from mybro.errors import ServerError
from mybro.server.app import build, build_logs
from mybro.server.auth import Doorkeeper, kept_password
from mybro.server.context import Context
from mybro.server.gate import Rules
from mybro.server.heads import http_for
from mybro.server.logs import LogRing
from mybro.server.measures import Measures
from mybro.server.port import Services
from mybro.server.rates import Rates
from mybro.server.store import Store
from mybro.server.stream import EventStream
from mybro.server.tasks import InProcess, Queue
from mybro.server.tokens import Tokens, secret_of

log = logging.getLogger("mybro.server")

CLOSE_S = 2
LARGEST_FRAME = 1 << 20
"""Bytes of one WebSocket message: half a minute of sound."""
WAITING_FRAMES = 32


@dataclass(frozen=True, slots=True)
class Served:
    """A server at work."""

    url: str
    """Where it is asked for; ends without a slash."""
    page: str
    """The page's address, with its token: for the person's eyes only."""
    token: str
    wyoming_port: int | None = None
    logs_port: int | None = None


@contextlib.asynccontextmanager
async def serving(
    settings: ServerSettings,
    services: Services,
    stream: EventStream,
    measures: Measures,
    store: Store,
    logs: LogRing,
    queue: Queue | None = None,
) -> AsyncIterator[Served]:
    """Serve a session until the block is left. Raises `ServerError` where that cannot be.

    `queue` is where longer work is done; it is closed at the end.
    `stream` and `measures` are watchers of the session's pipeline already.
    """
    check_exposure(settings)
    with bound(settings.host, settings.port, "server.port") as listening:
        port = listening.getsockname()[1]
        secure = settings.tls_cert is not None
        url = settings.public_url or f"{'https' if secure else 'http'}://{_name(settings.host)}:{port}"
        tokens = Tokens(secret_of(settings, lasting=False))
        keeper = Doorkeeper(tokens, port, password_hash=kept_password())
        tasks = queue or InProcess()
        context = Context(settings, services, stream, measures, keeper, tasks, store, logs, url.rstrip("/"))
        app = build(context, rules(settings, keeper, port, measures))
        try:
            async with contextlib.AsyncExitStack() as stack:
                await stack.enter_async_context(running(app, settings, listening))
                log_port = await _logs(stack, context, measures)
                speech = await _wyoming(stack, settings, services)
                # Whoever watches is let go first, so that nobody has to be waited for.
                stack.callback(stream.end)
                stack.callback(logs.end)
                page = f"{context.base_url}/?token={keeper.page_token}"
                yield Served(context.base_url, page, keeper.page_token, speech, log_port)
        finally:
            await tasks.aclose()
            keeper.close()


async def _logs(stack: contextlib.AsyncExitStack, context: Context, measures: Measures) -> int | None:
    settings = context.settings
    if settings.logs_port is None:
        return None
    try:
        listening = stack.enter_context(bound(settings.host, settings.logs_port, "server.logs_port"))
    except ServerError as error:
        # The page has the log on its own port as well: a second session does without this one.
        log.warning("the log is not streamed: %s", error.message)
        return None
    port: int = listening.getsockname()[1]
    allowed = rules(settings, context.doorkeeper, port, measures)
    own_page = rules(
        settings, context.doorkeeper, int(context.doorkeeper.cookie.rpartition("_")[2]), measures
    )
    allowed.origins = {*allowed.origins, *own_page.origins}
    await stack.enter_async_context(running(build_logs(context, allowed), settings, listening))
    return port


async def _wyoming(
    stack: contextlib.AsyncExitStack, settings: ServerSettings, services: Services
) -> int | None:
    if settings.wyoming_port is None:
        return None
    from mybro.server.wyoming_server import wyoming

    return await stack.enter_async_context(wyoming(services, settings.wyoming_port))


def rules(settings: ServerSettings, keeper: Doorkeeper, port: int, measures: Measures) -> Rules:
    """What the gate of a server on `port` goes by."""
    names = {"localhost", "127.0.0.1", "[::1]", _name(settings.host), *settings.allowed_hosts}
    names -= {"0.0.0.0", "[::]"}  # noqa: S104 - they are no names, though browsers go there
    hosts = {name if _has_port(name) else f"{name}:{port}" for name in names}
    if port in (80, 443):
        hosts |= names
    scheme = "https" if settings.tls_cert is not None else "http"
    own = {f"{scheme}://{host}" for host in hosts}
    if settings.public_url:
        place = settings.public_url.rstrip("/")
        own.add(place)
        hosts.add(place.partition("://")[2])
    return Rules(
        doorkeeper=keeper,
        hosts=frozenset(host.lower() for host in hosts),
        origins=frozenset({*own, *settings.cors_origins}),
        rates=Rates(settings.rate_per_s, settings.burst),
        upload_bytes=settings.max_upload_mb << 20,
        body_timeout_s=settings.body_timeout_s,
        max_connections=settings.max_connections,
        on_request=measures.request,
    )


def check(settings: ServerSettings) -> None:
    """Raise now what `serving` would raise, before a session is begun for it."""
    check_exposure(settings)
    with bound(settings.host, settings.port, "server.port"):
        pass


def check_exposure(settings: ServerSettings) -> None:
    """Refuse to listen beyond this machine without TLS and a password. Raises `ServerError`."""
    if is_loopback(settings.host):
        return
    for path, name in ((settings.tls_cert, "server.tls_cert"), (settings.tls_key, "server.tls_key")):
        if path is None:
            raise ServerError(
                "exposed",
                f"{settings.host} is reached from other machines: that needs TLS",
                hint=f"Set {name}",
            )
        if not Path(path).expanduser().is_file():
            raise ServerError("exposed", f"{name}: {path} is no file", hint=f"Set {name}")
    if kept_password() is None:
        raise ServerError(
            "exposed", f"{settings.host} is reached from other machines: that needs a password",
            hint="Set one: mybro serve password",
        )  # fmt: skip


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def bound(host: str, port: int, setting: str) -> Iterator[socket.socket]:
    """A listening socket. Raises `ServerError` port_busy, bad_address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            listening.listen(512)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise ServerError(
                    "port_busy",
                    f"port {port} is taken, perhaps by another session",
                    hint=f"Take another: mybro config set {setting} {port + 10}",
                ) from None
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise ServerError("bad_address", f"{host}:{port} cannot be listened on: {reason}") from None
        listening.set_inheritable(False)
        yield listening


class _Quiet(uvicorn.Server):
    """A server that leaves the signals to the session."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def running(app: ASGIApp, settings: ServerSettings, listening: socket.socket) -> AsyncIterator[None]:
    """An application at work on a socket until the block is left."""
    config = uvicorn.Config(
        app, http=http_for(settings.header_timeout_s), ws="websockets-sansio", lifespan="off",
        log_config=None, access_log=False, server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=CLOSE_S,
        ws_max_size=LARGEST_FRAME, ws_max_queue=WAITING_FRAMES, ws_per_message_deflate=False,
        ssl_certfile=settings.tls_cert, ssl_keyfile=settings.tls_key,
    )  # fmt: skip
    # Its lines would hold whole addresses, also the one with the page's token.
    logging.getLogger("uvicorn.access").propagate = False
    server = _Quiet(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 - it tells nobody when it has
            await asyncio.sleep(0.005)
        if task.done():
            task.result()
            raise ServerError("server_failed", "the server did not start")
        yield
    finally:
        server.should_exit = True
        _, late = await asyncio.wait([task], timeout=CLOSE_S + 1)
        if late:
            task.cancel()
            await asyncio.wait([task])


def _name(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _has_port(name: str) -> bool:
    return name.rpartition(":")[2].isdigit() and not name.endswith("]")
