"""Plays one sound at a time, knows how much of it was heard, and never waits forever."""

from __future__ import annotations

import asyncio

from mybro.clock import Clock
from mybro.speak.bounded import within
from mybro.speak.player import Playback, PlayerPort
from mybro.speak.sound import Sound, scaled

_BLOCK_S = 0.1


class Loudspeaker:
    """Plays `Sound`s through a `PlayerPort`."""

    def __init__(self, player: PlayerPort, clock: Clock, *, volume: float, timeout_s: float) -> None:
        """`timeout_s` is what a step may take longer than the sound that it plays."""
        self._player = player
        self._clock = clock
        self._volume = volume
        self._timeout_s = timeout_s
        self._lock = asyncio.Lock()
        self._playback: Playback | None = None
        self._ducked = False

    @property
    def busy(self) -> bool:
        return self._lock.locked()

    async def play(self, sound: Sound) -> None:
        """Play what of the sound was not heard yet, also while it is still being made.

        Cancelling it makes it silent at once; `sound.heard` tells from where it can go on. Raises
        `TimeoutError` and what the player raises.
        """
        async with self._lock:
            begin = written = sound.heard
            playback: Playback | None = None
            try:
                while pcm := await sound.read(written, max(1, round(sound.sample_rate * _BLOCK_S))):
                    if playback is None:
                        playback = await self._begin(sound.sample_rate)
                    samples = len(pcm) // 2
                    work = playback.write(scaled(pcm, self._volume))
                    await within(self._clock, self._timeout_s + samples / sound.sample_rate, work)
                    written += samples
                if playback is not None:
                    left = (begin + playback.position - written) / sound.sample_rate
                    await within(self._clock, self._timeout_s - left, playback.finish())
                    sound.heard = written
            except BaseException:
                if playback is not None:
                    sound.heard = min(begin + playback.position, written)
                    playback.stop()
                raise
            finally:
                self._playback = None

    def stop(self) -> None:
        """Be silent within one block. The task that plays is to be cancelled too."""
        if self._playback is not None:
            self._playback.stop()

    def duck(self, on: bool) -> None:
        self._ducked = on
        if self._playback is not None:
            self._playback.duck(on)

    async def _begin(self, sample_rate: int) -> Playback:
        playback = await within(self._clock, self._timeout_s, self._player.play(sample_rate))
        if self._ducked:
            playback.duck(True)
        self._playback = playback
        return playback
