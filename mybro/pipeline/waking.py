"""With a wake phrase, only what is addressed to mybro is taken for its own; of the rest nothing is kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from mybro import events as ev
from mybro.brain.grammar import control_action
from mybro.config import Settings
from mybro.errors import TranscriptionError
from mybro.events import SAMPLE_RATE
from mybro.intent import Action
from mybro.pipeline.draft import Draft
from mybro.pipeline.effects import Chime
from mybro.pipeline.state import State, Turn

AWAKE_S = 8.0
"""After the phrase alone, what is said so soon is meant for mybro."""
KEY_S = 1.0
"""Speech that begins so soon after the talk key came up was still said to it."""
_HELD = 1 << 62
KEPT_BACK = 64
"""Events of turns that may not be addressed, and wait for the journal; older ones are forgotten."""


def meant(state: State, turn: Turn, heard: ev.Transcribed) -> str | None:
    """What of a turn's words is meant for mybro; None where it is not addressed.

    Without the phrase: what is typed, what answers a question, what follows the phrase alone or the talk key,
    and stop while there is something to stop.
    """
    wake, text = state.wake, heard.text
    if wake is None or turn.typed:
        return text
    rest = (text if heard.called else None) if heard.called is not None else wake.phrase.rest(text)
    if rest is not None:
        return rest
    stops = control_action(text) is Action.STOP and bool(state.jobs or turn.over_voice)
    return text if turn.question is not None or turn.start < wake.until or stops else None


def told(state: State, turn: Turn, heard: ev.Transcribed) -> ev.Transcript | None:
    """What a transcription tells everybody; None where nothing was meant for mybro, or only to call it."""
    text = meant(state, turn, heard)
    if text is None or (not text and (heard.text or heard.called)):
        return None
    return ev.Transcript(
        turn.number, text, turn.utterance is not None, turn.request_speech_end, heard.language, heard.model,
        heard.processing_ms, heard.no_speech_probability, heard.average_logprob, heard.heard,
        heard.alternatives,
    )  # fmt: skip


def listen_for_more(draft: Draft, turn: Turn, heard: ev.Transcribed) -> None:
    """Where only the phrase was said, what follows is meant as well."""
    if meant(draft.state, turn, heard) is not None:
        _stay(draft, draft.state.sample + int(AWAKE_S * SAMPLE_RATE))
        draft.do(Chime("listening"))


def understood_without(draft: Draft) -> None:
    """A sentence was taken for mybro's: the next one needs the phrase again."""
    if draft.state.wake is not None and draft.state.wake.until < _HELD:
        _stay(draft, 0)


def key(draft: Draft, *, down: bool) -> None:
    """While the talk key is held, whatever is said is meant."""
    _stay(draft, _HELD if down else draft.state.sample + int(KEY_S * SAMPLE_RATE))


def _stay(draft: Draft, until: int) -> None:
    if draft.state.wake is not None:
        draft.set(wake=draft.state.wake.stays(until))


def phrase_of(settings: Settings) -> str | None:
    """The phrase that the recogniser listens for, if any. Raises `TranscriptionError`."""
    phrase = settings.audio.wake_phrase
    if phrase is None or settings.audio.listen != "hands-free":
        return None
    if settings.transcribe.backend == "openai":
        raise TranscriptionError(
            "wake_phrase_leaves",
            "a wake phrase is recognised on this machine only",
            hint="Choose another transcribe.backend than openai, or unset audio.wake_phrase",
        )
    return phrase


class Discretion:
    """Keeps from the journal what nobody may have said to mybro, until it is known."""

    def __init__(self) -> None:
        self._kept: deque[ev.Envelope] = deque(maxlen=KEPT_BACK)

    def keeps(self, envelope: ev.Envelope, state: State) -> bool:
        """Whether this is to wait: words and sound of a turn that may not be addressed."""
        event = envelope.event
        if state.wake is None or not isinstance(event, ev.SpeechEnded | ev.Transcribed | ev.Transcript):
            return False
        if _is_settled(state.turns, event.turn):
            return False
        self._kept.append(envelope)
        return True

    def release(self, turn: int) -> list[ev.Envelope]:
        """What was kept of a turn that is addressed."""
        kept = [envelope for envelope in self._kept if _turn(envelope) == turn]
        self.forget(turn)
        return kept

    def forget(self, turn: int) -> None:
        """The turn was not addressed."""
        left = [envelope for envelope in self._kept if _turn(envelope) != turn]
        self._kept = deque(left, maxlen=KEPT_BACK)


def _is_settled(turns: Mapping[int, Turn], number: int) -> bool:
    turn = turns.get(number)
    return turn is not None and (turn.typed or bool(turn.text))


def _turn(envelope: ev.Envelope) -> int | None:
    return getattr(envelope.event, "turn", None)
