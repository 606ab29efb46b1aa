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

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._wait()

    def on_headers_complete(self) -> None:
        self._wait_no_more()
        super().on_headers_complete()

    def _wait(self) -> None:
        self._wait_no_more()
        self._timer = self.loop.call_later(self.seconds, self._refuse)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self) -> None:
        if self.transport.is_closing():
            return
        error = ServerError("head_too_slow", "the request's head did not come in whole in time")
        content = json.dumps(faults.body(error, "")).encode()
        kind = f"content-type: application/json\r\ncontent-length: {len(content)}\r\nconnection: close"
        self.transport.write(f"HTTP/1.1 408 Request Timeout\r\n{kind}\r\n\r\n".encode() + content)
        self.transport.close()


def http_for(seconds: float) -> type[ImpatientHttp]:
    """The protocol with that much patience."""
    return type("Http", (ImpatientHttp,), {"seconds": seconds})
