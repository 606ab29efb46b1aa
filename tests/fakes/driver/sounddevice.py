"""A sound driver for tests, found instead of the real `sounddevice` by the process that it is put before.

A JSON file named by DRIVER_STATE says how it behaves, and may be changed while it runs:

    {"library": true,            whether PortAudio is there at all
     "inputs": ["Desk"],         names of the microphones plugged in
     "outputs": ["Box"],
     "rates": [16000, 48000],    what streams can be opened at; the first is the devices' own
     "amplitude": 8000,          of the tone that microphones hear; 0 for exact zeros
     "delivers": true,           whether an open microphone calls back
     "block_wait_s": 0.02,       between two blocks
     "overflow": false,          whether microphones say that they ran over
     "consumes": true,           whether an open loudspeaker calls back
     "hangs": ""}                a call that never returns: "query", "open", "abort" or "output_abort"
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import struct
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

TONE_STEP = 0.05


def state() -> dict[str, Any]:
    found = {
        "library": True,
        "inputs": ["Desk"],
        "outputs": ["Box"],
        "rates": [16000],
        "amplitude": 8000,
        "delivers": True,
        "block_wait_s": 0.02,
        "overflow": False,
        "consumes": True,
        "hangs": "",
    }
    state: dict[str, Any] = found | json.loads(Path(os.environ["DRIVER_STATE"]).read_text())
    return state


STARTED_WITH = state()
if not STARTED_WITH["library"]:
    raise OSError("PortAudio library not found")


class PortAudioError(Exception): ...


class CallbackStop(Exception): ...  # noqa: N818


def query_devices() -> list[dict[str, Any]]:
    """As real drivers do: what was there when it was loaded."""
    if state()["hangs"] == "query":
        time.sleep(3600)
    rate = float(STARTED_WITH["rates"][0])
    return [
        {"name": name, "max_input_channels": i, "max_output_channels": o, "default_samplerate": rate}
        for names, i, o in ((STARTED_WITH["inputs"], 1, 0), (STARTED_WITH["outputs"], 0, 2))
        for name in names
    ]


def _first(field: str) -> int:
    return next((n for n, d in enumerate(query_devices()) if d[field] > 0), -1)


default = SimpleNamespace(device=(_first("max_input_channels"), _first("max_output_channels")))


class _Stream:
    hang_on_abort = "abort"

    def __init__(
        self, *, samplerate: int, blocksize: int, callback: Any, finished_callback: Any, **_: Any
    ) -> None:
        if state()["hangs"] == "open":
            time.sleep(3600)
        if samplerate not in state()["rates"]:
            raise PortAudioError("Invalid sample rate", -9997)
        self.rate, self.size = samplerate, blocksize
        self.callback, self.finished = callback, finished_callback
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def abort(self) -> None:
        if state()["hangs"] == self.hang_on_abort:
            time.sleep(3600)
        self.stopped.set()
        self.thread.join()

    def close(self) -> None: ...

    @property
    def time(self) -> float:
        return time.monotonic()

    def _run(self) -> None:
        try:
            while not self.stopped.wait(state()["block_wait_s"]):
                if not self._block():
                    break
        except CallbackStop:
            pass
        self.finished()

    def _block(self) -> bool:
        raise NotImplementedError


class RawInputStream(_Stream):
    at = 0

    def _block(self) -> bool:
        now = state()
        if not now["inputs"]:
            return False
        if now["delivers"]:
            tone = [
                int(now["amplitude"] * math.sin(n * TONE_STEP)) for n in range(self.at, self.at + self.size)
            ]
            when = SimpleNamespace(currentTime=time.monotonic(), inputBufferAdcTime=time.monotonic() - 0.01)
            status = SimpleNamespace(input_overflow=True) if now["overflow"] else None
            self.callback(struct.pack(f"<{self.size}h", *tone), self.size, when, status)
            self.at += self.size
        return True


class RawOutputStream(_Stream):
    hang_on_abort = "output_abort"

    def _block(self) -> bool:
        now = state()
        if not now["outputs"]:
            return False
        if not now["consumes"]:
            return True
        out = bytearray(self.size * 2 * 2)
        when = SimpleNamespace(outputBufferDacTime=time.monotonic())
        with contextlib.ExitStack() as after:
            try:
                self.callback(out, self.size, when, None)
            except CallbackStop as stop:
                # As real drivers do: the block is played all the same.
                after.callback(_raise, stop)
            self._play(bytes(out))
        return True

    def _play(self, out: bytes) -> None:
        with Path(os.environ["DRIVER_STATE"]).with_suffix(".played").open("ab") as played:
            played.write(out)


def _raise(error: Exception) -> None:
    raise error
