"""Rows of what was said: utterance, transcript, intent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, case, func, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlmodel import col

from mybro.events import BYTES_PER_SAMPLE, SAMPLE_RATE, SpeechEnded, Transcript, Typed, Understood
from mybro.intent import Action, Intent
from mybro.journal.codec import clean, finite
from mybro.journal.records import ENDS, RANK, State
from mybro.journal.rows import Here, add, table
from mybro.journal.sound import Sound
from mybro.journal.tables import EventRow, IntentRow, TranscriptRow, UtteranceRow

_UTTERANCE = table(UtteranceRow)


def _advance_statement(state: State) -> Any:
    """To a state, unless a higher one is reached. A job that starts counts even after an end."""
    values: dict[str, Any] = {"state": state}
    if state != "started":
        lower = [other for other, rank in RANK.items() if rank < RANK[state]]
        values = {"state": case((_UTTERANCE.c.state.in_(lower), state), else_=_UTTERANCE.c.state)}
    stamp = _stamp(state)
    if stamp:
        values[stamp] = func.coalesce(_UTTERANCE.c[stamp], bindparam("wall"))
    if state == "started":
        values["ended"] = None
    return (
        update(_UTTERANCE)
        .where(_UTTERANCE.c.session == bindparam("at_session"), _UTTERANCE.c.turn == bindparam("at_turn"))
        .values(values)
        .returning(_UTTERANCE.c.id)
    )


def _stamp(state: State) -> str | None:
    """The column that says when a state was reached."""
    return state if state in ("accepted", "started") else "ended" if state in ENDS else None


_ADVANCE = {state: _advance_statement(state) for state in RANK}


async def mark(here: Here, turn: int, state: State, wall: float) -> None:
    """See `Journal.mark`. A turn that is dropped before anything was heard of it leaves no utterance."""
    if state == "dropped" and await _number(here, turn) is None:
        return
    await advance(here, turn, state, wall)


async def _number(here: Here, turn: int) -> int | None:
    found = await here.connection.execute(
        select(col(UtteranceRow.id)).where(
            col(UtteranceRow.session) == here.session, col(UtteranceRow.turn) == turn
        )
    )
    return found.scalar_one_or_none()


async def advance(here: Here, turn: int, state: State, wall: float, source: str = "voice") -> int:
    """Bring a turn's utterance to a state and give its number; one that is not there yet is created."""
    values = {"at_session": here.session, "at_turn": turn}
    if _stamp(state):
        values["wall"] = wall
    known = (await here.connection.execute(_ADVANCE[state], values)).scalar_one_or_none()
    if known is not None:
        return int(known)
    row = UtteranceRow(session=here.session, turn=turn, repo=here.repo, source=source, state=state, said=wall)
    if stamp := _stamp(state):
        setattr(row, stamp, wall)
    return await _create(here, row)


async def _create(here: Here, row: UtteranceRow) -> int:
    """Insert an utterance, or what is known of its sound into the one there is; claim its turn's events."""
    values = row.model_dump(exclude={"id"})
    heard = ("source", "audio", "audio_sha256", "duration_s", "speech_start", "speech_end")
    statement = (
        upsert(UtteranceRow)
        .values(values)
        .on_conflict_do_update(("session", "turn"), set_={name: values[name] for name in heard})
    )
    utterance = int((await here.connection.execute(statement.returning(_UTTERANCE.c.id))).scalar_one())
    await here.connection.execute(
        update(EventRow)
        .where(
            col(EventRow.session) == here.session,
            col(EventRow.turn) == row.turn,
            col(EventRow.utterance).is_(None),
        )
        .values(utterance=utterance)
    )
    return utterance


async def heard(here: Here, ended: SpeechEnded, wall: float, sound: Sound | None) -> None:
    said = ended.utterance
    samples = len(said.audio.pcm) // BYTES_PER_SAMPLE
    row = UtteranceRow(
        session=here.session, turn=ended.turn, repo=here.repo, source="voice", state="heard", said=wall,
        duration_s=samples / SAMPLE_RATE,
        audio=sound.path if sound else None, audio_sha256=sound.sha256 if sound else None,
        speech_start=said.speech_start - said.audio.start, speech_end=said.speech_end - said.audio.start,
    )  # fmt: skip
    await _create(here, row)


async def typed(here: Here, event: Typed, wall: float) -> None:
    utterance = await advance(here, event.turn, "transcribed", wall, source="typed")
    await _transcript(here, utterance, Transcript(event.turn, event.text, True, 0))


async def transcribed(here: Here, transcript: Transcript, wall: float) -> None:
    # Only what no recogniser worked on can be typed words that are written already.
    if transcript.final and not transcript.processing_ms and await _is_known(here, transcript):
        return
    if transcript.final:
        state: State = "transcribed" if transcript.text.strip() else "dropped"
        await _transcript(here, await advance(here, transcript.turn, state, wall), transcript)
        return
    # A partial reading is a row only once the utterance is one; before that the log alone has it.
    utterance = await _number(here, transcript.turn)
    if utterance is not None:
        await _transcript(here, utterance, transcript)


async def _is_known(here: Here, transcript: Transcript) -> bool:
    """Whether a sentence was typed: then its words were written with its first event."""
    found = await here.connection.execute(
        select(col(TranscriptRow.id))
        .join(UtteranceRow, col(UtteranceRow.id) == col(TranscriptRow.utterance))
        .where(
            col(UtteranceRow.session) == here.session,
            col(UtteranceRow.turn) == transcript.turn,
            col(UtteranceRow.source) == "typed",
            col(TranscriptRow.text) == clean(transcript.text),
        )
    )
    return found.first() is not None


async def _transcript(here: Here, utterance: int, transcript: Transcript) -> None:
    row = TranscriptRow(
        utterance=utterance, text=clean(transcript.text), final=transcript.final,
        language=transcript.language, model=transcript.model,
        processing_ms=finite(transcript.processing_ms),
        average_logprob=finite(transcript.average_logprob),
        no_speech_probability=finite(transcript.no_speech_probability),
    )  # fmt: skip
    await add(here, row)


def _is_over(intent: Intent) -> bool:
    """Whether an intent is done once it is understood: it steers or answers, and starts no work.

    Such a sentence is no longer of use after a restart, so it must not count as unfinished.
    """
    if intent.kind == "control":
        return intent.action not in (Action.UNDO, Action.REDO)
    return intent.kind == "chat" and bool(intent.reply)


async def understood(here: Here, event: Understood, wall: float) -> None:
    intent = event.intent
    row = IntentRow(
        utterance=await advance(here, event.turn, "done" if _is_over(intent) else "understood", wall),
        kind=intent.kind,
        action=intent.action,
        risk=intent.risk,
        body=clean(intent.model_dump_json(exclude_none=True)),
        processing_ms=finite(event.processing_ms),
    )
    await add(here, row)
