"""What turns a sentence into sound: the Protocol, and which of the voices is chosen."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncGenerator, Collection
from typing import NamedTuple, Protocol

from mybro.config import SpeakSettings
from mybro.errors import SpeakError


class Speaker(Protocol):
    """One voice."""

    name: str
    sample_rate: int
    """Hertz; certain once the first chunk of a sentence has come."""

    def synthesize(self, text: str) -> AsyncGenerator[bytes]:
        """Mono 16-bit little-endian samples of one cleaned sentence, in chunks, as early as they are there.

        An empty text gives nothing, and lets a voice that is slow to start get ready. Closing the generator
        ends the work at once, with every process that was started for it. Raises `SpeakError`.
        """
        ...

    async def aclose(self) -> None: ...


BACKENDS = {
    "avspeech": "mybro.speak.avspeech",
    "say": "mybro.speak.say",
    "piper": "mybro.speak.piper",
    "espeak": "mybro.speak.espeak",
    "elevenlabs": "mybro.speak.elevenlabs",
    "openai": "mybro.speak.openai",
    "none": "mybro.speak.silent",
}
"""Each module has `make(settings) -> Speaker`, which raises `SpeakError` where the voice is not to be had."""

_ORDER_MACOS = ("avspeech", "say", "piper", "espeak")
_ORDER_ELSEWHERE = ("piper", "espeak")


class Chosen(NamedTuple):
    """A voice, and why it is this one."""

    speaker: Speaker
    why: str
    """One sentence."""


def choose(settings: SpeakSettings, *, without: Collection[str] = (), platform: str = sys.platform) -> Chosen:
    """The voice that the settings ask for, else the best that is here, else text only.

    `without` names voices that have failed. A cloud voice is taken only where the settings name it.
    """
    if settings.backend == "none":
        return Chosen(make("none", settings), "The settings ask for text only.")
    order: tuple[str, ...] = _ORDER_MACOS if platform == "darwin" else _ORDER_ELSEWHERE
    if settings.backend != "auto":
        order = (settings.backend, *(name for name in order if name != settings.backend))
    missed: list[str] = []
    for backend in order:
        try:
            speaker = make(backend, settings)
        except SpeakError as error:
            missed.append(error.message)
            continue
        if speaker.name not in without:
            return Chosen(speaker, _why(speaker.name, missed, settings.backend == backend))
    return Chosen(make("none", settings), _why("text only", missed, False))


def make(backend: str, settings: SpeakSettings) -> Speaker:
    """The voice of that name. Raises `SpeakError` where it is not to be had."""
    speaker: Speaker = importlib.import_module(BACKENDS[backend]).make(settings)
    return speaker


def _why(name: str, missed: list[str], wished: bool) -> str:
    if wished:
        return f"The settings ask for {name}."
    reason = "; ".join(missed) if missed else "the best voice here"
    return f"{name[:1].upper()}{name[1:]}: {reason}."
