"""The process that the sound devices live in: `python -m mybro.audio.device FD`.

A driver that hangs takes this process with it and nothing else: the parent kills it and starts another.
Calls into PortAudio that may wait are made one after another in a thread of their own, so that the loop
can always silence the loudspeaker; what has been read from the parent is otherwise done in order.

From the parent (`do`): listen, deaf, play, feed, stop, gain, devices.
To the parent (`is`): ready or failed; listening, sound, deaf; playing, position, played, unplayable; devices.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any, TypeVar

from mybro.audio.capture import Captured
from mybro.audio.devices import (
    Device,
    as_error,
    choose_device,
    device_gone,
    device_refused,
    no_portaudio,
    query_devices,
)
from mybro.audio.guard import EchoGuard
from mybro.audio.onset import Onset
from mybro.audio.playback import DUCKED
from mybro.audio.playout import Playout, Samples
from mybro.audio.unit_trial import UnitTrial, Verdict
from mybro.audio.unit_tried import AnyCapture, TriedCapture, blocks_of, has_unit, loudspeaker_of, make_capture
from mybro.errors import AudioError
from mybro.ops.child import parent_socket
from mybro.ops.frames import Header, pack, read_frame

POSITION_EVERY_S = 0.05
COMMANDS = 1000
"""Commands that may wait for the device thread; the parent waits beyond that."""

T = TypeVar("T")


class SoundProcess:
    """Does what the parent asks, in order, except that silence is immediate."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._device_thread = ThreadPoolExecutor(1, "device")
        self._commands: asyncio.Queue[Header] = asyncio.Queue(COMMANDS)
        self._capture: AnyCapture | None = None
        self._trials: dict[str, UnitTrial] = {}
        self._pumping: asyncio.Task[None] | None = None
        self._playouts: dict[int, Playout] = {}
        self._plays = asyncio.Event()
        self._gain = 1.0
        self._guard = EchoGuard()
        self._onset = Onset()
        self._soft = False

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Until the parent closes its end."""
        try:
            await self._in_device_thread(_load)
        except OSError:
            self._send({"is": "failed", "problem": asdict(no_portaudio())})
            await self._writer.drain()
            return
        self._send({"is": "ready"})
        # Whichever ends first, by the parent's leave or by an error, ends the process.
        jobs = (self._read(reader), self._work(), self._report_position())
        done, _ = await asyncio.wait(
            [asyncio.ensure_future(job) for job in jobs], return_when="FIRST_COMPLETED"
        )
        for job in done:
            job.result()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while frame := await read_frame(reader):
            if self._hasten(*frame):
                await self._commands.put(frame[0])

    def _hasten(self, header: Header, payload: bytes) -> bool:
        """Do what must not wait for a device that is being opened; whether more is to be done, in order."""
        match header["do"]:
            case "play":
                speech = header["speech"]
                self._playouts[speech] = Playout(
                    header["rate"], self._loudness, self._finisher(speech), self._listener(speech)
                )
                self._plays.set()
            case "feed":
                if playout := self._playouts.get(header["speech"]):
                    playout.feed(payload, last=header["last"])
                return False
            case "stop":
                if playout := self._playouts.get(header["speech"]):
                    playout.mixer.silence()
            case "gain":
                self._gain = header["gain"]
                self._set_loudness()
                return False
        return True

    async def _work(self) -> None:
        actions: dict[str, Callable[[Header], Awaitable[None]]] = {
            "listen": self._listen,
            "deaf": self._deaf,
            "play": self._play,
            "stop": self._stop,
            "devices": self._list,
        }
        while True:
            header = await self._commands.get()
            await actions[header["do"]](header)

    # ------------------------------------------------------------------ microphone

    async def _listen(self, header: Header) -> None:
        await self._close_capture()
        try:
            device = await self._device(header["device"], "input")
            capture = make_capture(device, header, self._trials, self._reporter(device), self._begin_anew)
            await self._opened(device, capture.open)
        except AudioError as error:
            self._send({"is": "deaf", "problem": asdict(error.problem)})
            return
        self._capture = capture
        self._send({"is": "listening", "name": device.name, "unit": has_unit(capture)})
        self._pumping = asyncio.create_task(self._pump(capture))

    async def _pump(self, capture: AnyCapture) -> None:
        async for block in capture.blocks():
            pcm, echo = self._cleaned(capture, block)
            header = {"start": block.start, "at": block.at, "dropped": block.dropped, "echo": echo,
                      "onset": self._soft, "certain": self._soft and self._onset.certain}  # fmt: skip
            self._send({"is": "sound"} | header, pcm)
            await self._writer.drain()
        if capture is self._capture:
            self._send({"is": "deaf", "problem": asdict(device_gone(capture.device.name))})

    def _cleaned(self, capture: AnyCapture, block: Captured) -> tuple[bytes, bool]:
        """What was heard without our own voice, and whether it was only that."""
        parts, only_echo = [], False
        for at, heard in blocks_of(block):
            pcm, only_echo, stirs = self._guard.clean(at, heard)
            if isinstance(capture, TriedCapture):
                capture.judged(at, heard, audible=self._guard.audible, echo=only_echo)
            # Our own voice makes way here and now; whether it was for speech is judged by the parent.
            playing = bool(self._playouts)
            self._soften(self._onset.hear(pcm, may_be_voice=stirs and playing) and playing)
            parts.append(pcm)
        return b"".join(parts), only_echo

    def _reporter(self, device: Device) -> Callable[[Verdict], None]:
        """What is told of a voice-processing unit, by any thread."""

        def report(verdict: Verdict) -> None:
            header = {"is": "unit", "name": device.name, "result": verdict.result, "why": verdict.why}
            self._loop.call_soon_threadsafe(self._send, header)

        return report

    def _begin_anew(self) -> None:
        """Another microphone hears the room in another way."""
        self._guard = EchoGuard()

    async def _deaf(self, header: Header) -> None:
        await self._close_capture()
        self._send({"is": "deaf", "problem": None})

    async def _close_capture(self) -> None:
        capture, self._capture = self._capture, None
        if capture:
            await self._in_device_thread(capture.close)
            if self._pumping:
                await self._pumping
            await capture.aclose()

    # ------------------------------------------------------------------ loudspeaker

    def _finisher(self, speech: int) -> Callable[[], None]:
        """What PortAudio's thread calls when a stream has ended by itself."""

        def finished() -> None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._commands.put_nowait, {"do": "stop", "speech": speech})

        return finished

    def _listener(self, speech: int) -> Callable[[float, int, Samples], None]:
        def played(at: float, rate: int, samples: Samples) -> None:
            self._guard.played(speech, at, rate, samples)

        return played

    @property
    def _loudness(self) -> float:
        return min(self._gain, DUCKED) if self._soft else self._gain

    def _soften(self, soft: bool) -> None:
        if soft != self._soft:
            self._soft = soft
            self._set_loudness()

    def _set_loudness(self) -> None:
        for playout in self._playouts.values():
            playout.mixer.set_gain(self._loudness)

    async def _play(self, header: Header) -> None:
        speech = header["speech"]
        for earlier in [number for number in self._playouts if number < speech]:
            await self._close_playout(earlier)
        playout = self._playouts[speech]
        try:
            device = await self._device(header["device"], "output")
            through = loudspeaker_of(self._capture, device)
            await self._opened(device, lambda: playout.open(device, through))
            self._send({"is": "playing", "speech": speech})
        except AudioError as error:
            self._forget(speech)
            self._send({"is": "unplayable", "speech": speech, "problem": asdict(error.problem)})

    async def _stop(self, header: Header) -> None:
        await self._close_playout(header["speech"])

    async def _close_playout(self, speech: int) -> None:
        if playout := self._forget(speech):
            position = await self._in_device_thread(playout.close)
            self._guard.silenced(time.monotonic())
            self._send({"is": "played", "speech": speech, "position": position})

    def _forget(self, speech: int) -> Playout | None:
        playout = self._playouts.pop(speech, None)
        if not self._playouts:
            self._plays.clear()
        return playout

    async def _report_position(self) -> None:
        while True:
            await self._plays.wait()
            await asyncio.sleep(POSITION_EVERY_S)
            for speech, playout in self._playouts.items():
                self._send({"is": "position", "speech": speech, "position": playout.position})

    # ------------------------------------------------------------------ both

    async def _list(self, header: Header) -> None:
        devices = await self._in_device_thread(query_devices)
        self._send({"is": "devices", "devices": [device.as_json() for device in devices]})

    async def _device(self, wanted: str | None, direction: Any) -> Device:
        return choose_device(await self._in_device_thread(query_devices), wanted, direction)

    async def _opened(self, device: Device, open_stream: Callable[[], None]) -> None:
        import sounddevice

        try:
            await self._in_device_thread(open_stream)
        except sounddevice.PortAudioError as error:
            reason = str(error.args[0]) if error.args else "unknown reason"
            raise as_error(device_refused(device.name, reason)) from None

    async def _in_device_thread(self, call: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._device_thread, call)

    def _send(self, header: Header, payload: bytes = b"") -> None:
        self._writer.write(pack(header, payload))


def _load() -> None:
    """Load PortAudio; raises OSError where it is not installed."""
    import sounddevice  # noqa: F401


async def _main() -> None:
    # Only the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reader, writer = await asyncio.open_connection(sock=parent_socket(sys.argv))
    try:
        with contextlib.suppress(ConnectionError):
            await SoundProcess(writer).run(reader)
    except Exception:
        traceback.print_exc()
    # Without waiting for a driver that may hang.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(_main())
