"""A recogniser with what every backend needs around it: windows for long sound, doubts, and the guards.

What is heard is the sound as it is. With its steady noise taken out by spectral subtraction, tiny.en gains
nothing that counts (60 commands at 10 dB: 50 of the intents either way; as one more reading where the words
are in doubt, word errors fall from 23.9 to 21.4 percent, and the intents are 50 again).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from mybro.transcribe import calling, guards
from mybro.transcribe.doubt import is_clear, is_known, is_sure, is_usual, likeliest, suggestions
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recogniser, Recognition

if TYPE_CHECKING:
    from mybro.transcribe.recogniser import Sound

RETRY_TEMPERATURE = 0.4
"""A little chance leads out of a loop."""
BEAMS = 10
"""Twice as many as are usual: in noise what was said is often none of the first five."""
SEARCH_S = 4.0
"""How far before a window's end a quiet moment to cut at is looked for."""


class Listener:
    """What the worker asks; `recogniser` must be loaded."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser

    def transcribe(self, sound: Sound, hints: Hints, *, quick: bool = False) -> Recognition:
        """The words in a sound of any length; empty text where nobody spoke.

        Where it is to be `quick`, doubts are let be.
        """
        started = time.perf_counter()
        hear = self._glance if quick else self._window
        spoken = guards.without_end(sound)
        parts = list(windows(spoken, self._recogniser.window_s))
        first, called = self._called(parts[0], hints, quick=quick)
        heard = join([hear(part, hints if at else first) for at, part in enumerate(parts)], hints)
        if called:
            heard = replace(heard, text=calling.without(hints.call, heard.text))
        heard = replace(heard, called=called)
        timings = {**heard.timings_ms, "total": (time.perf_counter() - started) * 1e3}
        return replace(heard, timings_ms=timings)

    def _called(self, sound: Sound, hints: Hints, *, quick: bool) -> tuple[Hints, bool | None]:
        """How to listen to speech that may begin with a phrase, and whether it does; None: not to be told."""
        if not hints.call or quick:
            return hints, None
        if not self._recogniser.searches:
            return replace(hints, prompt=f"{hints.prompt} {calling.expectation(hints.call)}"), None
        if guards.is_silent(sound):
            return hints, False
        asked = replace(hints, prompt=calling.contrast(hints.call), starts=calling.beginnings(hints.call))
        forced = self._recogniser.recognise(sound, asked)
        rivals, rival = calling.rivals(hints.call), None
        if rivals and calling.may_be_called(forced):
            rival = self._recogniser.recognise(sound, replace(asked, starts=rivals))
        if not calling.is_called(hints.call, forced, rival):
            return hints, False
        return replace(hints, starts=(forced.start,)), True

    def _window(self, sound: Sound, hints: Hints) -> Recognition:
        if guards.is_silent(sound):
            return Recognition("", hints.language or "", no_speech_probability=1.0)
        heard = self._out_of_loops(sound, hints)
        readings = [heard]
        if guards.may_be_said(heard, sound) or is_usual(heard, hints):
            readings = self._second_look(heard, sound, hints)
        # Also of another try: out of a loop a recogniser may come with a phrase that nobody said.
        # Whether somebody spoke is one question, what was said another: the likeliest words need not be
        # those that prove it, unless they are often invented.
        heard = likeliest(readings, hints)
        said = any(_is_said(each, sound, hints) for each in readings) and not guards.is_phantom(heard, sound)
        if said and len(readings) > 1:
            heard = likeliest([*readings, *self._suggested(readings, sound, hints)], hints)
        return replace(heard, text=guards.collapse(heard.text) if said else "")

    def _glance(self, sound: Sound, hints: Hints) -> Recognition:
        if guards.is_silent(sound):
            return Recognition("", hints.language or "", no_speech_probability=1.0)
        heard = self._recogniser.recognise(sound, replace(hints, unfinished=True))
        useless = guards.is_unsaid(heard, sound) or guards.is_looped(heard, sound)
        return replace(heard, text="" if useless else heard.text)

    def _out_of_loops(self, sound: Sound, hints: Hints) -> Recognition:
        """Greedily, which is quick; again and with less help as long as it goes in circles."""
        heard = self._recogniser.recognise(sound, hints)
        whole = replace(hints, whole=True)
        plain = replace(whole, prompt="")
        for other in (whole, plain, replace(plain, temperature=RETRY_TEMPERATURE)):
            if guards.is_unsaid(heard, sound) or not guards.is_looped(heard, sound):
                break
            heard = self._recogniser.recognise(sound, other)
        return heard

    def _second_look(self, heard: Recognition, sound: Sound, hints: Hints) -> list[Recognition]:
        """The first answer, and where it is in doubt several others, some of them without the prompt."""
        if not self._recogniser.searches or (is_sure(heard, hints) and _is_said(heard, sound, hints)):
            return [heard]
        wide = replace(hints, beams=BEAMS)
        # A prompt of software words bends ordinary speech towards software.
        plain = replace(wide, prompt="")
        if hints.prompt and is_clear(heard):
            return [heard, *self._unled(sound, replace(plain, beams=1))]
        readings = [heard, *self._readings(sound, wide)]
        said = any(_is_said(each, sound, hints) for each in readings)
        if hints.prompt and not (said and is_known(likeliest(readings, hints), hints)):
            readings += self._unled(sound, plain)
        return readings

    def _suggested(self, readings: list[Recognition], sound: Sound, hints: Hints) -> Iterator[Recognition]:
        """What people often say that sounds like the readings, as likely as the sound makes it."""
        starts = () if hints.starts else suggestions(readings, hints)
        if starts:
            made = self._recogniser.recognise(sound, replace(hints, starts=starts))
            likely = made.average_logprob + made.start_logprob / (made.tokens + 1)
            if not guards.is_looped(made, sound):
                yield replace(made, average_logprob=likely)

    def _unled(self, sound: Sound, hints: Hints) -> list[Recognition]:
        return [replace(each, plain=True) for each in self._readings(sound, hints)]

    def _readings(self, sound: Sound, hints: Hints) -> list[Recognition]:
        heard = self._recogniser.recognise(sound, hints)
        return [each for each in (heard, *heard.others) if each.text and not guards.is_looped(each, sound)]


def _is_said(heard: Recognition, sound: Sound, hints: Hints) -> bool:
    return not guards.is_unsaid(heard, sound) or is_usual(heard, hints)


def windows(sound: Sound, limit_s: float) -> Iterator[Sound]:
    """Cut a sound into stretches of at most `limit_s` seconds, in the quietest 100 ms near each end."""
    limit, frame = int(limit_s * SAMPLE_RATE), SAMPLE_RATE // 10
    while len(sound) > limit:
        tail = sound[limit - int(SEARCH_S * SAMPLE_RATE) : limit]
        tail = tail[: len(tail) // frame * frame].reshape(-1, frame)
        quietest = int((tail**2).mean(axis=1).argmin())
        cut = limit - int(SEARCH_S * SAMPLE_RATE) + quietest * frame + frame // 2
        yield sound[:cut]
        sound = sound[cut:]
    yield sound


def join(parts: list[Recognition], hints: Hints) -> Recognition:
    """One recognition from those of a sound's windows."""
    spoken = [part for part in parts if part.text] or parts[:1]
    tokens = sum(part.tokens for part in spoken)
    weighted = sum(part.average_logprob * part.tokens for part in spoken)
    timings: dict[str, float] = {}
    for part in parts:
        for step, ms in part.timings_ms.items():
            timings[step] = timings.get(step, 0.0) + ms
    return Recognition(
        text=" ".join(part.text for part in spoken if part.text),
        language=next((part.language for part in spoken if part.language), hints.language or "en"),
        no_speech_probability=min(part.no_speech_probability for part in spoken),
        average_logprob=weighted / tokens if tokens else 0.0,
        tokens=tokens,
        timings_ms=timings,
    )
