"""One mouth: it says one thing at a time, in order of urgency, and falls silent within one block."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any

from mybro.clock import Clock
from mybro.config import SpeakSettings
from mybro.errors import MybroError, Problem
from mybro.events import SayFinished, SayStarted, StageFailed
from mybro.speak import chimes
from mybro.speak.loudspeaker import Loudspeaker
from mybro.speak.player import PlayerPort
from mybro.speak.queue import Speech, SpeechQueue, Urgency
from mybro.speak.recorder import Recorder
from mybro.speak.sound import Sound
from mybro.speak.speaker import Speaker
from mybro.speak.voice import Emit, Next, Voice

_LONGEST_S = 90.0
"""A synthesizer that finds no end is cut off here."""


class Mouth:
    """Answers every `say` with one `SayFinished` for its number, also where it was dropped, muted or cut.

    What is merged with other news begins under the first number and ends under each.
    """

    def __init__(
        self, settings: SpeakSettings, speaker: Speaker, player: PlayerPort, emit: Emit, clock: Clock,
        following: Next | None = None,
    ) -> None:  # fmt: skip
        """`following` gives the next voice where one fails; by default the best that is here."""
        self._emit = emit
        self._chimes = settings.chimes
        self._voice = Voice(settings, speaker, emit, clock, following)
        self._loudspeaker = Loudspeaker(player, clock, volume=settings.volume, timeout_s=settings.timeout_s)
        self._queue = SpeechQueue(settings.queue_limit)
        self._gone: list[Speech] = []
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._worker: asyncio.Task[None] | None = None
        self._current: Speech | None = None
        self._playing: asyncio.Task[None] | None = None
        self._recorder: Recorder | None = None
        self._held = self._person_speaks = self._muted = self._player_failed = False
        self.dropped = 0
        """Sentences that were given up because too many waited."""

    async def say(self, speech: int, text: str, urgency: Urgency = "answer") -> None:
        """Say it when its turn comes; returns at once."""
        self._put(Speech((speech,), text, urgency))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        self._wake.set()

    def interrupt(self, speech: int | None = None) -> None:
        """Cut the sentence being said and forget those that wait; with a number, only that one."""
        self._gone += self._queue.remove(speech)
        current = self._current
        if current is not None and (speech is None or speech in current.numbers):
            self._cut()
        self._wake.set()

    def duck(self, on: bool) -> None:
        """Go on much more softly, or as before."""
        self._loudspeaker.duck(on)

    def hold(self, on: bool) -> None:
        """Stop where it is, or go on from there. Answers are given meanwhile all the same."""
        self._held = on
        if on:
            self._put_back(only_news=False)
        self._wake.set()

    def person_speaks(self, on: bool) -> None:
        """News stops where it is while the person speaks, and goes on afterwards."""
        self._person_speaks = on
        if on:
            self._put_back(only_news=True)
        self._wake.set()

    def mute(self, on: bool) -> None:
        """Text only, until it is switched off again."""
        self._muted = on
        if on:
            self._cut()

    async def chime(self, name: chimes.Chime) -> None:
        """Play a short sound, unless the voice is sounding; returns at once."""
        if self._chimes and not self._muted and (name == "stopped" or not self._loudspeaker.busy):
            sound = Sound()
            sound.add(chimes.SAMPLE_RATE, chimes.chime(name))
            sound.end()
            self._spawn(self._play(sound))

    def record(self, path: Path) -> None:
        """Write what is heard of the voice from here on to a WAV. Raises `SpeakError`."""
        self._recorder = Recorder(path)

    async def warm_up(self) -> None:
        """Let a voice that is slow to start get ready."""
        await self._voice.warm_up()

    async def aclose(self) -> None:
        """Silence, and no process of a voice lives on."""
        self.interrupt()
        tasks = [task for task in (self._worker, self._playing, *self._tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._voice.aclose()
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.close()

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            while self._gone:
                await self._finish(self._gone.pop(0), interrupted=True)
            speech = self._queue.take(news=not self._person_speaks, answers_only=self._held)
            if speech is None:
                await self._wake.wait()
            else:
                await self._perform(speech)

    async def _perform(self, speech: Speech) -> None:
        self._current = speech
        speech.put_back = False
        if not speech.started:
            speech.started = True
            await self._emit(SayStarted(speech.numbers[0], speech.text))
        if not (speech.cut or speech.put_back or self._muted):
            if speech.filling is None:
                speech.filling = asyncio.create_task(self._fill(speech))
            self._playing = asyncio.create_task(self._play(speech.sound))
            await asyncio.wait({self._playing})
            self._playing = None
        self._current = None
        if speech.put_back and not speech.cut:
            self._put(speech)
        else:
            await self._finish(speech, interrupted=speech.cut)

    async def _finish(self, speech: Speech, *, interrupted: bool) -> None:
        if speech.filling is not None:
            if not speech.filling.done():
                speech.filling.cancel()
                await asyncio.wait({speech.filling})
                self._spawn(self._voice.warm_up())
            if self._recorder is not None:
                self._recorder.add(speech.sound)
        for number in speech.numbers:
            await self._emit(SayFinished(number, interrupted))

    async def _fill(self, speech: Speech) -> None:
        try:
            async with aclosing(self._voice.sound(speech.text)) as chunks:
                async for sample_rate, pcm in chunks:
                    speech.sound.add(sample_rate, pcm)
                    if speech.sound.seconds > _LONGEST_S:
                        break
        finally:
            speech.sound.end()

    async def _play(self, sound: Sound) -> None:
        try:
            await self._loudspeaker.play(sound)
            self._player_failed = False
        except Exception as error:  # mybro: ignore[PY06] told once, not for each sentence that fails
            if not self._player_failed:
                self._player_failed = True
                await self._emit(StageFailed("speak", _player_problem(error)))

    def _put(self, speech: Speech) -> None:
        if victim := self._queue.put(speech):
            self.dropped += 1
            self._gone.append(victim)

    def _put_back(self, *, only_news: bool) -> None:
        current = self._current
        if current is not None and (current.is_news or not only_news):
            current.put_back = True
            self._silence()

    def _cut(self) -> None:
        if self._current is not None:
            self._current.cut = True
            self._silence()

    def _silence(self) -> None:
        self._loudspeaker.stop()
        if self._playing is not None:
            self._playing.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _player_problem(error: Exception) -> Problem:
    if isinstance(error, MybroError):
        return error.problem
    if isinstance(error, TimeoutError):
        return Problem("loudspeaker_hangs", "the loudspeaker does not answer", "What is said is shown")
    return Problem(
        "loudspeaker_failed", f"the loudspeaker failed ({type(error).__name__})", "What is said is shown"
    )
