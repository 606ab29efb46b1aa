"""One client's stream of sound: an ear of its own, and a recogniser that can be changed under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

from mybro.audio.ear import Ear
from mybro.audio.source import BLOCK_SAMPLES
from mybro.config import AudioSettings
from mybro.errors import MybroError, TranscriptionError
from mybro.events import (
    BYTES_PER_SAMPLE,
    SAMPLE_RATE,
    AudioBlock,
    Event,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
    Utterance,
)
from mybro.server.port import Heard

BLOCK_BYTES = BLOCK_SAMPLES * BYTES_PER_SAMPLE
WAITING_BLOCKS = 250
"""Sound that may wait to be judged, five seconds; whoever sends more waits."""
WAITING_FINALS = 8
PARTIAL_EVERY = SAMPLE_RATE
"""Samples of speech after which it is recognised again while it goes on."""
BUSY_TRIES = 40
BUSY_S = 0.25

Recognise = Callable[[bytes, bool], Awaitable[Heard | None]]
"""From sound, and whether it is a trial, to its words; None for a trial that was given up."""
Switch = Callable[[str], Awaitable[Recognise]]
Close = Callable[[], Awaitable[None]]


class PushedSource:
    """Sound that somebody sends: an `AudioSource` that is filled by `feed`."""

    dropped_blocks = 0

    def __init__(self, name: str, *, live: bool) -> None:
        self.name, self.live = name, live
        self._blocks: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_BLOCKS)
        self._rest = b""
        self._closed = False

    async def feed(self, pcm: bytes) -> None:
        """Take whole samples; waits while too much of them waits."""
        self._rest += pcm
        while len(self._rest) >= BLOCK_BYTES and not self._closed:
            await self._blocks.put(self._rest[:BLOCK_BYTES])
            self._rest = self._rest[BLOCK_BYTES:]

    async def end(self) -> None:
        """No more will come; what waits is still heard."""
        if self._rest and not self._closed:
            await self._blocks.put(self._rest)
            self._rest = b""
        await self._blocks.put(None)

    async def blocks(self) -> AsyncIterator[AudioBlock]:
        start = 0
        while not self._closed and (pcm := await self._blocks.get()) is not None:
            block = AudioBlock(start, pcm)
            start = block.end
            yield block
            # Sound that comes faster than it was spoken must not keep others from their turn.
            await asyncio.sleep(0)

    async def aclose(self) -> None:
        self._closed = True
        while not self._blocks.empty():
            self._blocks.get_nowait()
        self._blocks.put_nowait(None)


class SpeechStream:
    """The server's `LiveSpeech`."""

    def __init__(
        self, settings: AudioSettings, recognise: Recognise, switch: Switch, close: Close
    ) -> None:  # fmt: skip
        self._recognise, self._switch, self._close = recognise, switch, close
        self._source = PushedSource("a client's stream", live=False)
        self._out: asyncio.Queue[Heard | MybroError | None] = asyncio.Queue()
        self._finals: asyncio.Queue[tuple[asyncio.Task[Heard | None], Utterance, int] | None] = asyncio.Queue(
            WAITING_FINALS
        )
        self._tape = bytearray()
        self._tape_start = 0
        self._segment = 0
        self._speaking_from: int | None = None
        self._partial: asyncio.Task[None] | None = None
        self._partial_end = 0
        self._pre_roll = settings.pre_roll_ms * SAMPLE_RATE // 1000
        self._ear = Ear(settings, self._hear, self._next_turn)
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._deliver())]
        self._finished = False

    async def feed(self, pcm: bytes) -> None:
        self._tape += pcm
        await self._source.feed(pcm)
        if self._speaking_from is None:
            self._forget(self._end - self._pre_roll - 2 * SAMPLE_RATE)
        elif self._end - max(self._partial_end, self._speaking_from) >= PARTIAL_EVERY:
            start = self._speaking_from
            self._try(self._cut(start, self._end), start, self._end)

    async def results(self) -> AsyncIterator[Heard]:
        while (heard := await self._out.get()) is not None:
            if isinstance(heard, MybroError):
                raise heard
            yield heard

    async def switch(self, model_id: str) -> None:
        self._recognise = await self._switch(model_id)

    async def finish(self, *, at_once: bool = False) -> None:
        if not at_once:
            if not self._finished:
                self._finished = True
                await self._source.end()
            return
        tasks = [*self._tasks, *([self._partial] if self._partial else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while not self._finals.empty():
            if (waiting := self._finals.get_nowait()) is not None:
                waiting[0].cancel()
        self._out.put_nowait(None)
        await self._source.aclose()
        await self._close()

    # ------------------------------------------------------------------ what the ear says

    async def _listen(self) -> None:
        try:
            await self._ear.listen(self._source)
        except MybroError as error:
            self._out.put_nowait(error)
        await self._finals.put(None)

    async def _hear(self, event: Event) -> None:
        match event:
            case SpeechStarted(sample=sample):
                self._segment += 1
                self._speaking_from = max(self._tape_start, sample - self._pre_roll)
                self._partial_end = sample
            case SpeechPaused(utterance=utterance):
                self._try(utterance.audio.pcm, utterance.audio.start, utterance.speech_end)
            case SpeechEnded(utterance=utterance):
                self._speaking_from = None
                if self._partial is not None:
                    self._partial.cancel()
                task = asyncio.create_task(self._surely(utterance.audio.pcm))
                await self._finals.put((task, utterance, self._segment))

    def _next_turn(self) -> int:
        return self._segment + 1

    def _try(self, pcm: bytes, start: int, end: int) -> None:
        """Recognise what was said so far, unless that is under way."""
        if self._partial is not None and not self._partial.done():
            return
        self._partial_end = end
        self._partial = asyncio.create_task(self._on_trial(pcm, start, end, self._segment))

    async def _on_trial(self, pcm: bytes, start: int, end: int, segment: int) -> None:
        try:
            heard = await self._recognise(pcm, True)
        except MybroError:
            return  # the final one will tell
        if heard is not None and heard.text and segment == self._segment and self._speaking_from is not None:
            self._out.put_nowait(
                replace(
                    heard,
                    is_final=False,
                    segment=segment,
                    start_s=start / SAMPLE_RATE,
                    end_s=end / SAMPLE_RATE,
                )
            )

    async def _surely(self, pcm: bytes) -> Heard | None:
        """A final recognition waits where others are being answered."""
        for _ in range(BUSY_TRIES):
            try:
                return await self._recognise(pcm, False)
            except TranscriptionError as error:
                if error.code != "recogniser_busy":
                    raise
            await asyncio.sleep(BUSY_S)
        return await self._recognise(pcm, False)

    async def _deliver(self) -> None:
        try:
            while (waiting := await self._finals.get()) is not None:
                task, utterance, segment = waiting
                heard = await task
                if heard is not None:
                    where = (utterance.speech_start / SAMPLE_RATE, utterance.speech_end / SAMPLE_RATE)
                    self._out.put_nowait(
                        replace(heard, is_final=True, segment=segment, start_s=where[0], end_s=where[1])
                    )
        except MybroError as error:
            self._out.put_nowait(error)
        finally:
            self._out.put_nowait(None)

    # ------------------------------------------------------------------ the sound that may still be needed

    @property
    def _end(self) -> int:
        return self._tape_start + len(self._tape) // BYTES_PER_SAMPLE

    def _cut(self, start: int, end: int) -> bytes:
        first, last = start - self._tape_start, end - self._tape_start
        return bytes(self._tape[first * BYTES_PER_SAMPLE : last * BYTES_PER_SAMPLE])

    def _forget(self, before: int) -> None:
        if before > self._tape_start:
            del self._tape[: (before - self._tape_start) * BYTES_PER_SAMPLE]
            self._tape_start = before
