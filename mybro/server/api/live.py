"""The WebSockets: events out, sound in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from mybro.errors import MybroError, ServerError
from mybro.server import faults
from mybro.server.context import Context, allow, have
from mybro.server.port import Heard, LiveSpeech
from mybro.server.stream import GoneError

log = logging.getLogger("mybro.server")

HEARTBEAT_S = 15.0
MOST_FAULTS = 10
"""Malformed frames after which a client is left."""
VIOLATION = 1008
TOLD_BYTES = 8000
"""A quarter of a second: so often a browser is told how far its sound was heard."""
SPEECH = ("hearing", "closing")
"""The ear's states in which something is being said."""


def router(context: Context) -> APIRouter:
    """`/v1/events`, `/ws/transcribe` and `/ws/microphone`."""
    routes = APIRouter()

    @routes.websocket("/v1/events")
    async def events(socket: WebSocket, after: int | None = None, session: str = "") -> None:
        """Every event of the session as a line of JSON, each with its `seq`."""
        if await enter(socket, "read"):
            await _send_events(context, socket, after, session)

    @routes.websocket("/ws/transcribe")
    async def transcribe(socket: WebSocket, model_id: str | None = None) -> None:
        """Raw 16 kHz mono 16-bit sound in, texts out."""
        if not await enter(socket, "speak"):
            return
        try:
            speech = await have(context.services.ears, "recogniser").stream(model_id)
        except MybroError as error:
            await _refuse(socket, error)
            return
        with context.measures.audio.track_inprogress():
            await _Transcribing(context, socket, speech).run()

    @routes.websocket("/ws/microphone")
    async def microphone(socket: WebSocket) -> None:
        """Raw 16 kHz mono 16-bit sound in, heard as the session's own microphone is."""
        if not await enter(socket, "act"):
            return
        try:
            with context.measures.audio.track_inprogress(), contextlib.suppress(WebSocketDisconnect):
                ears = have(context.services.ears, "recogniser")
                await ears.listen(_Sound(context, socket).pieces(), "a browser's microphone")
                await socket.close()
        except MybroError as error:
            await _refuse(socket, error)

    return routes


async def enter(socket: WebSocket, scope: Any) -> bool:
    """Take the connection, or refuse it with its code."""
    try:
        allow(socket.scope["state"]["who"], scope)
    except ServerError as error:
        await socket.send_denial_response(_denial(socket, error))
        return False
    await socket.accept()
    return True


def _denial(socket: WebSocket, error: ServerError) -> Any:
    from fastapi.responses import JSONResponse

    body = faults.body(error, socket.scope["state"]["request_id"])
    return JSONResponse(body, status_code=faults.status_of(error))


async def _send_events(context: Context, socket: WebSocket, after: int | None, session: str) -> None:
    stream = context.stream
    start = stream.last if after is None else max(0, after)
    if (session and session != stream.session) or start > stream.last:
        start = 0  # numbers of another run mean nothing here
    hello = {"event": "Hello", "session": stream.session, "seq": stream.last, "oldest": stream.oldest}
    leaving = asyncio.create_task(until_left(socket))
    with context.measures.watchers.track_inprogress():
        sending = asyncio.create_task(_send_from(context, socket, start, hello))
        await asyncio.wait({leaving, sending}, return_when=asyncio.FIRST_COMPLETED)
        for task in (leaving, sending):
            task.cancel()
        results = await asyncio.gather(leaving, sending, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            log.error("fault in a stream of events: %s", type(result).__name__)


async def _send_from(context: Context, socket: WebSocket, start: int, hello: dict[str, Any]) -> None:
    await socket.send_text(json.dumps(hello))
    while True:
        try:
            async for batch in context.stream.follow(start, HEARTBEAT_S):
                for line in batch:
                    await socket.send_text(line)
                start += len(batch)
                if not batch:
                    await socket.send_text(json.dumps({"event": "Heartbeat", "seq": context.stream.last}))
        except GoneError as gone:
            missed = {"event": "Missed", "from": start + 1, "to": gone.oldest - 1}
            await socket.send_text(json.dumps(missed))
            start = gone.oldest - 1
            continue
        await socket.close(1001, "the session has ended")
        return


async def until_left(socket: WebSocket) -> None:
    """What the client sends on a stream of events is not looked at."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


class _Sound:
    """A browser's microphone, and how much of its sound is not needed again by a session that takes over."""

    def __init__(self, context: Context, socket: WebSocket) -> None:
        self._work, self._socket = context.services.work, socket
        self._taken = self._told = 0

    async def pieces(self) -> AsyncIterator[bytes]:
        """Whole samples, as they come, until the client leaves or says {"end": true}."""
        rest = b""
        while (message := await self._socket.receive())["type"] != "websocket.disconnect":
            if data := message.get("bytes"):
                whole, rest = _whole(rest + data)
                yield whole
                self._taken += len(whole)
                await self._tell()
            elif message.get("text"):
                return

    async def _tell(self) -> None:
        """While nothing is being said, all that was taken is done with."""
        if self._taken - self._told >= TOLD_BYTES and self._work.status()["ear"] not in SPEECH:
            self._told = self._taken
            await self._socket.send_text(json.dumps({"heard": self._told}))


def _whole(data: bytes) -> tuple[bytes, bytes]:
    size = len(data) & ~1
    return data[:size], data[size:]


async def _refuse(socket: WebSocket, error: MybroError) -> None:
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await _fault(socket, error)
        await socket.close(VIOLATION, error.code)


async def _fault(socket: WebSocket, error: MybroError) -> None:
    await socket.send_text(json.dumps(faults.body(error, socket.scope["state"]["request_id"])))


class _Transcribing:
    """One client's stream of sound."""

    def __init__(self, context: Context, socket: WebSocket, speech: LiveSpeech) -> None:
        self._context, self._socket, self._speech = context, socket, speech
        self._session = secrets.token_hex(8)
        self._rest = b""
        self._bytes = 0
        self._faults = 0

    async def run(self) -> None:
        """Serve until the sound ends or the client leaves."""
        sending = asyncio.create_task(self._results())
        receiving = asyncio.create_task(self._receive())
        try:
            await self._send({"event": "ready", "session_id": self._session})
            # A recogniser that is of no use ends it, also while sound still comes.
            await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            whole = await receiving
            await self._speech.finish(at_once=not whole)
            await sending
            if whole:
                samples = self._bytes // 2
                await self._send({"text": "", "is_final": True, "event": "done", "samples": samples})
                await self._socket.close()
        except WebSocketDisconnect:
            pass
        except MybroError as error:
            await _refuse(self._socket, error)
        finally:
            await self._speech.finish(at_once=True)
            for task in (sending, receiving):
                task.cancel()
            await asyncio.gather(sending, receiving, return_exceptions=True)

    async def _receive(self) -> bool:
        """Take frames until the client says that it is over (True) or leaves (False)."""
        while (message := await self._socket.receive())["type"] != "websocket.disconnect":
            if (data := message.get("bytes")) is not None:
                whole, self._rest = _whole(self._rest + data)
                self._bytes += len(whole)
                await self._speech.feed(whole)
                continue
            try:
                if await self._order(message.get("text") or ""):
                    return True
            except MybroError as error:
                await _fault(self._socket, error)
                self._faults += 1
                if self._faults >= MOST_FAULTS:
                    await self._socket.close(VIOLATION, error.code)
                    return False
        return False

    async def _order(self, text: str) -> bool:
        """Obey a JSON frame; True for the end. Raises `MybroError`."""
        try:
            order = json.loads(text)
        except (ValueError, RecursionError):
            raise ServerError("bad_request", "a text frame is a JSON object") from None
        match order:
            case {"end": True}:
                return True
            case {"model_id": str(model_id)} if len(model_id) <= 200:
                await self._speech.switch(model_id)
                await self._send({"event": "switched", "model_id": model_id})
                return False
            case _:
                raise ServerError("bad_request", 'known are {"model_id": NAME} and {"end": true}')

    async def _results(self) -> None:
        async for heard in self._speech.results():
            await self._send(as_frame(heard))
            if heard.is_final and heard.text:
                await keep(self._context, self._session, heard)

    async def _send(self, frame: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(frame))


async def keep(context: Context, session: str, heard: Heard) -> None:
    """Log a transcription; its text reaches the client also where it cannot be kept."""
    try:
        await context.store.log(session, heard.model_id, heard.text, heard.latency_ms)
    except ServerError as error:
        log.error("a transcription was not kept: %s", error.code)


def as_frame(heard: Heard) -> dict[str, Any]:
    return {
        "text": heard.text, "is_final": heard.is_final, "segment": heard.segment,
        "start": round(heard.start_s, 3), "end": round(heard.end_s, 3), "language": heard.language,
        "model_id": heard.model_id, "latency_ms": round(heard.latency_ms, 1),
    }  # fmt: skip
