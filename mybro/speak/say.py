"""macOS `say`: there on every Mac. It cannot write to a pipe, so each sentence goes through a file."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from mybro.config import SpeakSettings
from mybro.errors import SpeakError
from mybro.speak.program import output_of

_CHUNK_FRAMES = 4096


class Say:
    """One run of `say` for each sentence."""

    name = "say"

    def __init__(self, program: str, voice: str | None, rate_wpm: int) -> None:
        self.sample_rate = 22_050
        self._command = [program, "--file-format=WAVE", f"--data-format=LEI16@{self.sample_rate}"]
        self._command += ["-r", str(rate_wpm), *(["-v", voice] if voice else [])]

    async def synthesize(self, text: str) -> AsyncGenerator[bytes]:
        if not text:
            return
        with tempfile.TemporaryDirectory(prefix="mybro-say-") as folder:
            path = Path(folder) / "speech.wav"
            async with aclosing(
                output_of([*self._command, "-o", str(path), "-f", "-"], text, self.name)
            ) as run:
                async for _ in run:
                    pass
            for chunk in _chunks(path, self.sample_rate):
                yield chunk

    async def aclose(self) -> None:
        pass


def _chunks(path: Path, sample_rate: int) -> list[bytes]:
    import soundfile

    try:
        samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise SpeakError("bad_sound", "say wrote no sound", retryable=True) from error
    if rate != sample_rate:
        raise SpeakError("bad_sound", f"say wrote {rate} samples a second, not {sample_rate}")
    mono = samples[:, 0]
    return [mono[at : at + _CHUNK_FRAMES].tobytes() for at in range(0, len(mono), _CHUNK_FRAMES)]


def make(settings: SpeakSettings) -> Say:
    program = shutil.which("say")
    if program is None:
        raise SpeakError("no_say", "there is no `say` here", hint="It is part of macOS")
    return Say(program, settings.voice, settings.rate_wpm)
