"""A recogniser with what every backend needs around it: windows for long sound, and the guards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from mybro.transcribe import guards
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recogniser, Recognition

if TYPE_CHECKING:
    from mybro.transcribe.recogniser import Sound

RETRY_TEMPERATURE = 0.4
"""A little chance leads out of a loop."""
SEARCH_S = 4.0
"""How far before a window's end a quiet moment to cut at is looked for."""


class Listener:
    """What the worker asks; `recogniser` must be loaded."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser

    def transcribe(self, sound: Sound, hints: Hints) -> Recognition:
        """The words in a sound of any length; empty text where nobody spoke."""
        started = time.perf_counter()
        parts = [self._window(window, hints) for window in windows(sound, self._recogniser.window_s)]
        heard = join(parts, hints)
        timings = {**heard.timings_ms, "total": (time.perf_counter() - started) * 1e3}
        return replace(heard, timings_ms=timings)

    def _window(self, sound: Sound, hints: Hints) -> Recognition:
        if guards.is_silent(sound):
            return Recognition("", hints.language or "", no_speech_probability=1.0)
        heard = self._recogniser.recognise(sound, hints)
        for other in (replace(hints, prompt=""), replace(hints, prompt="", temperature=RETRY_TEMPERATURE)):
            if guards.is_unsaid(heard, sound) or not guards.is_looped(heard, sound):
                break
            heard = self._recogniser.recognise(sound, other)
        # Also of another try: out of a loop a recogniser may come with a phrase that nobody said.
        unsaid = guards.is_unsaid(heard, sound)
        return replace(heard, text="" if unsaid else guards.collapse(heard.text))


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
