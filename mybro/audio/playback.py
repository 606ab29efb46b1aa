"""The loudspeaker: sound that can be stopped within one block, and how much of it was heard."""

from __future__ import annotations

import asyncio
from typing import Protocol

from mybro.audio.devices import as_error, choose_device
from mybro.audio.sound import SoundProcess, problem_of
from mybro.errors import AudioError, Problem, SoundServerError
from mybro.events import BYTES_PER_SAMPLE
from mybro.ops.frames import Header

AHEAD_S = 2.0
"""`write` waits while this much is on its way."""
OPEN_S = 10.0
STOP_S = 1.0
"""A driver that has not confirmed a stop by then is taken down."""
STALL_S = 3.0
"""Longer than this behind its time, and the driver is taken down."""
UNSURE_S = 0.25
"""What a device that ended in order may not have reported as heard."""
DUCKED = 0.2
TRIES = 3


class Playback(Protocol):
    """One stretch of sound on its way out."""

    @property
    def position(self) -> int:
        """Samples that have been heard."""
        ...

    async def write(self, pcm: bytes) -> None:
        """Take mono 16-bit samples; waits while enough are on their way. Raises `AudioError`."""
        ...

    async def finish(self) -> None:
        """Return once everything written has been heard, or after `stop`. Raises `AudioError`."""
        ...

    def stop(self) -> None:
        """Be silent within one block; what was not heard is forgotten."""
        ...

    def duck(self, on: bool) -> None:
        """Go on much more softly, or as before."""
        ...


class Player(Protocol):
    """A loudspeaker, real or not."""

    async def play(self, sample_rate: int) -> Playback:
        """Begin a stretch of sound at this rate, in hertz; ends the one before. Raises `AudioError`."""
        ...


async def sound_available(process: SoundProcess, device: str | None = None) -> Problem | None:
    """Why nothing can be played, or None where it can."""
    try:
        choose_device(await process.devices(), device, "output")
    except AudioError as error:
        return error.problem
    return None


class DevicePlayer:
    """Plays through the sound process."""

    def __init__(self, process: SoundProcess, device: str | None = None) -> None:
        """`device` is a name, a part of one, or a number; None is the system's choice."""
        self._process = process
        self._device = device

    async def play(self, sample_rate: int) -> DevicePlayback:
        playback = DevicePlayback(self._process, self._device, sample_rate)
        await playback.open()
        return playback


class DevicePlayback:
    """Sound on its way through the sound process.

    Where that dies or the device goes away, it goes on in the next process from where it was.
    """

    def __init__(self, process: SoundProcess, device: str | None, sample_rate: int) -> None:
        self._process = process
        self._device = device
        self._speech = process.next_speech()
        self._rate = sample_rate
        # What is not known to have been heard: it is sent again where the process dies.
        self._unheard = bytearray()
        self._position = self._began_at = 0
        self._gain = 1.0
        self._complete = self._stopped = self._over = False
        self._error: AudioError | None = None
        self._advanced = asyncio.Event()
        self._opened: asyncio.Future[AudioError | None] | None = None
        self._mending: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._unsubscribe = process.subscribe(self._take)

    @property
    def position(self) -> int:
        return self._position

    async def open(self) -> None:
        """Open the device. Raises `AudioError`."""
        self._process.playing(self._speech, True)
        try:
            await self._begin()
        except BaseException:
            self._end()
            raise

    async def write(self, pcm: bytes) -> None:
        if not self._over and not self._stopped:
            self._unheard += pcm
            if not self._mending:
                self._feed(pcm)
        while not self._over and len(self._unheard) > AHEAD_S * self._rate * BYTES_PER_SAMPLE:
            await self._advance()
        self._raise()

    async def finish(self) -> None:
        self._complete = True
        if not self._mending:
            self._feed(b"")
        while not self._over:
            await self._advance()
        self._raise()

    def stop(self) -> None:
        if self._over or self._stopped:
            return
        self._stopped = True
        self._process.post({"do": "stop", "speech": self._speech})
        if self._mending:
            self._mending.cancel()
            self._end()
        else:
            self._stopping = asyncio.create_task(self._see_it_stop())

    def duck(self, on: bool) -> None:
        self._gain = DUCKED if on else 1.0
        self._process.post({"do": "gain", "gain": self._gain})

    # ------------------------------------------------------------------ the process

    async def _begin(self) -> None:
        await self._process.start()
        self._opened = asyncio.get_running_loop().create_future()
        self._process.post({"do": "gain", "gain": self._gain})
        ask: Header = {"do": "play", "speech": self._speech, "device": self._device, "rate": self._rate}
        self._process.post(ask)
        try:
            async with asyncio.timeout(OPEN_S):
                error = await self._opened
        except TimeoutError:
            await self._process.restart()
            error = _no_answer()
        if error:
            raise error

    def _feed(self, pcm: bytes) -> None:
        header: Header = {"do": "feed", "speech": self._speech, "last": self._complete}
        self._process.post(header, pcm)

    def _take(self, header: Header, _: bytes) -> None:
        if header["is"] != "lost" and header.get("speech") != self._speech:
            return
        match header["is"]:
            case "playing":
                self._answer(None)
            case "unplayable":
                self._answer(as_error(problem_of(header["problem"])))
            case "position":
                self._heard(header["position"])
            case "played":
                self._heard(header["position"])
                self._closed()
            case "lost":
                self._answer(_no_answer())
                self._closed()

    def _answer(self, error: AudioError | None) -> None:
        if self._opened and not self._opened.done():
            self._opened.set_result(error)

    def _heard(self, position: int) -> None:
        news = self._began_at + position - self._position
        if news > 0:
            del self._unheard[: news * BYTES_PER_SAMPLE]
            self._position += news
            self._advanced.set()

    def _closed(self) -> None:
        """The device plays no more of this: it is all heard, was stopped, or is to be mended."""
        rest = len(self._unheard) // BYTES_PER_SAMPLE
        if self._stopped:
            self._end()
        elif self._complete and rest < self._rate * UNSURE_S:
            self._position += rest
            self._end()
        elif not self._mending and not self._over:
            self._mending = asyncio.create_task(self._mend())

    async def _mend(self) -> None:
        """Go on in a new process."""
        for _ in range(TRIES):
            try:
                await self._begin()
            except AudioError as error:
                self._error = error
                continue
            self._error = None
            self._mending = None
            self._began_at = self._position
            self._feed(bytes(self._unheard))
            return
        self._end()

    async def _see_it_stop(self) -> None:
        try:
            async with asyncio.timeout(STOP_S):
                while not self._over:
                    await self._wait()
        except TimeoutError:
            await self._process.restart()
            self._end()

    async def _advance(self) -> None:
        """Wait until more was heard; a driver that makes no headway is taken down."""
        try:
            async with asyncio.timeout(STALL_S):
                await self._wait()
        except TimeoutError:
            if not self._mending:
                await self._process.restart()

    async def _wait(self) -> None:
        self._advanced.clear()
        await self._advanced.wait()

    def _end(self) -> None:
        self._over = True
        self._unsubscribe()
        self._process.playing(self._speech, False)
        self._advanced.set()

    def _raise(self) -> None:
        if self._error and not self._stopped:
            raise self._error


def _no_answer() -> AudioError:
    return SoundServerError("no_sound_process", "The sound devices do not answer", retryable=True)
