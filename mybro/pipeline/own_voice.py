"""Only the owner's voice: what another says is heard as nothing, but for a stop, which anybody may call."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from mybro.audio.own_voice import OwnVoice, kept
from mybro.audio.voice_model import VoiceModel
from mybro.brain.grammar import control_action
from mybro.config import AudioSettings
from mybro.errors import AudioError
from mybro.events import AudioBlock, Transcribed
from mybro.intent import Action
from mybro.pipeline.ports import Transcribes


class OwnerOnly:
    """Stands before a recogniser; the voice is judged while it works."""

    def __init__(self, recogniser: Transcribes, voice: OwnVoice, model: VoiceModel) -> None:
        self._recogniser = recogniser
        self._voice = voice
        self._model = model

    async def transcribe(
        self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False
    ) -> Transcribed | None:
        """As the recogniser's; without words where somebody else speaks."""
        judged = asyncio.create_task(asyncio.to_thread(self._voice.is_other, self._model, audio.pcm))
        try:
            heard = await self._recogniser.transcribe(turn, request, audio, speculative=speculative)
            if heard is None or not heard.text or control_action(heard.text) is Action.STOP:
                return heard
            if not await judged:
                return heard
        finally:
            judged.cancel()
        called = None if heard.called is None else False
        return replace(heard, text="", heard="", alternatives=(), called=called)

    def drop(self, request: int) -> None:
        self._recogniser.drop(request)

    async def aclose(self) -> None:
        await self._recogniser.aclose()


def owner_only(settings: AudioSettings, recogniser: Transcribes | None) -> Transcribes | None:
    """The recogniser, as the settings have it. Raises `AudioError`, `ModelError` where a part is missing."""
    if recogniser is None or not settings.own_voice_only:
        return recogniser
    voice = kept()
    if voice is None:
        raise AudioError("voice_not_enrolled", "no voice is enrolled", hint="Enrol yours: mybro voice enrol")
    return OwnerOnly(recogniser, voice, VoiceModel.load())
