"""A text's samples from whichever voice works: the next one takes over where one fails or hangs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from mybro.clock import Clock
from mybro.config import SpeakSettings
from mybro.errors import MybroError, Problem
from mybro.events import Event, StageFailed
from mybro.speak.bounded import within
from mybro.speak.speaker import Chosen, Speaker, choose
from mybro.speak.text import sentences, speakable

Emit = Callable[[Event], Awaitable[None]]
Next = Callable[[frozenset[str]], Chosen]
"""From the names of the voices that have failed to the next one to try; text only at the last."""


class Voice:
    """One voice at a time. One that has failed is not tried again in this session."""

    def __init__(
        self,
        settings: SpeakSettings,
        speaker: Speaker,
        emit: Emit,
        clock: Clock,
        following: Next | None = None,
    ) -> None:
        self._settings = settings
        self._speaker = speaker
        self._emit = emit
        self._clock = clock
        self._following = following or (lambda failed: choose(settings, without=failed))
        self._failed: set[str] = set()

    @property
    def name(self) -> str:
        return self._speaker.name

    async def sound(self, text: str) -> AsyncGenerator[tuple[int, bytes]]:
        """Sample rate in hertz and mono 16-bit samples, chunk by chunk, sentence by sentence."""
        for sentence in sentences(speakable(text)):
            async with aclosing(self._sentence(sentence)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def warm_up(self) -> None:
        """Let a voice that is slow to start get ready."""
        async with aclosing(self._sentence("")) as chunks:
            async for _ in chunks:
                pass

    async def aclose(self) -> None:
        await self._speaker.aclose()

    async def _sentence(self, sentence: str) -> AsyncGenerator[tuple[int, bytes]]:
        """A sentence that a voice breaks off is said again from its start by the next."""
        while True:
            speaker = self._speaker
            try:
                async with aclosing(speaker.synthesize(sentence)) as chunks:
                    while True:
                        pcm = await within(self._clock, self._settings.timeout_s, anext(chunks, None))
                        if pcm is None:
                            return
                        yield speaker.sample_rate, pcm
            except Exception as error:
                await self._give_up(speaker, error)

    async def _give_up(self, speaker: Speaker, error: Exception) -> None:
        if self._speaker is not speaker:
            return
        self._failed.add(speaker.name)
        self._speaker = self._following(frozenset(self._failed)).speaker
        await self._emit(StageFailed("speak", _problem(speaker.name, error, self._speaker.name)))
        await speaker.aclose()


def _problem(failed: str, error: Exception, following: str) -> Problem:
    match error:
        case MybroError():
            code, message, hint = error.code, error.message, error.hint
        case TimeoutError():
            code, message, hint = "voice_hangs", f"{failed} gives no sound", ""
        case _:
            code, message, hint = "voice_failed", f"{failed} failed ({type(error).__name__})", ""
    return Problem(code, message, hint=". ".join(filter(None, (hint, f"Now speaking: {following}"))))
