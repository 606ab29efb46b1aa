"""The ear: listens to one source after another and says what it hears as events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from mybro.audio.detector import make_detector
from mybro.audio.hearing import Hearing
from mybro.audio.source import AudioSource
from mybro.config import AudioSettings
from mybro.errors import AudioError, Problem
from mybro.events import Event, SourceClosed, SourceOpened, SourceTroubled

Emit = Callable[[Event], Awaitable[None]]


class Ear:
    """Feeds a source through the voice detector and emits what a person says.

    Each `emit` is awaited before more sound is taken: a file runs in lockstep with whoever listens, so
    that what comes out does not depend on the machine's load.
    """

    def __init__(
        self,
        settings: AudioSettings,
        emit: Emit,
        next_turn: Callable[[], int],
        *,
        longest_quiet_ms: int | None = None,
        partials: bool = False,
    ) -> None:
        """`next_turn` gives the number of each new turn; with `partials`, `SpeechContinued` is emitted, too.

        With `longest_quiet_ms`, whoever takes the events decides how long a quiet ends a turn, by
        `end_after`; a turn that nobody decides about ends after that long.
        """
        self._longest_quiet_ms = longest_quiet_ms
        self._partials = partials
        self._settings = settings
        self._emit = emit
        self._next_turn = next_turn
        self._hearing: Hearing | None = None
        self._muted = False
        self._held = False

    async def listen(self, source: AudioSource) -> None:
        """Listen until the source ends or is closed; closes it. One source at a time.

        Raises `AudioError` where the detector is not installed or the source fails for good; whatever was
        heard until then has been emitted.
        """
        hearing = Hearing(
            self._settings,
            make_detector(self._settings),
            self._next_turn,
            live=source.live,
            longest_quiet_ms=self._longest_quiet_ms,
            partials=self._partials,
        )
        if self._muted:
            hearing.mute()
        hearing.hold(self._held)
        self._hearing = hearing
        try:
            failure = await self._hear_all(hearing, source)
            await source.aclose()
            await self._emit_all(hearing.flush())
            await self._emit(SourceClosed(source.name, source.dropped_blocks))
            if failure:
                raise failure
        finally:
            self._hearing = None
            await source.aclose()

    def end_now(self) -> None:
        """Close the open utterance with the reason "key"."""
        if self._hearing:
            self._hearing.end_utterance()

    def end_after(self, turn: int, speech_end: int, quiet: int) -> None:
        """Close `turn` after `quiet` samples of quiet, unless it speaks on after sample `speech_end`."""
        if self._hearing:
            self._hearing.end_after(turn, speech_end, quiet)

    def hold(self, held: bool) -> None:
        """While held (the talk key is down), quiet does not end an utterance."""
        self._held = held
        if self._hearing:
            self._hearing.hold(held)

    def mute(self, *, tail: bool = False) -> None:
        """Hear nothing until `unmute`; an open utterance ends here, with the reason "key".

        With `tail` (the talk key came up), what was said until now is still taken in: sound is some way
        behind the hand.
        """
        self._muted = True
        if self._hearing:
            self._hearing.mute(tail=tail)

    def unmute(self, *, pre_roll: bool = False) -> None:
        """Hear again. With `pre_roll` (the talk key), also what was said in the moment before."""
        self._muted = False
        if self._hearing:
            self._hearing.unmute(pre_roll=pre_roll)

    async def _hear_all(self, hearing: Hearing, source: AudioSource) -> AudioError | None:
        opened = False
        try:
            async for item in source.blocks():
                if isinstance(item, Problem):
                    await self._emit_all(hearing.flush())
                    await self._emit(SourceTroubled(item))
                    continue
                if not opened:
                    opened = True
                    await self._emit(SourceOpened(source.name, source.live))
                await self._emit_all(hearing.hear(item))
        except AudioError as error:
            return error
        return None

    async def _emit_all(self, events: Iterable[Event]) -> None:
        for event in events:
            await self._emit(event)
