"""Feeding sound to a pipeline, and hearing recordings without doing anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mybro.audio.ear import Ear
from mybro.audio.files import FileSource, PipeSource
from mybro.audio.source import AudioSource
from mybro.brain.brain import Brain
from mybro.brain.dialog import Dialog
from mybro.clock import MonotonicClock
from mybro.config import Settings
from mybro.events import Envelope, Event
from mybro.intent import Intent
from mybro.pipeline.names import put_right
from mybro.pipeline.partials import show_partials
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.ports import Stages
from mybro.transcribe.choice import Fetch
from mybro.transcribe.service import Transcription
from mybro.wire import to_wire

HEARD = frozenset(
    {"SourceOpened", "SourceTroubled", "SourceClosed", "SpeechStarted", "SpeechEnded", "Transcript", "Intent"}
)
"""What `mybro hear` shows."""

CAPTION_S = 3.0
"""Captions are final after so much speech, whether the person pauses or not."""


def open_source(name: str, *, realtime: bool = False) -> AudioSource:
    """A file, or "-" for raw sound on standard input. Raises `AudioError`."""
    return PipeSource() if name == "-" else FileSource(name, realtime=realtime)


def make_ear(pipeline: Pipeline, settings: Settings, *, lockstep: bool, jobs: bool) -> Ear:
    """An ear for a pipeline.

    In lockstep, sound waits until whatever the last event set in motion has come to its end; with `jobs`
    that includes work and voice, so that a recording is a conversation.
    """

    async def emit(event: Event) -> None:
        await pipeline.post(event)
        if lockstep:
            await pipeline.settled(jobs=jobs)

    patience = pipeline.state.patience
    longest = patience.longest_ms if patience.by_meaning else None
    audio = settings.audio
    if settings.turn.rule == "captions":
        audio = audio.model_copy(update={"max_utterance_s": min(CAPTION_S, audio.max_utterance_s)})
    # In lockstep the sound would wait for each of them.
    partials = settings.transcribe.partials and not lockstep
    ear = Ear(audio, emit, pipeline.next_turn, longest_quiet_ms=longest, partials=partials)
    pipeline.ear = ear
    return ear


async def hear(
    settings: Settings,
    sources: Sequence[AudioSource],
    show: Callable[[dict[str, Any]], None],
    *,
    lockstep: bool,
    fetch: Fetch | None = None,
    repo: Path | None = None,
) -> None:
    """Recordings through ear, transcription and brain; nothing is done. Raises the stages' errors.

    With `repo`, its names are known.
    """

    def watch(envelope: Envelope) -> None:
        line = to_wire(envelope)
        if line["event"] in HEARD:
            show(line)

    clock = MonotonicClock()
    transcription = Transcription(settings.transcribe, clock=clock)
    # Nothing is done, so nothing is gained by haste: silence ends a turn, and nothing has to be taken back.
    pipeline = Pipeline(clock=clock, acting=False, watchers=(watch,))
    show_partials(pipeline, transcription, settings.transcribe)
    heard = put_right(settings.words, transcription, repo)
    pipeline.attach(Stages(Brain(settings.brain, clock), heard))
    async with pipeline:
        await asyncio.gather(transcription.start(fetch), heard.names.refresh())
        ear = make_ear(pipeline, settings, lockstep=lockstep, jobs=False)
        for source in sources:
            await ear.listen(source)
            await pipeline.settled(jobs=False)


async def understand(settings: Settings, text: str) -> Intent:
    """What a sentence would mean, without a session."""
    brain = Brain(settings.brain, MonotonicClock())
    try:
        return await brain.understand(text, Dialog())
    finally:
        await brain.aclose()
