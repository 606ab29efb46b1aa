"""The plain microphone with a voice-processing unit on trial beside it, and which of them to open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from mybro.audio.capture import QUEUE_BLOCKS, Capture, Captured
from mybro.audio.devices import Device
from mybro.audio.playout import Through
from mybro.audio.source import BLOCK_SAMPLES
from mybro.audio.unit_trial import UnitTrial, Verdict
from mybro.audio.voice_unit import MakeUnit, Report, UnitCapture, UnitSpeaker, VoiceUnitError, system_unit
from mybro.events import BYTES_PER_SAMPLE, SAMPLE_RATE
from mybro.ops.frames import Header


class TriedCapture:
    """The plain microphone, and the unit beside it; when that is proved, and all is quiet, the unit."""

    def __init__(
        self,
        plain: Capture,
        unit: UnitCapture,
        trial: UnitTrial,
        report: Report,
        on_change: Callable[[], None],
    ) -> None:
        """`on_change` is called before the first block that comes from the unit."""
        self.device = plain.device
        self._plain, self._unit = plain, unit
        self._trial = trial
        self._report = report
        self._on_change = on_change
        self._comparing: asyncio.Task[None] | None = None
        self._letting_go: asyncio.Task[None] | None = None
        self._verdict: Verdict | None = None
        self._changing = False
        self._proved: asyncio.Queue[Captured | None] = asyncio.Queue(QUEUE_BLOCKS)

    @property
    def plays_at(self) -> int | None:
        # Nothing is trusted to a unit that has not made a sound yet.
        return self._unit.plays_at if self._trial.sounds else None

    @property
    def has_unit(self) -> bool:
        return self._unit.has_unit

    def speaker(self, callback: Callable[..., None], finished: Callable[[], None]) -> UnitSpeaker:
        return self._unit.speaker(callback, finished)

    def open(self) -> None:
        """Open both; raises sounddevice.PortAudioError where the plain one cannot be."""
        self._plain.open()
        self._trial.begin()
        try:
            self._unit.open_unit()
        except VoiceUnitError as error:
            self._judge(Verdict("failed", f"cannot be opened: {error}"))

    def close(self) -> None:
        self._plain.close()
        self._unit.close()

    async def blocks(self) -> AsyncIterator[Captured]:
        """As `Capture.blocks`: first of one, then of the other, without a seam in the count."""
        self._comparing = asyncio.create_task(self._compare())
        end, end_at = 0, None
        async for block in self._plain.blocks():
            end = block.start + len(block.pcm) // BYTES_PER_SAMPLE
            end_at = block.at + len(block.pcm) / BYTES_PER_SAMPLE / SAMPLE_RATE
            yield block
            if self._changing:
                break
        if not self._changing:
            return
        await asyncio.to_thread(self._plain.close)
        offset: int | None = None
        while block_or_end := await self._proved.get():
            block = block_or_end
            if offset is None:
                away = 0.0 if end_at is None else max(block.at - end_at, 0.0)
                offset = end + round(away * SAMPLE_RATE) - block.start
            yield Captured(block.start + offset, block.at, block.pcm, block.dropped)

    def judged(self, at: float, pcm: bytes, *, audible: bool, echo: bool) -> None:
        """What the guard said of a block of the plain microphone, as it came from there."""
        if self._verdict is None:
            self._trial.plain(at, pcm, audible=audible, echo=echo)
            if verdict := self._trial.verdict():
                self._judge(verdict)
                if verdict.result != "proved":
                    # One that delivers nothing would never be noticed by who waits for its blocks.
                    self._letting_go = asyncio.ensure_future(asyncio.to_thread(self._unit.close))
        if self._verdict is not None and self._verdict.result == "proved" and not audible:
            self._change()

    async def aclose(self) -> None:
        if self._letting_go:
            await self._letting_go
        if self._comparing:
            self._comparing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._comparing
        await self._plain.aclose()
        await self._unit.aclose()

    def _change(self) -> None:
        if not self._changing:
            self._changing = True
            self._on_change()

    def _judge(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._report(verdict)

    async def _compare(self) -> None:
        """Feed the trial, and then who listens."""
        async for block in self._unit.blocks():
            if self._changing:
                self._forward(block)
            elif self._verdict is None:
                self._trial.unit(block.at, block.pcm)
        self._forward(None)

    def _forward(self, block: Captured | None) -> None:
        if self._proved.full():
            self._proved.get_nowait()
        self._proved.put_nowait(block)


AnyCapture = Capture | TriedCapture


def make_capture(
    device: Device,
    header: Header,
    trials: dict[str, UnitTrial],
    report: Report,
    on_change: Callable[[], None],
    make_unit: MakeUnit = system_unit,
) -> AnyCapture:
    """The microphone to open; only the system's default one has a unit.

    `header` says by "unit" whether one is to be used, by "proofs" what is known of it on which devices, and
    by "refused" where it is not to be tried.
    """
    wish, known = header.get("unit", "off"), header.get("proofs", {}).get(device.name)
    refused = device.name in header.get("refused", ()) or (wish == "auto" and known is False)
    if wish == "off" or refused or not device.default_input:
        return Capture(device)
    unit = UnitCapture(device, report, make_unit)
    if wish == "on" or known:
        return unit
    trial = trials.setdefault(device.name, UnitTrial())
    if trial.verdict():
        return Capture(device)
    return TriedCapture(Capture(device), unit, trial, report, on_change)


def loudspeaker_of(capture: AnyCapture | None, device: Device) -> Through | None:
    """What to play through instead of `device`, where a unit is open that has it."""
    if isinstance(capture, UnitCapture | TriedCapture) and device.default_output:
        return capture
    return None


def has_unit(capture: AnyCapture) -> bool:
    """Whether a unit is open, on trial or in use."""
    return isinstance(capture, UnitCapture | TriedCapture) and capture.has_unit


def blocks_of(block: Captured) -> list[tuple[float, bytes]]:
    """Its blocks of BLOCK_SAMPLES, and when each was heard."""
    size = BLOCK_SAMPLES * BYTES_PER_SAMPLE
    return [
        (block.at + first / BYTES_PER_SAMPLE / SAMPLE_RATE, block.pcm[first : first + size])
        for first in range(0, len(block.pcm), size)
    ]
