"""When the microphone is held: no longer than needed, since an open one keeps a machine awake."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Protocol

from mybro.audio.source import AudioSource
from mybro.clock import Clock
from mybro.config import AudioSettings
from mybro.errors import AudioError
from mybro.events import Event, SpeechEnded, SpeechStarted, TalkPressed, TalkReleased


class MicrophonePolicy:
    """Whether the microphone is wanted. Pure: every method is told the time, in seconds.

    Push-to-talk opens it with the key and keeps it for a while, since the next press often follows soon.
    Hands-free holds it until nobody has spoken for long; the talk key opens it again.
    """

    def __init__(self, settings: AudioSettings, now: float) -> None:
        self.hands_free = settings.listen == "hands-free"
        self._keep_s = settings.idle_after_s if self.hands_free else settings.release_after_s
        self._until = now + self._keep_s if self.hands_free else now
        self.held = False
        """Whether the talk key is down."""

    def pressed(self, now: float) -> None:
        self.held = True
        self._until = now + self._keep_s

    def released(self, now: float) -> None:
        self.held = False
        self._until = max(self._until, now + self._keep_s)

    def heard(self, now: float) -> None:
        """Somebody spoke."""
        if self.wanted(now):
            self._until = now + self._keep_s

    def let_go(self, now: float) -> None:
        """Not wanted any more: the screen was locked, the lid closed, or a person said so."""
        self.held = False
        self._until = now

    def wanted(self, now: float) -> bool:
        return self.held or now < self._until

    def changes_at(self, now: float) -> float | None:
        """When the answer changes if nothing happens; None for never."""
        return self._until if self.wanted(now) and not self.held else None


class Listener(Protocol):
    """What the keeper needs of an ear."""

    async def listen(self, source: AudioSource) -> None: ...

    def hold(self, held: bool) -> None: ...

    def mute(self, *, tail: bool = False) -> None: ...

    def unmute(self, *, pre_roll: bool = False) -> None: ...

    def end_now(self) -> None: ...


class MicrophoneKeeper:
    """Opens and closes a microphone as the policy has it, and lets the ear hear what it may."""

    def __init__(
        self, settings: AudioSettings, ear: Listener, open_source: Callable[[], AudioSource], clock: Clock
    ) -> None:
        """`open_source` gives a new source for every time that the microphone is opened."""
        self._ear = ear
        self._open_source = open_source
        self._clock = clock
        self._policy = MicrophonePolicy(settings, clock.now())
        self._source: AudioSource | None = None
        self._listening: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._closed = False
        if not self._policy.hands_free:
            ear.mute()

    @property
    def is_open(self) -> bool:
        """Whether the microphone is held."""
        return self._source is not None

    def notice(self, event: Event) -> None:
        """Take note of the talk key and of speech; other events mean nothing here."""
        now = self._clock.now()
        match event:
            case TalkPressed() if not self._policy.held:
                self._policy.pressed(now)
                self._ear.hold(True)
                self._ear.unmute(pre_roll=True)
            case TalkReleased() if self._policy.held:
                self._policy.released(now)
                self._let_the_key_go()
            case SpeechStarted() | SpeechEnded():
                self._policy.heard(now)
            case _:
                return
        self._changed.set()

    def let_go(self) -> None:
        """Close the microphone until the talk key is pressed: the screen was locked, or the lid closed."""
        if self._policy.held:
            self._let_the_key_go()
        self._policy.let_go(self._clock.now())
        self._changed.set()

    async def run(self) -> None:
        """Keep the microphone until `aclose`. Raises `AudioError` where there can be no microphone at all."""
        try:
            while not self._closed:
                self._changed.clear()
                now = self._clock.now()
                if self._policy.wanted(now):
                    self._open()
                else:
                    await self._close()
                await self._wait(self._policy.changes_at(now))
        finally:
            await self._close()

    async def aclose(self) -> None:
        """Let go for good; `run` returns. Works twice."""
        self._closed = True
        self._changed.set()
        with contextlib.suppress(AudioError):
            await self._close()

    def _let_the_key_go(self) -> None:
        self._ear.hold(False)
        if self._policy.hands_free:
            self._ear.end_now()
        else:
            self._ear.mute(tail=True)

    def _open(self) -> None:
        if self._source is None:
            self._source = self._open_source()
            self._listening = asyncio.create_task(self._ear.listen(self._source))

    async def _close(self) -> None:
        source, self._source = self._source, None
        listening, self._listening = self._listening, None
        if source and listening:
            await source.aclose()
            await listening

    async def _wait(self, until: float | None) -> None:
        """Until something changes, the time has come, or the ear stops listening by itself."""
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
        if until is not None:
            waits.append(asyncio.ensure_future(self._clock.sleep(until - self._clock.now())))
        try:
            listening = [self._listening] if self._listening else []
            await asyncio.wait([*waits, *listening], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._listening and self._listening.done():
            # It fails, which `_close` raises, or was closed by somebody else, who must have had a reason.
            self._policy.let_go(self._clock.now())
            await self._close()
