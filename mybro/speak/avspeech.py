"""AVSpeechSynthesizer, macOS's own voices as samples: they can be cut within one block.

It lives in a child process: its callbacks need a run loop of their own, and what hangs can be killed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncGenerator

from mybro.config import SpeakSettings
from mybro.errors import ChildError, SpeakError
from mybro.ops.child import Child

CHILD_MODULE = "mybro.speak.avspeech_macos"


class AvSpeech:
    """Asks the child for one sentence at a time.

    The request is {"text", "voice", "rate_wpm"}; the answers are {"sample_rate"} with samples, any number
    of times, then {"end": true} or {"error": why}.
    """

    name = "macOS speech"

    def __init__(self, voice: str | None, rate_wpm: int, module: str = CHILD_MODULE) -> None:
        self.sample_rate = 22_050
        self._request = {"voice": voice, "rate_wpm": rate_wpm}
        self._module = module
        self._child: Child | None = None

    async def synthesize(self, text: str) -> AsyncGenerator[bytes]:
        child = await self._running()
        if not text:
            return
        finished = False
        try:
            await child.send({**self._request, "text": text})
            while frame := await child.receive():
                header, samples = frame
                if "error" in header:
                    raise SpeakError(
                        "voice_failed", f"macOS speech failed: {header['error']}", retryable=True
                    )
                if header.get("end"):
                    finished = True
                    return
                self.sample_rate = int(header["sample_rate"])
                yield samples
            raise SpeakError("voice_failed", "macOS speech ended before it had spoken", retryable=True)
        except ChildError as error:
            raise SpeakError("voice_failed", error.message, retryable=True) from error
        finally:
            if not finished:
                # What it still says of this sentence would be taken for the next one.
                await self.aclose(grace_s=0.0)

    async def aclose(self, grace_s: float = 0.5) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.aclose(grace_s)

    async def _running(self) -> Child:
        if self._child is not None and self._child.returncode is not None:
            await self.aclose()
        if self._child is None:
            try:
                self._child = await Child.start(self._module)
            except ChildError as error:
                raise SpeakError("voice_not_started", error.message) from error
        return self._child


def make(settings: SpeakSettings) -> AvSpeech:
    if importlib.util.find_spec("AVFoundation") is None:
        raise SpeakError(
            "no_avspeech",
            "macOS speech needs pyobjc's AVFoundation",
            hint="On a Mac, run `make setup` in mybro's checkout",
        )
    return AvSpeech(settings.voice, settings.rate_wpm)
