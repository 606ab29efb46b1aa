"""One worker process, as its parent sees it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict
from typing import Self

from mybro.clock import Clock
from mybro.errors import ChildError, ModelLoadError, TranscriptionError
from mybro.events import Transcribed
from mybro.ops.child import Child
from mybro.ops.frames import Header
from mybro.transcribe.mailbox import Request
from mybro.transcribe.recogniser import Setup

LOAD_TIMEOUT_S = 300.0
"""A large model from a slow disk, and its first rehearsal."""
REAP_S = 1.0


class WorkerProcess:
    """A worker that has loaded its model."""

    def __init__(self, child: Child, ready: Header) -> None:
        self._child = child
        self.languages: list[str] = ready["languages"]
        """ISO 639-1 codes that the model knows; empty: not known."""
        self.load_ms: float = ready["load_ms"]
        self.running: int | None = None
        """The number of the request that it works on."""
        self._killed = False

    @classmethod
    async def start(cls, setup: Setup, clock: Clock) -> Self:
        """Start a worker and wait until it is ready.

        Raises `TranscriptionError` (what the backend said), or `ChildError` where it died or hung.
        """
        child = await Child.start("mybro.transcribe.worker")
        try:
            await child.send({"type": "load", "setup": asdict(setup)})
            frame = await _within(clock, LOAD_TIMEOUT_S, child)
            if frame is None:
                raise ChildError("worker_died", _epitaph(child), retryable=True)
            if frame["type"] == "failed":
                raise failure(frame)
            return cls(child, frame)
        except BaseException:
            child.kill()
            await child.aclose()
            raise

    @property
    def pid(self) -> int:
        return self._child.pid

    def send(self, request: Request) -> None:
        header = {
            "type": "transcribe",
            "request": request.number,
            "turn": request.turn,
            "prompt": request.prompt,
            "language": request.language,
            "speculative": request.speculative,
            "quick": request.quick,
            "call": request.call,
        }
        self._child.post(header, request.pcm)

    def drop(self, number: int) -> None:
        self._child.post({"type": "drop", "request": number})

    async def receive(self) -> Header | None:
        """The next answer, or None once the worker has ended."""
        try:
            frame = await self._child.receive()
        except ChildError:
            self.kill()
            return None
        return frame[0] if frame else None

    def epitaph(self) -> str:
        """Why it ended, in a sentence."""
        return _epitaph(self._child)

    async def status(self) -> int | None:
        """Its exit status, soon after it has ended; None where it was killed from here, or lives on."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REAP_S):
                status = await self._child.wait()
                return None if self._killed else status
        return None

    def kill(self) -> None:
        self._killed = True
        self._child.kill()

    async def aclose(self) -> None:
        # Nothing that a worker holds needs saving.
        self._child.kill()
        await self._child.aclose()


_KINDS: dict[str, type[TranscriptionError]] = {"model_not_loaded": ModelLoadError}


def failure(header: Header) -> TranscriptionError:
    """The error that a worker's "failed" frame carries."""
    kind = _KINDS.get(header["code"], TranscriptionError)
    return kind(header["code"], header["message"], hint=header["hint"], retryable=header["retryable"])


def transcribed(request: Request, header: Header, model: str) -> Transcribed:
    """What a worker's answer says; `model` is its name."""
    return Transcribed(
        turn=request.turn,
        request=request.number,
        text=header["text"],
        model=model,
        language=header["language"],
        no_speech_probability=header["no_speech_probability"],
        average_logprob=header["average_logprob"],
        processing_ms=header["timings_ms"]["total"],
        called=header.get("called"),
    )


def _epitaph(child: Child) -> str:
    last = child.complaints.splitlines()[-1:]
    return f"the speech recogniser ended unexpectedly{f' ({last[0][:200]})' if last else ''}"


async def _within(clock: Clock, seconds: float, child: Child) -> Header | None:
    answer = asyncio.ensure_future(child.receive())
    alarm = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({answer, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ChildError("worker_hung", "the speech model did not load in time", retryable=True)
        frame = answer.result()
        return frame[0] if frame else None
    finally:
        for task in (answer, alarm):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ChildError):
                await task
