"""A session with a microphone: talk key and hands-free, opened on demand and let go in time."""

from __future__ import annotations

import asyncio

from mybro.audio.keys import TalkKey, choose_talk_key
from mybro.audio.keys_terminal import TerminalTalkKey
from mybro.audio.microphone import MicrophoneSource
from mybro.audio.policy import MicrophoneKeeper
from mybro.audio.source import AudioSource
from mybro.audio.unit_choice import make_unit_choice
from mybro.errors import AudioError, MybroError, Problem
from mybro.events import Envelope, ModelSwitched, Ready, StageFailed
from mybro.ops.away import is_away
from mybro.ops.keyboard import Keyboard
from mybro.pipeline.desk import Desk
from mybro.pipeline.feed import make_ear
from mybro.pipeline.session import Session
from mybro.speak.notify import Notifier

AWAY_POLL_S = 5.0
UPGRADE_POLL_S = 10.0


async def listen_live(session: Session, terminal: int | None = None, *, key_needed: bool = True) -> None:
    """Listen at the microphone until cancelled.

    `terminal` is a descriptor to read keys from, where there is one. Raises `AudioError` where there can be
    no microphone at all, or no key to talk with though one is needed: programs can press it, too.
    """
    settings = session.settings.audio
    ear = make_ear(session.pipeline, session.settings, lockstep=False, jobs=True)
    hands_free = settings.listen == "hands-free"
    if hands_free and settings.wake_phrase is not None:
        session.pipeline.wake_by(settings.wake_phrase)
    key, trouble = _talk_key(session, terminal, needed=key_needed and not hands_free)

    unit = make_unit_choice(settings.voice_processing)

    def open_microphone() -> AudioSource:
        return MicrophoneSource(session.sound, settings.input_device, clock=session.clock, unit=unit)

    keeper = MicrophoneKeeper(settings, ear, open_microphone, session.clock)
    notifier = Notifier(session.settings.speak, session.clock)

    def watch(envelope: Envelope) -> None:
        keeper.notice(envelope.event)
        session.pipeline.spawn(notifier.watch(envelope.event), counts=False)

    session.pipeline.watch(watch)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_take_keys(session, key, terminal, trouble))
            group.create_task(_let_go_when_away(session, keeper))
            group.create_task(_take_better_model(session))
            group.create_task(keeper.run())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    finally:
        await keeper.aclose()


def _talk_key(
    session: Session, terminal: int | None, *, needed: bool
) -> tuple[TalkKey | None, Problem | None]:
    try:
        return choose_talk_key(session.settings.audio.talk_key, session.clock, terminal=terminal)
    except AudioError:
        if needed:
            raise
        return None, None


async def _take_keys(
    session: Session, key: TalkKey | None, terminal: int | None, trouble: Problem | None
) -> None:
    """Hand on the talk key, and what else is pressed in the terminal."""
    desk = Desk(session.pipeline)
    keyboard = None
    if isinstance(key, TerminalTalkKey):
        key.others = desk.press
    elif terminal is not None:
        keyboard = Keyboard(terminal)
        keyboard.start(desk.press)
    try:
        await session.pipeline.post(_ready(session, key, trouble))
        await (_talk(session, key, terminal) if key is not None else asyncio.Event().wait())
    finally:
        if keyboard is not None:
            keyboard.stop()


async def _talk(session: Session, key: TalkKey, terminal: int | None) -> None:
    try:
        async for event in key.events():
            await session.pipeline.post(event)
    except AudioError as error:
        if isinstance(key, TerminalTalkKey) or terminal is None:
            raise
        await session.pipeline.post(StageFailed("audio", error.problem))
        taps = TerminalTalkKey(terminal, session.clock)
        taps.others = Desk(session.pipeline).press
        await session.pipeline.post(_ready(session, taps, None))
        await _talk(session, taps, terminal)
    finally:
        await key.aclose()


def _ready(session: Session, key: TalkKey | None, trouble: Problem | None) -> Ready:
    hands_free = session.settings.audio.listen == "hands-free"
    if hands_free:
        return Ready("speak whenever you like", hands_free=True)
    if key is None:
        return Ready("press the talk key: mybro ptt toggle", hands_free=False)
    return Ready(key.invitation, hands_free=False, note=trouble.message if trouble is not None else "")


async def _let_go_when_away(session: Session, keeper: MicrophoneKeeper) -> None:
    """An open microphone keeps a machine awake: a locked screen or a closed lid closes it."""
    while True:
        await session.clock.sleep(AWAY_POLL_S)
        if keeper.is_open and await is_away():
            keeper.let_go()


async def _take_better_model(session: Session) -> None:
    """A small model serves until the large one, which is being fetched, is there."""
    transcription = session.transcription
    if transcription is None or session.settings.transcribe.model != "auto":
        return
    while True:
        await session.clock.sleep(UPGRADE_POLL_S)
        try:
            better = await transcription.upgrade()
        except MybroError as error:
            await session.pipeline.post(StageFailed("transcribe", error.problem))
            return
        if better:
            await session.pipeline.post(ModelSwitched(f"{transcription.name}/{transcription.model}"))
            return
