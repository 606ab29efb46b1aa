"""No voice: what would be said is only shown."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from mybro.config import SpeakSettings


class Silent:
    """Says everything in no time, without a sound."""

    name = "text only"
    sample_rate = 16_000

    async def synthesize(self, text: str) -> AsyncGenerator[bytes]:
        for chunk in list[bytes]():
            yield chunk

    async def aclose(self) -> None:
        pass


def make(_settings: SpeakSettings) -> Silent:
    return Silent()
