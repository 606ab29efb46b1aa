"""A turn's way from the first sound to an accepted intent."""

from __future__ import annotations

from dataclasses import replace

from mybro import events as ev
from mybro.brain.grammar import control_action
from mybro.intent import Action, Intent
from mybro.pipeline import acts, barge_in, joining, questions, waking, work
from mybro.pipeline.draft import Draft
from mybro.pipeline.echo import is_echo
from mybro.pipeline.effects import (
    Acknowledge,
    DropTranscription,
    Duck,
    EndAfter,
    ForgetTurn,
    FreezeJobs,
    GiveWay,
    Guess,
    Hush,
    JudgeTurn,
    Post,
    Transcribe,
    Understand,
)
from mybro.pipeline.patience import Meaning, is_more_than_said, meaning_of, wait_ms
from mybro.pipeline.state import Ear, Mouth, Turn, TurnPhase
from mybro.speak import phrases


def begin(draft: Draft, event: ev.SpeechStarted) -> None:
    """Somebody speaks: a voice that speaks at the same time makes way."""
    asked = draft.state.asked
    draft.put_turn(
        Turn(
            event.turn,
            start=event.sample,
            question=asked.number if asked else None,
            over_voice=" ".join(draft.state.saying.values()),
            joins=joining.candidate(draft.state, event.sample),
        )
    )
    draft.set(ear=Ear.HEARING, sample=max(event.sample, draft.state.sample))
    draft.do(GiveWay(on=True))
    if draft.state.mouth is Mouth.SPEAKING:
        draft.set(mouth=Mouth.DUCKED)
        draft.do(Duck(on=True))


def pause(draft: Draft, event: ev.SpeechPaused) -> None:
    """A short quiet: recognise on trial, so that the words are there when the turn ends."""
    turn = draft.state.turns.get(event.turn)
    if turn is not None:
        draft.set(ear=Ear.CLOSING)
        _request(draft, turn, event.utterance, trial=True)


def resume(draft: Draft, number: int, sample: int) -> None:
    """Speech went on: what was recognised on trial is too short."""
    turn = draft.state.turns.get(number)
    if turn is None:
        return
    draft.set(ear=Ear.HEARING, sample=max(sample, draft.state.sample))
    _let_go(draft, number)
    if turn.request is not None:
        draft.do(DropTranscription(turn.request))
        _learn(draft, sample - turn.request_speech_end)
    draft.put_turn(replace(turn, request=None, request_speech_end=-1, sound=None, trial=None))


def _learn(draft: Draft, samples: int) -> None:
    """A pause within a sentence has come to its end."""
    draft.set(pauses=draft.state.pauses.add(samples * 1000 // ev.SAMPLE_RATE))


def end(draft: Draft, event: ev.SpeechEnded) -> None:
    """The turn is closed; a trial that covers all of its speech is its transcription."""
    utterance = event.utterance
    draft.set(ear=Ear.IDLE, sample=max(utterance.audio.end, draft.state.sample))
    draft.do(GiveWay(on=False))
    turn = draft.state.turns.get(event.turn)
    if turn is None:
        return
    whole = joining.whole_sound(turn, utterance)
    turn = draft.put_turn(replace(turn, utterance=whole, by_quiet=event.reason == "quiet"))
    if turn.request is None or turn.request_speech_end != utterance.speech_end:
        if turn.request is not None:
            draft.do(DropTranscription(turn.request))
        _request(draft, turn, utterance)
    elif turn.trial is not None:
        _tell(draft, turn, turn.trial)


def transcribed(draft: Draft, event: ev.Transcribed) -> None:
    """A recogniser answered; late answers belong to no turn or to another request."""
    turn = draft.state.turns.get(event.turn)
    if turn is None or turn.request != event.request:
        return
    text, joined = joining.part_of(turn, event.text)
    turn = draft.put_turn(replace(turn, trial=replace(event, text=text), joined=joined))
    _tell(draft, turn, replace(event, text=text))


def _tell(draft: Draft, turn: Turn, heard: ev.Transcribed) -> None:
    """Tell the words of a turn, as far as they are meant for mybro."""
    told = waking.told(draft.state, turn, heard)
    if told is not None:
        draft.do(Post(told))
    elif turn.utterance is not None:
        drop(draft, turn.number)
        waking.listen_for_more(draft, turn, heard)


def failed(draft: Draft, event: ev.TranscriptionFailed) -> None:
    """No words: before the end of the turn it is tried again then, afterwards the person is told."""
    turn = draft.state.turns.get(event.turn)
    if turn is None or turn.request != event.request:
        return
    if turn.utterance is None:
        if draft.state.patience.by_meaning:
            draft.do(EndAfter(turn.number, turn.request_speech_end, draft.state.patience.settings.open_ms))
        draft.put_turn(replace(turn, request=None, request_speech_end=-1, sound=None))
        return
    drop(draft, turn.number)
    draft.say(phrases.failed(event.problem), "error")


def typed(draft: Draft, number: int, text: str) -> None:
    """A sentence that needs no ear: the same way from the transcript on."""
    asked = draft.state.asked
    draft.put_turn(
        Turn(number, typed=True, start=draft.state.sample, question=asked.number if asked else None)
    )
    draft.do(Post(ev.Transcript(number, text, final=True, sample=draft.state.sample, model="typed")))


def settle_text(draft: Draft, event: ev.Transcript) -> None:
    """The words are known. Stop is obeyed at once; everything else is recorded before it is thought about."""
    turn = draft.state.turns.get(event.turn)
    if turn is None or turn.phase is not TurnPhase.HEARD:
        return
    text = event.text.strip()
    if not event.final:
        _hold(draft, turn, text)
        # Words of speech that goes on tell nothing of its end.
        if turn.request is not None and event.sample == turn.request_speech_end:
            _decide_wait(draft, turn, text)
        return
    _let_go(draft, turn.number, unless_stop=text)
    if not text or is_echo(text, turn.over_voice) or barge_in.only_listens(draft, turn, text):
        drop(draft, turn.number)
        return
    if draft.state.acting and control_action(text) is Action.STOP:
        work.stop_all(draft, turn.number)
        barge_in.let_speak(draft)
        return
    if draft.state.mouth is not Mouth.SILENT and not turn.typed:
        draft.do(Hush())
    barge_in.let_speak(draft)
    waking.understood_without(draft)
    draft.put_turn(replace(turn, phase=TurnPhase.TRANSCRIBED, text=text))
    if turn.joined:
        _join(draft, turn)
    draft.do(Acknowledge(turn.number))
    accept_in_order(draft)


def _join(draft: Draft, turn: Turn) -> None:
    assert turn.joins is not None  # noqa: S101 - `joined` says so
    _learn(draft, turn.start - turn.joins.utterance.speech_end)
    joining.join(draft, turn)


def _decide_wait(draft: Draft, turn: Turn, text: str) -> None:
    """The words on trial tell how much quiet ends the turn; where they leave it open, the sound may, too."""
    patience = draft.state.patience
    if not patience.by_meaning:
        return
    meaning = _meaning(draft, turn, text)
    wait = wait_ms(meaning, patience, None, draft.state.pauses)
    draft.do(EndAfter(turn.number, turn.request_speech_end, wait))
    if text:
        draft.do(Guess(turn.number, text))
    if meaning in ("whole", "open") and patience.listens_to_sound and turn.request and turn.sound:
        draft.do(JudgeTurn(turn.number, turn.request, turn.sound.audio))


def judged(draft: Draft, event: ev.TurnJudged) -> None:
    """The sound tells more about the end of the turn than its words alone."""
    turn = draft.state.turns.get(event.turn)
    if turn is None or turn.request != event.request or turn.utterance is not None or turn.trial is None:
        return
    meaning = _meaning(draft, turn, turn.trial.text)
    wait = wait_ms(meaning, draft.state.patience, event.probability, draft.state.pauses)
    draft.do(EndAfter(turn.number, turn.request_speech_end, wait))


def _meaning(draft: Draft, turn: Turn, text: str) -> Meaning:
    chosen = draft.state.patience.settings
    meaning = meaning_of(text, grammar=chosen.use_grammar, dangling=chosen.use_endings)
    seconds = (turn.request_speech_end - turn.start) / ev.SAMPLE_RATE
    if meaning in ("complete", "whole") and turn.joins is None and is_more_than_said(text, seconds):
        return "dangling"
    # Who was taken up too early twice is given time.
    hesitant = turn.joined and turn.joins is not None and turn.joins.parts > 1
    return "open" if hesitant and meaning == "whole" else meaning


def taken_back(draft: Draft, event: ev.TakenBack) -> None:
    """What the first part of a sentence had begun is gone: the whole of it can be done."""
    if joining.taken_back(draft, event):
        accept_in_order(draft)


def _hold(draft: Draft, turn: Turn, text: str) -> None:
    """What sounds like stop holds the jobs at once, which can be taken back; the whole sentence decides."""
    state = draft.state
    if state.acting and state.jobs and state.holding is None and control_action(text) is Action.STOP:
        draft.set(holding=turn.number)
        draft.do(FreezeJobs(on=True))


def _let_go(draft: Draft, number: int, unless_stop: str = "") -> None:
    if draft.state.holding != number:
        return
    draft.set(holding=None)
    if not draft.state.paused and control_action(unless_stop) is not Action.STOP:
        draft.do(FreezeJobs(on=False))


def recorded(draft: Draft, number: int) -> None:
    """The journal has the words: nothing can lose them now."""
    turn = draft.state.turns.get(number)
    if turn is None or turn.phase is not TurnPhase.TRANSCRIBED:
        return
    if questions.is_named_yes(draft.state, turn) or questions.is_choice(draft.state, turn):
        yes = Intent(kind="control", action=Action.YES, text=turn.text)
        draft.do(Post(ev.Understood(number, yes)))
    else:
        draft.do(Understand(number, turn.text))


def understood(draft: Draft, number: int, intent: Intent) -> None:
    """The intent is known; turns are accepted in the order of speech."""
    turn = draft.state.turns.get(number)
    if turn is None or turn.phase is not TurnPhase.TRANSCRIBED:
        return
    draft.put_turn(replace(turn, phase=TurnPhase.UNDERSTOOD, intent=intent))
    accept_in_order(draft)


def recalled(draft: Draft, number: int, intent: Intent) -> None:
    """Something accepted in an earlier session was never started: it is offered, not done."""
    turn = draft.put_turn(Turn(number, phase=TurnPhase.ASKING, typed=True, text=intent.text, intent=intent))
    questions.confirm(draft, turn, phrases.offer(intent))


def accept_in_order(draft: Draft) -> None:
    """Accept every understood turn before which none is still being transcribed or thought about."""
    for turn in list(draft.state.turns.values()):
        if turn.phase is TurnPhase.ASKING or turn.number not in draft.state.turns:
            continue
        if turn.phase is not TurnPhase.UNDERSTOOD or joining.awaits(draft.state, turn.number):
            return
        if draft.state.withdrawing is not None:
            return
        acts.accept(draft, turn)


def drop(draft: Draft, number: int) -> None:
    """A turn of which nothing comes: noise, an echo, a failure. The voice goes on from where it was."""
    draft.drop_turn(number)
    draft.do(ForgetTurn(number))
    _let_go(draft, number)
    barge_in.go_on(draft)
    accept_in_order(draft)


def forget_open(draft: Draft) -> None:
    """The source is gone: a turn whose speech it did not close has no words to wait for."""
    for turn in list(draft.state.turns.values()):
        if turn.utterance is None and not turn.typed:
            drop(draft, turn.number)
    draft.do(GiveWay(on=False))


def _request(draft: Draft, turn: Turn, utterance: ev.Utterance, *, trial: bool = False) -> None:
    request = draft.number()
    sound = turn.utterance or joining.whole_sound(turn, utterance)
    draft.put_turn(
        replace(turn, request=request, request_speech_end=utterance.speech_end, sound=sound, trial=None)
    )
    draft.do(Transcribe(turn.number, request, sound.audio, trial))
