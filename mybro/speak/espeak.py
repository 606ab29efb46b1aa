"""espeak-ng: small, quick, and in every Linux distribution."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from contextlib import aclosing

from mybro.config import SpeakSettings
from mybro.errors import SpeakError
from mybro.speak.program import output_of
from mybro.speak.wave import SampleStream


class Espeak:
    """One run of espeak-ng for each sentence: it starts in some milliseconds."""

    name = "espeak-ng"

    def __init__(self, program: str, voice: str, rate_wpm: int) -> None:
        self.sample_rate = 22_050
        self._command = [program, "--stdin", "--stdout", "-b", "1", "-z", "-s", str(rate_wpm), "-v", voice]

    async def synthesize(self, text: str) -> AsyncGenerator[bytes]:
        if not text:
            return
        wav = SampleStream()
        async with aclosing(output_of(self._command, text, self.name)) as output:
            async for raw in output:
                if samples := wav.feed(raw):
                    self.sample_rate = wav.sample_rate
                    yield samples

    async def aclose(self) -> None:
        pass


def make(settings: SpeakSettings) -> Espeak:
    program = shutil.which("espeak-ng")
    if program is None:
        raise SpeakError(
            "no_espeak", "espeak-ng is not installed", hint="Install it with the system's package manager"
        )
    return Espeak(program, settings.voice or "en-us", settings.rate_wpm)
