"""Partial transcripts of a session: shown while the person speaks, and a "stop" among them holds the jobs."""

from __future__ import annotations

from mybro import events as ev
from mybro.config import TranscribeSettings
from mybro.pipeline.pipeline import Pipeline
from mybro.transcribe.partials import Partials, Recognises


def show_partials(pipeline: Pipeline, recogniser: Recognises, settings: TranscribeSettings) -> None:
    """Post the words of speech that goes on as `Transcript` events that are not final, if they are wanted."""
    if settings.partials:
        pipeline.watch(_Shower(pipeline, recogniser).watch)


class _Shower:
    def __init__(self, pipeline: Pipeline, recogniser: Recognises) -> None:
        self._pipeline = pipeline
        self._partials = Partials(recogniser, pipeline.clock)
        self._speaking: int | None = None

    def watch(self, envelope: ev.Envelope) -> None:
        match envelope.event:
            case ev.SpeechContinued(turn, utterance):
                self._speaking = turn
                self._pipeline.spawn(self._show(turn, utterance), counts=False)
            case ev.SpeechStarted(turn) | ev.SpeechResumed(turn):
                self._speaking = turn
            case ev.SpeechPaused() | ev.SpeechEnded() | ev.SourceClosed():
                # From here on the recogniser is asked for all of the words.
                self._speaking = None

    async def _show(self, turn: int, utterance: ev.Utterance) -> None:
        text = await self._partials.text(turn, utterance.audio)
        if text and self._speaking == turn:
            await self._pipeline.post(ev.Transcript(turn, text, final=False, sample=utterance.speech_end))
