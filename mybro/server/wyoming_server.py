"""Speech by the Wyoming protocol, as Home Assistant asks for it. On this machine only: it knows no tokens."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioChunkConverter, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info, TtsProgram, TtsVoice
from wyoming.ping import Ping, Pong
from wyoming.server import AsyncEventHandler
from wyoming.tts import Synthesize

from mybro import __version__
from mybro.errors import MybroError, ServerError
from mybro.server import sound
from mybro.server.context import have
from mybro.server.port import Services
from mybro.server.runner import bound

log = logging.getLogger("mybro.server")

LARGEST_PART = 1 << 20
"""Bytes of one event's data or payload."""
LONGEST_BYTES = 600 * 2 * sound.RATE
"""Of one utterance: ten minutes."""
CONNECTIONS = 16
CHUNK_BYTES = 4096
LANGUAGES = ["en"]


@contextlib.asynccontextmanager
async def wyoming(services: Services, port: int) -> AsyncIterator[int]:
    """Serve on a port of this machine; gives the port. Raises `ServerError` port_busy."""
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(tasks) >= CONNECTIONS:
            writer.close()
            return
        tasks.add(task)
        try:
            await _Client(services, _Bounded(reader), writer).run()
        except (OSError, ValueError, KeyError, asyncio.IncompleteReadError, TypeError) as error:
            log.info("a Wyoming client sent something else: %s", type(error).__name__)
        finally:
            tasks.discard(task)
            writer.close()

    with bound("127.0.0.1", port, "server.wyoming_port") as listening:
        server = await asyncio.start_server(serve, sock=listening, limit=LARGEST_PART)
        try:
            yield listening.getsockname()[1]
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class _Bounded:
    """A reader that takes no part of an event that is larger than any should be."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def readline(self) -> bytes:
        return await self._reader.readline()

    async def readexactly(self, size: int) -> bytes:
        if not 0 <= size <= LARGEST_PART:
            raise ValueError("too large")
        return await self._reader.readexactly(size)


class _Client(AsyncEventHandler):
    """One connection."""

    def __init__(self, services: Services, reader: Any, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self._services = services
        self._asked = Transcribe()
        self._pcm = bytearray()
        self._to_ours = AudioChunkConverter(rate=sound.RATE, width=2, channels=1)

    async def handle_event(self, event: Event) -> bool:
        try:
            await self._handle(event)
        except MybroError as error:
            await self.write_event(Error(text=str(error), code=error.code).event())
        return True

    async def _handle(self, event: Event) -> None:
        if Describe.is_type(event.type):
            await self.write_event(self._info().event())
        elif Ping.is_type(event.type):
            await self.write_event(Pong(text=Ping.from_event(event).text).event())
        elif Transcribe.is_type(event.type):
            self._asked = Transcribe.from_event(event)
        elif AudioStart.is_type(event.type):
            self._pcm.clear()
        elif AudioChunk.is_type(event.type):
            self._pcm += self._to_ours.convert(AudioChunk.from_event(event)).audio
            if len(self._pcm) > LONGEST_BYTES:
                self._pcm.clear()
                raise ServerError("sound_too_long", "an utterance may last ten minutes")
        elif AudioStop.is_type(event.type):
            await self._transcribe()
        elif Synthesize.is_type(event.type):
            await self._speak(Synthesize.from_event(event).text)

    async def _transcribe(self) -> None:
        ears = have(self._services.ears, "recogniser")
        pcm = bytes(self._pcm)
        self._pcm.clear()
        if not pcm:
            raise ServerError("empty_sound", "there was no sound")
        heard = await ears.transcribe(pcm, self._asked.name, self._asked.language)
        await self.write_event(Transcript(text=heard.text, language=heard.language).event())

    async def _speak(self, text: str) -> None:
        voice = have(self._services.voice, "voice")
        if not text.strip() or len(text) > 4096:
            raise ServerError("bad_request", "text is what to say: up to 4096 characters")
        rate = 0
        async for chunk_rate, pcm in voice.synthesize(text):
            if not rate:
                rate = chunk_rate
                await self.write_event(AudioStart(rate=rate, width=2, channels=1).event())
            for at in range(0, len(pcm), CHUNK_BYTES):
                part = AudioChunk(rate=rate, width=2, channels=1, audio=pcm[at : at + CHUNK_BYTES])
                await self.write_event(part.event())
        if not rate:
            raise ServerError("not_found", "there is nothing to say in that")
        await self.write_event(AudioStop().event())

    def _info(self) -> Info:
        ears, voice = self._services.ears, self._services.voice
        common: dict[str, Any] = {
            "attribution": Attribution(name="mybro", url=""), "installed": True, "version": __version__
        }  # fmt: skip
        models = [
            AsrModel(
                name=one.id, description=one.name, languages=LANGUAGES,
                **common,
            )
            for one in (ears.models() if ears else [])
            if one.installed
        ]  # fmt: skip
        asr = AsrProgram(name="mybro", description="speech to text", models=models, **common)
        voices = (
            [TtsVoice(name=voice.name, description=voice.name, languages=LANGUAGES, **common)]
            if voice
            else []
        )
        tts = TtsProgram(name="mybro", description="text to speech", voices=voices, **common)
        return Info(asr=[asr] if models else [], tts=[tts] if voices else [])
