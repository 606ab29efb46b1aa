"""Speech that goes on after a turn seemed to be over: one sentence, and what was begun goes back."""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher

from mybro import events as ev
from mybro.brain.address import address
from mybro.brain.grammar import parse
from mybro.brain.verbs import VERBS
from mybro.intent import Action, Intent
from mybro.pipeline.draft import Draft
from mybro.pipeline.effects import CancelTimer, ForgetTurn, Post, Withdraw
from mybro.pipeline.patience import meaning_of
from mybro.pipeline.state import Former, State, Turn, TurnPhase
from mybro.words import norms, split

LONGEST_S = 28.0
"""What is longer already is not heard together with more."""
STOP_JOIN_MS = 400
"""A stop is a sentence of its own, unless speech goes on as soon as within a sentence."""
_ALIKE = 0.75
"""Of two readings of the same words: a recogniser mishears some of them the second time."""
_AFTER_NOUNS = frozenset({"of", "in", "from"})
"""What shows that the word before it names something: "undo that | rename of the class"."""
_HARMLESS = frozenset({Action.HELP, Action.STATUS, Action.REPEAT})
_OPPOSITE = frozenset({Action.UNDO, Action.REDO})
_STOPPING = frozenset({Action.STOP, Action.CANCEL})


def remember(draft: Draft, turn: Turn, job: int | None) -> None:
    """A spoken turn was accepted: if speech goes on soon, it may have been one part of a sentence."""
    assert turn.intent is not None  # noqa: S101 - an accepted turn has one
    if turn.utterance is not None and turn.by_quiet and not turn.typed:
        draft.set(former=_former(turn, job))


def _former(turn: Turn, job: int | None) -> Former:
    assert turn.utterance is not None  # noqa: S101 - the callers have looked
    parts = turn.joins.parts + 1 if turn.joined and turn.joins is not None else 1
    return Former(turn.number, turn.text, turn.utterance, turn.intent, job, parts)


def candidate(state: State, sample: int) -> Former | None:
    """What speech that begins at `sample` may go on with: the newest spoken turn, if it has just ended."""
    former = state.former
    for turn in state.turns.values():
        waits = turn.phase in (TurnPhase.TRANSCRIBED, TurnPhase.UNDERSTOOD, TurnPhase.ASKING)
        if waits and turn.utterance is not None and turn.by_quiet:
            former = _former(turn, None)
    if former is None or not state.patience.settings.join_ms or former.utterance.audio.seconds > LONGEST_S:
        return None
    gap = sample - former.utterance.audio.end
    if not 0 <= gap <= state.patience.settings.join_ms * ev.SAMPLE_RATE // 1000:
        return None
    quiet_ms = (sample - former.utterance.speech_end) * 1000 // ev.SAMPLE_RATE
    return former if _can_go_back(former.intent, quiet_ms) else None


def _can_go_back(intent: Intent | None, quiet_ms: int) -> bool:
    """Whether the sentence can still turn out to be a longer one."""
    if intent is None or intent.kind != "control":
        return True
    if intent.action in _STOPPING:
        return quiet_ms <= STOP_JOIN_MS
    return intent.action in _HARMLESS | _OPPOSITE


def whole_sound(turn: Turn, utterance: ev.Utterance) -> ev.Utterance:
    """The sound of both parts, the quiet between them left out, as one utterance."""
    former = turn.joins
    if former is None:
        return utterance
    before, after = former.utterance.audio, utterance.audio
    overlap = max(before.end - after.start, 0) * ev.BYTES_PER_SAMPLE
    pcm = before.pcm[: len(before.pcm) - overlap] + after.pcm
    start = after.end - len(pcm) // ev.BYTES_PER_SAMPLE
    return ev.Utterance(ev.AudioBlock(start, pcm), start, utterance.speech_end)


def part_of(turn: Turn, text: str) -> tuple[str, bool]:
    """What a turn says, given the text of both parts together, and whether it goes on with the former one.

    A command of its own stands alone; what adds no word says nothing.
    """
    former = turn.joins
    if former is None or not text.strip():
        return text, False
    before, both = _spoken(former.text), _spoken(text)
    if _adds_nothing(former, text, before, both):
        return "", False
    if SequenceMatcher(None, before, both[: len(before)]).ratio() < _ALIKE:
        return text, True
    rest = _after(text, len(before))
    own = parse(rest) is not None or address(rest) is not None
    if parse(former.text) is not None:
        own = own or _orders(rest)
    elif parse(text) is not None or meaning_of(former.text) == "dangling":
        own = False
    return (rest, False) if own else (text, True)


def _adds_nothing(former: Former, text: str, before: list[str], both: list[str]) -> bool:
    if len(both) <= len(before) and SequenceMatcher(None, before, both).ratio() >= _ALIKE:
        return True
    known = parse(text)
    return known is not None and parse(former.text) == known.model_copy(update={"text": former.text})


def _orders(text: str) -> bool:
    """Whether a text begins like a request of its own."""
    words = norms(text)
    return len(words) > 1 and words[0] in VERBS and words[1] not in _AFTER_NOUNS


def _spoken(text: str) -> list[str]:
    """The words as they are said: "user_id" is two."""
    return norms(text.replace("_", " "))


def _after(text: str, count: int) -> str:
    """What follows the first `count` spoken words, as it is written."""
    words = split(text)
    while words and count > 0:
        count -= len(_spoken(words.pop(0).text))
    return " ".join(word.raw for word in words)


def join(draft: Draft, turn: Turn) -> None:
    """The sentence goes on: take back what its first part had begun."""
    former = turn.joins
    assert former is not None  # noqa: S101 - only such a turn is joined
    draft.do(Post(ev.TurnJoined(turn.number, former.turn)))
    if former.turn in draft.state.turns:
        _unask(draft, former.turn, None)
        draft.drop_turn(former.turn)
        draft.do(ForgetTurn(former.turn))
        return
    known = draft.state.former
    if known is None or known.turn != former.turn or known.job is None:
        return
    _unask(draft, former.turn, known.job)
    draft.drop_job(known.job)
    again = known.intent is not None and known.intent.action in _OPPOSITE
    draft.set(former=None, withdrawing=turn.number)
    draft.do(Withdraw(turn.number, known.job, known.intent.action if again and known.intent else None))


def taken_back(draft: Draft, event: ev.TakenBack) -> bool:
    """What was begun is gone; False where nobody waits for that any more."""
    if not event.outcome.ok:
        draft.say(event.outcome.summary, "error")
    if draft.state.withdrawing != event.turn:
        return False
    draft.set(withdrawing=None)
    return True


def _unask(draft: Draft, turn: int, job: int | None) -> None:
    """Forget the questions of a turn or job that is taken back."""
    for question in list(draft.state.questions.values()):
        if question.turn == turn or (job is not None and question.job == job):
            draft.drop_question(question.number)
            draft.do(CancelTimer(f"question-{question.number}"))


def awaits(state: State, number: int) -> bool:
    """Whether speech under way may go on with a turn, so that it is too soon to act on that."""
    return any(
        turn.joins is not None and turn.joins.turn == number and turn.phase is TurnPhase.HEARD
        for turn in state.turns.values()
    )


def new_source(draft: Draft) -> None:
    """Audio time begins anew: nothing goes on with what was said before."""
    draft.set(former=None)
    for turn in draft.state.turns.values():
        draft.put_turn(replace(turn, by_quiet=False))
