"""The parent's side of the sound process: one for microphone and loudspeaker, started when needed.

PortAudio can hang for good in a call that stops a stream, and learns of new devices only when it is loaded
anew. Both are cured by killing the process and starting another, so whoever uses it expects to lose it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from mybro.audio.devices import Device, as_error
from mybro.errors import ChildError, Problem, SoundServerError
from mybro.ops.child import Child
from mybro.ops.frames import Header

MODULE = "mybro.audio.device"
START_S = 20.0
"""Loading PortAudio probes every sound card."""
ANSWER_S = 5.0
QUIET_S = 30.0

Taker = Callable[[Header, bytes], None]

LOST: Header = {"is": "lost"}
"""What everybody who takes frames is told when the process has ended."""


class SoundProcess:
    """Keeps one sound process; frames from it go to whoever registered for their kind."""

    def __init__(self, *, env: Mapping[str, str] | None = None) -> None:
        """`env` is the process's environment; None for our own."""
        self._env = env
        self._child: Child | None = None
        self._reading: dict[Child, asyncio.Task[None]] = {}
        self._speeches = itertools.count(1)
        self._playing: set[int] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._starting = asyncio.Lock()
        self._takers: list[Taker] = []
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The running process's number."""
        return self._child.pid if self._child else None

    def subscribe(self, taker: Taker) -> Callable[[], None]:
        """Have every frame given to `taker`, which must not block; returns what ends that."""
        self._takers.append(taker)
        return lambda: self._takers.remove(taker) if taker in self._takers else None

    async def start(self) -> None:
        """Start the process unless it runs.

        Raises `AudioError`: not retryable where PortAudio is not installed.
        """
        async with self._starting:
            if self._child or self._closed:
                return
            try:
                child = await Child.start(MODULE, env=self._env)
            except ChildError as error:
                raise SoundServerError(error.code, error.message, retryable=True) from error
            try:
                async with asyncio.timeout(START_S):
                    first = await child.receive()
            except (TimeoutError, ChildError):
                first = None
            except BaseException:
                child.kill()
                await child.aclose()
                raise
            if first is None or first[0]["is"] != "ready":
                child.kill()
                await child.aclose()
                raise as_error(_why_not(first[0] if first else None), SoundServerError)
            self._child = child
            self._reading[child] = asyncio.create_task(self._read(child))

    def post(self, header: Header, payload: bytes = b"") -> None:
        """Ask for something; nothing happens where the process does not run."""
        if self._child:
            self._child.post(header, payload)

    async def devices(self) -> list[Device]:
        """All devices, as the process knew them when it started. Raises `AudioError`."""
        await self.start()
        answer: asyncio.Future[Header] = asyncio.get_running_loop().create_future()

        def take(header: Header, _: bytes) -> None:
            if header["is"] in ("devices", "lost") and not answer.done():
                answer.set_result(header)

        unsubscribe = self.subscribe(take)
        try:
            self.post({"do": "devices"})
            async with asyncio.timeout(ANSWER_S):
                header = await answer
        except TimeoutError:
            header = LOST
        finally:
            unsubscribe()
        if header is LOST:
            await self.restart()
            raise SoundServerError("no_sound_process", "The sound devices do not answer", retryable=True)
        return [Device(**entry) for entry in header["devices"]]

    def next_speech(self) -> int:
        """A number for something to play, never used twice."""
        return next(self._speeches)

    def playing(self, speech: int, on: bool) -> None:
        """Note that the loudspeaker is in use, which `renew` waits for."""
        (self._playing.add if on else self._playing.discard)(speech)
        if self._playing:
            self._quiet.clear()
        else:
            self._quiet.set()

    async def renew(self) -> None:
        """Restart a process that is well, for the sake of devices that came since it started.

        What is being played is heard out first, within reason.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(QUIET_S):
                await self._quiet.wait()
        await self.restart()

    async def restart(self) -> None:
        """Kill the process, whatever it is doing; the next `start` starts another."""
        child, self._child = self._child, None
        if child:
            child.kill()
            await self._ended(child)

    async def aclose(self) -> None:
        """End the process for good. Works twice."""
        self._closed = True
        async with self._starting:
            child, self._child = self._child, None
        if child:
            # It ends at once when it is not held up in a driver.
            await child.aclose(grace_s=0.5)
            await self._ended(child)

    async def _ended(self, child: Child) -> None:
        if reading := self._reading.get(child):
            await reading
        await child.aclose(grace_s=0.5)

    async def _read(self, child: Child) -> None:
        with contextlib.suppress(ChildError):
            while frame := await child.receive():
                for taker in tuple(self._takers):
                    taker(*frame)
        if self._child is child:
            self._child = None
            child.kill()
            await child.aclose()
        self._reading.pop(child, None)
        for taker in tuple(self._takers):
            taker(LOST, b"")


def _why_not(header: Header | None) -> Problem:
    if header and header["is"] == "failed":
        return problem_of(header["problem"])
    return Problem("no_sound_process", "The sound devices do not answer", "They are tried again", True)


def problem_of(fields: Mapping[str, Any]) -> Problem:
    """A problem as it crosses the socket."""
    return Problem(**fields)
