"""One source's sound in, events out: frames, levels, dead sound and utterances. No I/O, no clock."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator

import numpy as np

from mybro.audio.detector import Detector
from mybro.audio.endpoint import Began, Ended, Endpointer, Paused, Resumed, Span, Step
from mybro.config import AudioSettings
from mybro.errors import Problem
from mybro.events import (
    BYTES_PER_SAMPLE,
    SAMPLE_RATE,
    AudioBlock,
    Event,
    LevelMeasured,
    ListeningStarted,
    SourceTroubled,
    SpeechContinued,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechSustained,
    Utterance,
)

LEVEL_SAMPLES = SAMPLE_RATE // 10
KEY_TAIL_SAMPLES = SAMPLE_RATE * 15 // 100
"""Sound still taken after the talk key came up: what was said is some way behind the hand."""
DEAD_SAMPLES = SAMPLE_RATE
"""Exact zeros for this long are no quiet room: something keeps the sound from us."""
DEAD_AGAIN_SAMPLES = 30 * SAMPLE_RATE
FILLED_GAP_SAMPLES = SAMPLE_RATE // 2
"""A shorter gap is filled with zeros, so that a dropped block does not cut a sentence in two."""
PARTIAL_SAMPLES = SAMPLE_RATE // 2
"""How often speech that goes on is worth a look at its words."""
OVER_VOICE = 0.1
"""Where somebody seems to begin over our own voice, so much of a probability counts as speech."""
OVER_VOICE_SUSTAIN = 0.5
"""And this share of the speech that is otherwise needed silences it."""
SILENCE_DBFS = -120.0
_FULL_SCALE = 32768.0


def dead_sound_problem(platform: str = sys.platform) -> Problem:
    """What to tell a person whose microphone gives exact zeros."""
    if platform == "darwin":
        hint = "Allow the terminal in System Settings > Privacy & Security > Microphone, then start it again"
    else:
        hint = "It may be muted: see the sound settings, or run `mybro devices --test`"
    return Problem("dead_sound", "The microphone delivers only zeros", hint, retryable=True)


class Hearing:
    """Everything the ear knows about one source."""

    def __init__(
        self,
        settings: AudioSettings,
        detector: Detector,
        next_turn: Callable[[], int],
        *,
        live: bool,
        longest_quiet_ms: int | None = None,
        partials: bool = False,
    ) -> None:
        """`longest_quiet_ms`: see `Endpointer`; with `partials`, it tells of speech that goes on."""
        self._detector = detector
        self._endpointer = Endpointer(settings, longest_quiet_ms=longest_quiet_ms)
        self._next_turn = next_turn
        self._live = live
        self._tail = KEY_TAIL_SAMPLES if live else 0
        self._partials = partials
        self._continued = 0
        self._mute_at = 0
        self._muted = self._mute_wanted = self._pre_roll_wanted = False
        self._turn = self._sustained = 0
        self._begin_at = settings.vad_threshold
        # What is farther away is left to the detector.
        self._anybody = not settings.near_only
        self._sustain = settings.interrupt_ms * SAMPLE_RATE // 1000
        # All sound from the earliest sample still needed; what lies before `_fed` has been judged.
        self._tape = bytearray()
        self._tape_start = self._fed = 0
        # What lies before it was our own voice: no speech, whatever the detector says.
        self._echo_until = 0
        self._onset_until = self._certain_until = 0
        self._listening = False
        self._zeros = 0
        self._complained_at: int | None = None
        self._squares = 0.0
        self._peak = 0
        self._measured = 0

    def hear(self, block: AudioBlock) -> Iterator[Event]:
        """Take the next block in. The iterator must be used up before the next call."""
        yield from self._obey()
        if gap := block.start - self._end:
            yield from self._bridge(gap, block.start)
        self._tape += block.pcm
        if block.echo:
            self._echo_until = block.end
        if block.onset:
            self._onset_until = block.end
        if block.certain and self._anybody:
            self._certain_until = block.end
        size = self._detector.frame_samples
        while self._end - self._fed >= size:
            yield from self._frame(self._cut(self._fed, self._fed + size))
        self._trim()

    def flush(self) -> Iterator[Event]:
        """The sound has stopped: judge what is left and close the open utterance. More may come later."""
        if self._end > self._fed:
            yield from self._frame(self._cut(self._fed, self._end))
        yield from self._events(self._endpointer.end("source"))
        self._detector.reset()
        self._listening = False

    def end_utterance(self) -> None:
        """Close the open utterance, once what was said up to now has come in."""
        self._endpointer.end_at(self._fed + self._tail)

    def end_after(self, turn: int, speech_end: int, quiet: int) -> None:
        """Close `turn` after `quiet` samples of quiet, unless it speaks on after `speech_end`."""
        if turn == self._turn:
            self._endpointer.end_after(speech_end, quiet)

    def hold(self, held: bool) -> None:
        """While held (the talk key is down), quiet does not end an utterance."""
        self._endpointer.held = held

    def mute(self, *, tail: bool = False) -> None:
        """Hear nothing from the next block on, or once what was already said has come in (`tail`).

        The open utterance ends there.
        """
        self._mute_wanted = True
        self._mute_at = self._fed
        if tail:
            self.end_utterance()
            self._mute_at += self._tail

    def unmute(self, *, pre_roll: bool) -> None:
        """Hear again from the next block on; with `pre_roll`, also what was said a moment before."""
        self._mute_wanted = False
        self._pre_roll_wanted = pre_roll

    # ------------------------------------------------------------------ sound in order

    @property
    def _end(self) -> int:
        return self._tape_start + len(self._tape) // BYTES_PER_SAMPLE

    def _obey(self) -> Iterator[Event]:
        """Between two blocks only: a request that comes while one is judged would find it half done."""
        if self._mute_wanted == self._muted or (self._mute_wanted and self._fed < self._mute_at):
            return
        self._muted = self._mute_wanted
        if self._muted:
            yield from self._events(self._endpointer.end("key"))
            return
        self._fed = self._endpointer.needed_from if self._pre_roll_wanted else self._end
        self._endpointer.restart(self._fed)
        self._detector.reset()

    def _bridge(self, gap: int, start: int) -> Iterator[Event]:
        """Sound is missing up to `start`: go on as if it were silence, or begin anew."""
        if gap < 0:
            raise ValueError(f"a block begins at {start}, before the last one's end")
        if gap <= FILLED_GAP_SAMPLES:
            self._tape += bytes(gap * BYTES_PER_SAMPLE)
            return
        yield from self.flush()
        self._endpointer.restart(start)
        self._tape.clear()
        self._tape_start = self._fed = start

    def _cut(self, start: int, end: int) -> AudioBlock:
        first = (start - self._tape_start) * BYTES_PER_SAMPLE
        last = (end - self._tape_start) * BYTES_PER_SAMPLE
        return AudioBlock(start, bytes(self._tape[first:last]))

    def _trim(self) -> None:
        unneeded = min(self._endpointer.needed_from, self._fed) - self._tape_start
        # Moving the rest of the tape costs as much as it is long: not for every frame.
        if unneeded >= SAMPLE_RATE:
            del self._tape[: unneeded * BYTES_PER_SAMPLE]
            self._tape_start += unneeded

    # ------------------------------------------------------------------ what is heard

    def _frame(self, frame: AudioBlock) -> Iterator[Event]:
        self._fed = frame.end
        samples = np.frombuffer(frame.pcm, "<i2").astype(np.float32)
        squares = float(np.dot(samples, samples))
        yield from self._watch_zeros(frame, squares)
        probability = 0.0
        over_voice, certain = frame.end <= self._onset_until, frame.end <= self._certain_until
        if not self._muted:
            size = self._detector.frame_samples * BYTES_PER_SAMPLE
            probability = self._detector.probability(frame.pcm.ljust(size, b"\0"))
            if frame.end - self._echo_until < size // (2 * BYTES_PER_SAMPLE):
                probability, certain = 0.0, False
            elif certain or (over_voice and probability >= OVER_VOICE):
                probability = max(probability, self._begin_at)
            peak = int(np.abs(samples).max())
            yield from self._measure(frame, squares, peak, probability)
        level = squares / len(samples)
        yield from self._events(self._endpointer.feed(frame.end, probability, level, certain=certain))
        sustain = 1 if certain else self._sustain * (OVER_VOICE_SUSTAIN if over_voice else 1)
        if self._sustained != self._turn and self._endpointer.spoken >= sustain:
            self._sustained = self._turn
            yield SpeechSustained(self._turn, frame.end)
        if self._partials and (span := self._endpointer.so_far):
            self._continued = max(self._continued, span.speech_start)
            if frame.end - self._continued >= PARTIAL_SAMPLES:
                self._continued = frame.end
                yield SpeechContinued(self._turn, self._utterance(span))

    def _watch_zeros(self, frame: AudioBlock, squares: float) -> Iterator[Event]:
        if squares:
            self._zeros = 0
            if not self._listening:
                self._listening = True
                yield ListeningStarted(frame.start)
            return
        self._zeros += frame.end - frame.start
        recently = self._complained_at is not None and frame.end - self._complained_at < DEAD_AGAIN_SAMPLES
        if self._live and self._zeros >= DEAD_SAMPLES and not recently:
            self._complained_at = frame.end
            self._listening = False
            yield SourceTroubled(dead_sound_problem())

    def _measure(self, frame: AudioBlock, squares: float, peak: int, probability: float) -> Iterator[Event]:
        length = frame.end - frame.start
        self._squares += squares
        self._peak = max(self._peak, peak)
        self._measured += length
        # Whole frames only: the number of them that comes nearest to a tenth of a second.
        if self._measured + length // 2 < LEVEL_SAMPLES:
            return
        # What comes in one piece is over already: a meter has no use for its parts.
        if self._live and self._end - self._fed >= self._detector.frame_samples:
            return
        rms = math.sqrt(self._squares / self._measured)
        yield LevelMeasured(frame.end - 1, dbfs(rms), dbfs(self._peak), probability)
        self._squares, self._peak, self._measured = 0.0, 0, 0

    def _events(self, steps: list[Step]) -> Iterator[Event]:
        for step in steps:
            match step:
                case Began(sample):
                    self._turn = self._next_turn()
                    yield SpeechStarted(self._turn, sample)
                case Paused(span):
                    yield SpeechPaused(self._turn, self._utterance(span))
                case Resumed(sample):
                    yield SpeechResumed(self._turn, sample)
                case Ended(span, reason):
                    yield SpeechEnded(self._turn, self._utterance(span), reason)

    def _utterance(self, span: Span) -> Utterance:
        return Utterance(self._cut(span.start, span.end), span.speech_start, span.speech_end)


def dbfs(amplitude: float) -> float:
    """Decibels relative to full scale of a 16-bit amplitude; -120 for none."""
    return max(20 * math.log10(amplitude / _FULL_SCALE), SILENCE_DBFS) if amplitude else SILENCE_DBFS
