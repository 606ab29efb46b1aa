"""What an ear makes of a recording."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from mybro.audio.ear import Ear
from mybro.audio.source import AudioSource
from mybro.config import AudioSettings
from mybro.events import (
    Event,
    SpeechEnded,
)
from tests.audio_tools import (
    Pcm,
    dev_clips,
    read_pcm,
)
from tests.fakes.audio import MemorySource

QUIET = {"LevelMeasured"}


class Heard:
    """An ear and everything it said."""

    def __init__(self, settings: AudioSettings | None = None) -> None:
        self.events: list[Event] = []
        self.ear = Ear(settings or AudioSettings(), self._take, itertools.count(1).__next__)
        self.on_event: Callable[[Event], None] | None = None

    async def _take(self, event: Event) -> None:
        self.events.append(event)
        if self.on_event:
            self.on_event(event)

    async def listen(self, source: AudioSource) -> list[Event]:
        await self.ear.listen(source)
        return self.events

    @property
    def names(self) -> list[str]:
        return [name for e in self.events if (name := type(e).__name__) not in QUIET]

    def ended(self) -> list[SpeechEnded]:
        return [e for e in self.events if isinstance(e, SpeechEnded)]


async def heard(pcm: Pcm, *, live: bool = False, settings: AudioSettings | None = None) -> Heard:
    result = Heard(settings)
    await result.listen(MemorySource(pcm.tobytes(), live=live))
    return result


def clip(name: str) -> Pcm:
    return next(read_pcm(c.path) for c in dev_clips() if c.path.stem == name)


# ------------------------------------------------------------------ nothing said is lost
