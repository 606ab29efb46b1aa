"""The journal and the voice as the server's port has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from mybro.config import SpeakSettings
from mybro.errors import SpeakError
from mybro.journal import Archive, Filter, UtteranceRecord
from mybro.server.port import Json
from mybro.speak.speaker import choose
from mybro.speak.text import sentences, speakable
from mybro.wire import plain


class SessionMemory:
    """The server's `Memory`."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    async def history(self, limit: int, before: int | None, search: str) -> list[Json]:
        found = await self._archive.recent(limit, Filter(before=before, search=search))
        return [told(one) for one in found]

    async def utterance(self, number: int) -> Json:
        found = await self._archive.utterance(number)
        return {**told(found), "events": [plain(one) for one in await self._archive.events(number)]}

    async def recording(self, number: int) -> bytes:
        return (await self._archive.recording(await self._archive.utterance(number))).pcm

    async def costs(self) -> list[Json]:
        return [plain(day) for day in await self._archive.costs()]


def told(one: UtteranceRecord) -> Json:
    """An utterance without what concerns this machine alone: paths and sums."""
    record: Json = plain(one)
    for name in ("audio", "audio_sha256"):
        record.pop(name, None)
    return {**record, "has_audio": one.audio is not None, "cost_usd": one.cost_usd}


class SessionVoice:
    """The server's `Voice`: the session's kind of voice, apart from its mouth."""

    def __init__(self, settings: SpeakSettings) -> None:
        self._settings = settings
        self.name: str = settings.backend

    async def synthesize(self, text: str, speed: float = 1.0) -> AsyncIterator[tuple[int, bytes]]:
        wpm = min(500, max(80, round(self._settings.rate_wpm * speed)))
        backend = "auto" if self._settings.backend == "none" else self._settings.backend
        speaker = choose(self._settings.model_copy(update={"rate_wpm": wpm, "backend": backend})).speaker
        try:
            if speaker.name == "text only":
                raise SpeakError("no_voice", "there is no voice on this machine", hint="Install espeak-ng")
            for sentence in sentences(speakable(text)):
                async with aclosing(speaker.synthesize(sentence)) as chunks:
                    async for chunk in chunks:
                        yield speaker.sample_rate, chunk
        finally:
            await speaker.aclose()
