"""The process that a model lives in: `python -m mybro.transcribe.worker FD`.

It is told what to load in its first frame, answers "ready" or "failed", then takes numbered requests.
Every request gets exactly one answer: "result", "failed" or "dropped". A thread of its own reads the socket,
so that a request can be dropped, and the parent's death be seen, while native code runs.

Nothing heavy is imported before that thread runs, and nothing at all that only the parent needs.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from mybro.errors import MybroError, TranscriptionError
from mybro.ops.frames import Header, pack, read_frame_blocking
from mybro.transcribe.mailbox import Mailbox, Request
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Setup, build

if TYPE_CHECKING:
    from mybro.transcribe.listener import Listener

DEPTH = 16
"""Requests that may wait."""
WARM_UP_S = 1.0


class Worker:
    """Answers one parent until it closes the socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sending = threading.Lock()
        self._mailbox = Mailbox(DEPTH)

    def run(self) -> None:
        """Load, then answer until the parent goes."""
        first = read_frame_blocking(self._sock)
        if first is None:
            return
        threading.Thread(target=self._read, name="parent", daemon=True).start()
        listener = self._load(Setup(**first[0]["setup"]))
        while listener and (request := self._mailbox.take()):
            self._send({"type": "started", "request": request.number})
            answer = self._answer(listener, request)
            wanted = self._mailbox.finish()
            self._send(answer if wanted else {"type": "dropped", "request": request.number})

    def _load(self, setup: Setup) -> Listener | None:
        started = time.perf_counter()
        try:
            recogniser = build(setup)
            recogniser.load()
            from mybro.transcribe.listener import Listener
        except MybroError as error:
            self._send({"type": "failed", **_problem(error)})
            return None
        loaded = time.perf_counter()
        listener = Listener(recogniser)
        if setup.path and not len(self._mailbox):
            # A first request that waits already warms the model as well as a rehearsal would.
            self._warm_up(recogniser)
        self._send(
            {
                "type": "ready",
                "languages": list(recogniser.languages()),
                "load_ms": (loaded - started) * 1e3,
                "warm_up_ms": (time.perf_counter() - loaded) * 1e3,
            }
        )
        return listener

    @staticmethod
    def _warm_up(recogniser: Any) -> None:
        import numpy as np

        with contextlib.suppress(TranscriptionError):
            recogniser.recognise(np.zeros(int(WARM_UP_S * SAMPLE_RATE), np.float32), Hints(language="en"))

    def _answer(self, listener: Listener, request: Request) -> Header:
        import numpy as np

        language = None if request.language == "auto" else request.language
        try:
            sound = np.frombuffer(request.pcm, "<i2").astype(np.float32) / np.float32(32768)
            hints = Hints(request.prompt, language, call=request.call)
            heard = listener.transcribe(sound, hints, quick=request.quick)
        except MybroError as error:
            return {"type": "failed", "request": request.number, **_problem(error)}
        except (RuntimeError, ValueError, MemoryError) as error:
            return {
                "type": "failed",
                "request": request.number,
                "code": "recogniser_failed",
                "message": f"the recogniser failed: {error}",
                "hint": "",
                "retryable": True,
            }
        return {
            "type": "result",
            "request": request.number,
            "text": heard.text,
            "language": heard.language,
            "no_speech_probability": heard.no_speech_probability,
            "average_logprob": heard.average_logprob,
            "timings_ms": heard.timings_ms,
            "called": heard.called,
        }

    def _read(self) -> None:
        """Take frames until the parent's end is closed, then end the process, whatever it is doing."""
        try:
            while frame := read_frame_blocking(self._sock):
                self._take(*frame)
        finally:
            os._exit(0)

    def _take(self, header: Header, pcm: bytes) -> None:
        if header["type"] == "drop":
            number = header["request"]
            if self._mailbox.drop(number):
                self._send({"type": "dropped", "request": number})
            return
        request = Request(
            number=header["request"],
            turn=header["turn"],
            pcm=pcm,
            prompt=header["prompt"],
            language=header["language"],
            speculative=header["speculative"],
            quick=header.get("quick", False),
            call=header.get("call", ""),
        )
        gone = self._mailbox.put(request)
        if gone is request and not request.speculative:
            busy = TranscriptionError("recogniser_busy", "too many sentences wait", retryable=True)
            self._send({"type": "failed", "request": gone.number, **_problem(busy)})
        elif gone:
            self._send({"type": "dropped", "request": gone.number})

    def _send(self, header: Header) -> None:
        with self._sending, contextlib.suppress(OSError):
            self._sock.sendall(pack(header))


def _problem(error: MybroError) -> Header:
    problem = error.problem
    return {
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "retryable": problem.retryable,
    }


def main() -> None:
    # Only the parent decides when the worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sock = socket.socket(fileno=int(sys.argv[1]))
    sock.set_inheritable(False)
    Worker(sock).run()


if __name__ == "__main__":
    main()
