"""What `mybro setup` and `mybro check` ask of sound and speech, each in one blocking call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mybro.errors import AudioError, Problem

if TYPE_CHECKING:
    from mybro.audio.devices import Device
    from mybro.audio.source import AudioSource
    from mybro.config import Settings
    from mybro.events import SpeechEnded

FULL_SCALE = 32_768
START_S = 10.0
"""Within which a microphone delivers its first block, or something is wrong."""


@dataclass(frozen=True, slots=True)
class Level:
    """How loud it was."""

    peak: float
    """0 to 1; exactly 0 where every sample was zero."""
    seconds: float
    """Of sound that came."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One sentence, and what it means; nothing is done with it."""

    text: str
    action: str
    """The intent's action; empty where no local rule knows the sentence."""


def devices() -> Sequence[Device]:
    """Every sound device. Raises `AudioError`, also where PortAudio is not installed."""
    from mybro.audio.sound import SoundProcess

    async def ask() -> Sequence[Device]:
        process = SoundProcess()
        try:
            return await process.devices()
        finally:
            await process.aclose()

    return asyncio.run(ask())


def measure(device: str | None, seconds: float, listening: Callable[[], None]) -> Level:
    """Listen for so long, and tell how loud it was; `listening` is called when the microphone is open.

    Raises `AudioError` if no sound comes at all.
    """
    import numpy as np

    from mybro.audio.microphone import MicrophoneSource
    from mybro.audio.sound import SoundProcess

    async def listen() -> Level:
        process = SoundProcess()
        source = MicrophoneSource(process, device)
        peak, heard = 0.0, 0.0
        trouble: Problem | None = None
        try:
            async with asyncio.timeout(seconds * 2 + START_S):
                async for block in source.blocks():
                    if isinstance(block, Problem):
                        trouble = block
                        break
                    if not heard:
                        listening()
                    loudest = int(np.abs(np.frombuffer(block.pcm, "<i2").astype(np.int32)).max(initial=0))
                    peak = max(peak, loudest / FULL_SCALE)
                    heard += block.seconds
                    if heard >= seconds:
                        break
        except TimeoutError:
            pass
        finally:
            await source.aclose()
            await process.aclose()
        if trouble and not heard:
            raise AudioError(trouble.code, trouble.message, hint=trouble.hint)
        if not heard:
            raise AudioError("no_sound", "the microphone delivers no sound", hint="Choose another one")
        return Level(peak, heard)

    return asyncio.run(listen())


def hear_once(settings: Settings, wait_s: float, listening: Callable[[], None]) -> Heard | None:
    """Hear one sentence from the microphone; None if nobody spoke for so long.

    `listening` is called when the model is loaded and the microphone open. Raises `AudioError`, `ModelError`
    or `TranscriptionError`.
    """
    return asyncio.run(_hear_once(settings, wait_s, listening))


def listen_once(settings: Settings, wait_s: float, listening: Callable[[], None]) -> bytes | None:
    """One sentence's sound, 16-bit mono at 16 kHz; None if nobody spoke so long. Raises `AudioError`."""

    async def listen() -> bytes | None:
        from mybro.audio.microphone import MicrophoneSource
        from mybro.audio.sound import SoundProcess

        process = SoundProcess()
        try:
            source = MicrophoneSource(process, settings.audio.input_device)
            ended = await _utterance(settings, source, wait_s, listening)
        finally:
            await process.aclose()
        return None if ended is None else ended.utterance.audio.pcm

    return asyncio.run(listen())


async def _hear_once(settings: Settings, wait_s: float, listening: Callable[[], None]) -> Heard | None:
    from mybro.audio.microphone import MicrophoneSource
    from mybro.audio.sound import SoundProcess
    from mybro.brain.grammar import parse
    from mybro.transcribe.service import Transcription

    transcription = Transcription(settings.transcribe)
    process = SoundProcess()
    try:
        await transcription.start()
        source = MicrophoneSource(process, settings.audio.input_device)
        ended = await _utterance(settings, source, wait_s, listening)
        if ended is None:
            return None
        transcribed = await transcription.transcribe(1, 1, ended.utterance.audio)
    finally:
        await process.aclose()
        await transcription.aclose()
    text = transcribed.text if transcribed else ""
    intent = parse(text)
    return Heard(text, intent.action.value if intent and intent.action else "")


async def _utterance(
    settings: Settings, source: AudioSource, wait_s: float, listening: Callable[[], None]
) -> SpeechEnded | None:
    """The first thing that is said."""
    from mybro.audio.ear import Ear
    from mybro.events import Event, SourceOpened, SourceTroubled, SpeechEnded

    first: asyncio.Future[SpeechEnded | None] = asyncio.get_running_loop().create_future()

    async def emit(event: Event) -> None:
        if first.done():
            return
        if isinstance(event, SourceOpened):
            listening()
        elif isinstance(event, SpeechEnded):
            first.set_result(event)
        elif isinstance(event, SourceTroubled):
            problem = event.problem
            first.set_exception(AudioError(problem.code, problem.message, hint=problem.hint))

    async def listen() -> None:
        try:
            await Ear(settings.audio, emit, lambda: 1).listen(source)
        except AudioError as error:
            if not first.done():
                first.set_exception(error)
        if not first.done():
            first.set_result(None)

    ear = asyncio.create_task(listen())
    try:
        async with asyncio.timeout(wait_s):
            return await first
    except TimeoutError:
        return None
    finally:
        await source.aclose()
        await ear
