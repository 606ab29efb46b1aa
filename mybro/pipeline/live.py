"""A session with a microphone: talk key and hands-free, opened on demand and let go in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from mybro.audio.ear import Ear
from mybro.audio.microphone import MicrophoneSource
from mybro.audio.policy import MicrophoneKeeper
from mybro.audio.source import AudioSource
from mybro.events import Envelope, Event
from mybro.ops.away import is_away
from mybro.pipeline.feed import make_ear
from mybro.pipeline.session import Session

AWAY_POLL_S = 5.0


async def listen_live(session: Session, keys: AsyncIterator[Event] | None = None) -> None:
    """Listen at the microphone until cancelled. `keys` gives the talk key and other requests.

    Raises `AudioError` where there can be no microphone at all.
    """
    settings = session.settings.audio
    ear: Ear = make_ear(session.pipeline, session.settings, lockstep=False, jobs=True)

    def open_microphone() -> AudioSource:
        return MicrophoneSource(session.sound, settings.input_device, clock=session.clock)

    keeper = MicrophoneKeeper(settings, ear, open_microphone, session.clock)

    def notice(envelope: Envelope) -> None:
        keeper.notice(envelope.event)

    session.pipeline.watch(notice)
    try:
        async with asyncio.TaskGroup() as group:
            if keys is not None:
                group.create_task(_forward(session, keys))
            group.create_task(_let_go_when_away(session, keeper))
            group.create_task(keeper.run())
    finally:
        await keeper.aclose()


async def _forward(session: Session, keys: AsyncIterator[Event]) -> None:
    async for event in keys:
        await session.pipeline.post(event)


async def _let_go_when_away(session: Session, keeper: MicrophoneKeeper) -> None:
    """An open microphone keeps a machine awake: a locked screen or a closed lid closes it."""
    while True:
        await session.clock.sleep(AWAY_POLL_S)
        if keeper.is_open and await is_away():
            keeper.let_go()
