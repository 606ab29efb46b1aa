"""A microphone as a source: in the sound process, opened again whenever it went away."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator

from mybro.audio.devices import as_error, device_gone
from mybro.audio.sound import SoundProcess, problem_of
from mybro.audio.unit_choice import UnitChoice
from mybro.clock import Clock, MonotonicClock
from mybro.errors import AudioCaptureError, AudioError, Problem
from mybro.events import SAMPLE_RATE, AudioBlock
from mybro.ops.frames import Header

QUEUE_BLOCKS = 500
"""Ten seconds: who takes longer over a block loses sound, which is counted."""
WATCH_S = 1.5
"""Without a block for this long, an open device has died: some do without a word."""
OPEN_S = 10.0
CLOSE_S = 1.0
BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0)
SAY_AGAIN_S = 30.0
DEFAULT_NAME = "microphone"


class MicrophoneSource:
    """Blocks from a microphone, until closed. Audio time goes on while the device is away."""

    live = True

    def __init__(
        self,
        process: SoundProcess,
        device: str | None = None,
        *,
        clock: Clock | None = None,
        queue_blocks: int = QUEUE_BLOCKS,
        unit: UnitChoice | None = None,
    ) -> None:
        """`device` is a name, a part of one, or a number; None is the system's choice.

        `unit` says whether a voice-processing unit may be opened in its place; None never opens one.
        """
        self._unit = unit or UnitChoice("off")
        self.name = device or DEFAULT_NAME
        self._process = process
        self._device = device
        self._clock = clock or MonotonicClock()
        self._closed = asyncio.Event()
        self._queue_blocks = queue_blocks
        self._frames: asyncio.Queue[tuple[Header, bytes]] = asyncio.Queue(queue_blocks)
        self._lost_here = self._lost_there = self._lost_before = 0
        self._end = 0
        self._end_at: float | None = None
        self._listening = False
        self._alive = 0

    @property
    def dropped_blocks(self) -> int:
        """Lost here, in the running sound process, and in those before it."""
        return self._lost_here + self._lost_there + self._lost_before

    async def blocks(self) -> AsyncIterator[AudioBlock | Problem]:
        unsubscribe = self._process.subscribe(self._take)
        failures, said = 0, _Said(self._clock)
        try:
            while not self._closed.is_set():
                try:
                    await self._open()
                    async for block in self._stream():
                        failures = 0
                        yield block
                except AudioError as error:
                    if news := self._unit.lost():
                        yield news
                    if not error.retryable:
                        raise
                    if said.anew(error.problem):
                        yield error.problem
                    await self._pause(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
                    failures += 1
        finally:
            unsubscribe()
            await self.aclose()

    async def aclose(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        if self._listening:
            await self._let_go()
        self._wake()

    # ------------------------------------------------------------------ one opening

    async def _open(self) -> None:
        # Devices that came since the process started are known only to a new one.
        await self._process.start()
        self._frames = asyncio.Queue(self._queue_blocks)
        self._lost_before += self._lost_there
        self._lost_there = 0
        self._alive = 0
        self._listening = True
        self._process.post({"do": "listen", "device": self._device, **self._unit.ask()})

    async def _stream(self) -> AsyncIterator[AudioBlock | Problem]:
        """Blocks until the device is lost, which raises a retryable `AudioError`, or this is closed."""
        watching = asyncio.create_task(self._watch())
        offset: int | None = None
        try:
            while not self._closed.is_set():
                header, pcm = await self._frames.get()
                match header["is"]:
                    case "listening":
                        self.name = header["name"]
                        self._unit.opened(self.name, with_unit=header["unit"])
                    case "unit":
                        if news := self._unit.judged(header):
                            yield news
                    case "sound":
                        if offset is None:
                            offset = self._resume(header["start"], header["at"])
                        over_voice = (header["echo"], header["onset"], header["certain"])
                        block = AudioBlock(offset + header["start"], pcm, *over_voice)
                        self._end = block.end
                        self._end_at = header["at"] + block.seconds
                        yield block
                    case _ if not self._closed.is_set():
                        raise await self._why(header)
        finally:
            watching.cancel()
            self._listening = False

    def _resume(self, start: int, at: float) -> int:
        """What to add to the device's sample index so that audio time includes the time it was away."""
        away = 0.0 if self._end_at is None else max(at - self._end_at, 0.0)
        return self._end + math.ceil(away * SAMPLE_RATE) - start

    async def _why(self, header: Header) -> AudioError:
        """The device is lost: say what happened, and see to it that the next try starts clean."""
        problem = problem_of(header["problem"]) if header.get("problem") else device_gone(self.name)
        if problem.code == "device_gone":
            # Nobody knows what state the driver is in.
            await self._process.restart()
        else:
            await self._process.renew()
        return as_error(problem, AudioCaptureError)

    async def _watch(self) -> None:
        """Notice a device that has stopped delivering without a word."""
        opened = self._clock.now()
        while True:
            seen = self._alive
            await self._clock.sleep(WATCH_S)
            if seen == self._alive and (seen or self._clock.now() - opened >= OPEN_S):
                self._put({"is": "silent"}, b"")

    async def _pause(self, seconds: float) -> None:
        waits = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._closed.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _let_go(self) -> None:
        """Have the device closed; a driver that does not let go is taken down with its process."""
        gone = asyncio.Event()

        def take(header: Header, _: bytes) -> None:
            if header["is"] in ("deaf", "lost"):
                gone.set()

        unsubscribe = self._process.subscribe(take)
        try:
            self._process.post({"do": "deaf"})
            async with asyncio.timeout(CLOSE_S):
                await gone.wait()
        except TimeoutError:
            await self._process.restart()
        finally:
            unsubscribe()

    # ------------------------------------------------------------------ frames from the process

    def _take(self, header: Header, pcm: bytes) -> None:
        if header["is"] == "sound":
            self._alive += 1
            self._lost_there = header["dropped"]
            if self._frames.full():
                self._lost_here += 1
                return
        elif header["is"] not in ("listening", "unit", "deaf", "lost"):
            return
        self._put(header, pcm)

    def _put(self, header: Header, pcm: bytes) -> None:
        if self._frames.full():
            self._frames.get_nowait()
            self._lost_here += 1
        self._frames.put_nowait((header, pcm))

    def _wake(self) -> None:
        self._put({"is": "closed"}, b"")


class _Said:
    """Which trouble was told, so that it is not told at every try."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._problem: Problem | None = None
        self._at = 0.0

    def anew(self, problem: Problem) -> bool:
        now = self._clock.now()
        if problem == self._problem and now - self._at < SAY_AGAIN_S:
            return False
        self._problem, self._at = problem, now
        return True
