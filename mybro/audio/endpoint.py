"""Where an utterance begins and ends. Pure: everything is measured in samples, no clock, no I/O."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from mybro.config import AudioSettings
from mybro.events import SAMPLE_RATE

Reason = Literal["quiet", "key", "length", "source"]

HYSTERESIS = 0.15
"""Speech that has begun goes on at a probability this much lower than the one that begins it."""
ONSET_GAP_MS = 96
"""Longer quiet than this between two voiced frames, and what came before was a blip."""
CUT_WINDOW_S = (3.0, 0.3)
"""A long utterance is cut at the quietest point between these many seconds ago."""


@dataclass(frozen=True, slots=True)
class Span:
    """Sample indices of an utterance; see `mybro.events.Utterance`."""

    start: int
    end: int
    speech_start: int
    speech_end: int


@dataclass(frozen=True, slots=True)
class Began:
    """Speech was found; it began at `sample`."""

    sample: int


@dataclass(frozen=True, slots=True)
class Paused:
    """It has been quiet long enough for a transcription on trial."""

    span: Span


@dataclass(frozen=True, slots=True)
class Resumed:
    """Speech went on at `sample`."""

    sample: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The utterance is complete."""

    span: Span
    reason: Reason


Step = Began | Paused | Resumed | Ended


@dataclass(slots=True)
class _Open:
    """The utterance being heard."""

    start: int
    speech_start: int
    speech_end: int
    paused: bool = False
    wait: int | None = None
    """Samples of quiet that end it, where they are not the usual ones; until speech goes on."""


class Endpointer:
    """Turns frame probabilities into utterances."""

    def __init__(self, settings: AudioSettings, *, longest_quiet_ms: int | None = None) -> None:
        """With `longest_quiet_ms`, somebody else decides how long to wait: see `end_after`."""

        def samples(milliseconds: float) -> int:
            return int(milliseconds * SAMPLE_RATE / 1000)

        self._begin_at = settings.vad_threshold
        self._go_on_at = max(settings.vad_threshold - HYSTERESIS, 0.01)
        self._onset = samples(settings.onset_ms)
        self._onset_gap = samples(ONSET_GAP_MS)
        self._speculate = samples(settings.speculate_ms)
        self._hangover = samples(settings.hangover_ms if longest_quiet_ms is None else longest_quiet_ms)
        self._longest = samples(settings.max_utterance_s * 1000)
        # A pre-roll must leave room for speech in the shortest utterance that can be set.
        self._pre_roll = min(samples(settings.pre_roll_ms), self._longest // 4)
        self._cut_window = tuple(samples(s * 1000) for s in CUT_WINDOW_S)
        self.held = False
        """While true (the talk key is down), quiet does not end an utterance."""
        self.restart(0)

    @property
    def now(self) -> int:
        """Index of the first sample not yet fed."""
        return self._now

    @property
    def is_open(self) -> bool:
        """Whether an utterance has begun and not ended."""
        return self._open is not None

    @property
    def spoken(self) -> int:
        """Samples from the onset to the last speech of the open utterance; 0 where none is."""
        return self._open.speech_end - self._open.speech_start if self._open is not None else 0

    @property
    def so_far(self) -> Span | None:
        """The open utterance while speech goes on; None in a pause, too."""
        if self._open is None or self._open.paused:
            return None
        return _span(self._open, self._now)

    @property
    def needed_from(self) -> int:
        """The earliest sample that a later step may still refer to."""
        if self._open is not None:
            return self._open.start
        onset = self._now if self._candidate is None else self._candidate
        return max(onset - self._pre_roll, self._floor)

    def restart(self, sample: int, *, floor: int | None = None) -> None:
        """Forget everything; the next frame begins at `sample`, and no pre-roll reaches before `floor`."""
        self._now = sample
        self._floor = sample if floor is None else floor
        self._open: _Open | None = None
        self._candidate: int | None = None
        self._voiced = self._last_voiced = 0
        self._end_at: int | None = None
        self._levels: deque[tuple[int, float]] = deque()

    def end_at(self, sample: int) -> None:
        """End the open utterance, if any, once `sample` has been fed, with the reason "key"."""
        if self._open is not None:
            self._end_at = sample

    def end_after(self, speech_end: int, quiet: int) -> None:
        """End the open utterance after `quiet` samples of quiet, unless it speaks on after `speech_end`."""
        if self._open is not None and self._open.speech_end == speech_end:
            self._open.wait = quiet

    def end(self, reason: Reason) -> list[Step]:
        """End the open utterance, if any, here and now."""
        return [self._ended(self._open, self._now, reason)] if self._open is not None else []

    def feed(self, end: int, probability: float, level: float, *, certain: bool = False) -> list[Step]:
        """The next frame, from the last one's end to sample `end`.

        `level` is any measure of loudness: a long utterance is cut where it is lowest. A frame that is
        `certain` begins an utterance alone.
        """
        start, self._now = self._now, end
        self._remember(start, level)
        if self._open is None:
            return self._wait(start, end, probability, self._onset if certain else end - start)
        return self._follow(self._open, start, end, probability)

    def _wait(self, start: int, end: int, probability: float, weight: int) -> list[Step]:
        if probability < self._begin_at:
            if self._candidate is not None and end - self._last_voiced > self._onset_gap:
                self._candidate = None
            return []
        if self._candidate is None:
            self._candidate, self._voiced = start, 0
        self._voiced += weight
        self._last_voiced = end
        if self._voiced < self._onset:
            return []
        self._open = _Open(self.needed_from, self._candidate, end)
        return [Began(self._candidate)]

    def _follow(self, heard: _Open, start: int, end: int, probability: float) -> list[Step]:
        steps: list[Step] = []
        if probability >= (self._begin_at if heard.paused else self._go_on_at):
            if heard.paused:
                heard.paused = False
                steps.append(Resumed(start))
            heard.speech_end, heard.wait = end, None
        quiet = end - heard.speech_end
        enough = self._hangover if heard.wait is None else heard.wait
        if self._end_at is not None and end >= self._end_at:
            return [*steps, self._ended(heard, end, "key")]
        if quiet >= enough and not self.held and self._end_at is None:
            return [*steps, self._ended(heard, end, "quiet")]
        if quiet >= self._speculate and not heard.paused:
            heard.paused = True
            steps.append(Paused(_span(heard, end)))
        if end + (end - start) > heard.start + self._longest:
            steps += self._cut(heard, end)
        return steps

    def _cut(self, heard: _Open, end: int) -> list[Step]:
        if heard.paused:
            return [self._ended(heard, end, "length")]
        at = self._quietest(heard, end)
        ended = Ended(Span(heard.start, at, heard.speech_start, at), "length")
        self._open = _Open(at, at, end)
        return [ended, Began(at)]

    def _quietest(self, heard: _Open, end: int) -> int:
        """The frame boundary with the quietest surroundings, late in the utterance."""
        first = max(end - self._cut_window[0], heard.start + self._longest // 2)
        starts, levels = zip(*self._levels, strict=True)
        around = [sum(levels[max(i - 1, 0) : i + 1]) for i in range(len(levels))]
        inside = [
            (loud, start)
            for loud, start in zip(around, starts, strict=True)
            if first <= start <= end - self._cut_window[1]
        ]
        return min(inside)[1] if inside else end

    def _ended(self, heard: _Open, end: int, reason: Reason) -> Ended:
        # The next pre-roll may take in the quiet after this utterance, never its words.
        self.restart(end, floor=heard.speech_end)
        return Ended(_span(heard, end), reason)

    def _remember(self, start: int, level: float) -> None:
        self._levels.append((start, level))
        while self._levels[0][0] < start - self._cut_window[0]:
            self._levels.popleft()


def _span(heard: _Open, end: int) -> Span:
    return Span(heard.start, end, heard.speech_start, heard.speech_end)
