"""Requests whose head comes drop by drop: they are not waited for."""

from __future__ import annotations

import asyncio
import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mybro.errors import ServerError
from mybro.server import faults


class ImpatientHttp(HttpToolsProtocol):
    """Ends a connection on which no whole head has come in time, also a later one of the same connection."""

    seconds = 10.0
    _timer: asyncio.TimerHandle | None = None
    _since: float | None = None
    """When the head began that is not whole yet."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._since = self.loop.time()

    def on_headers_complete(self) -> None:
        self._since = None
        super().on_headers_complete()

    def _look(self) -> None:
        """One timer for the whole connection: a request costs nothing by it."""
        if self.transport.is_closing():
            return
        if self._since is not None and self.loop.time() - self._since >= self.seconds:
            self._refuse()
        else:
            self._timer = self.loop.call_later(self.seconds / 4, self._look)

    def _refuse(self) -> None:
        error = ServerError("head_too_slow", "the request's head did not come in whole in time")
        content = json.dumps(faults.body(error, "")).encode()
        kind = f"content-type: application/json\r\ncontent-length: {len(content)}\r\nconnection: close"
        self.transport.write(f"HTTP/1.1 408 Request Timeout\r\n{kind}\r\n\r\n".encode() + content)
        self.transport.close()


def http_for(seconds: float) -> type[ImpatientHttp]:
    """The protocol with that much patience."""
    return type("Http", (ImpatientHttp,), {"seconds": seconds})
