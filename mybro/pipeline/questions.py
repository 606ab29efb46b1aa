"""Questions to the person: one queue, one asked at a time, each answered by its number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from mybro import events as ev
from mybro.brain.choosing import choose
from mybro.brain.classify import classify
from mybro.brain.grammar import control_action, parse
from mybro.intent import Action, Intent
from mybro.naming import agent_name
from mybro.pipeline import work
from mybro.pipeline.draft import Draft
from mybro.pipeline.effects import Answer, CancelTimer, ForgetTurn, Post, SetTimer
from mybro.pipeline.state import Ear, JobPhase, Question, QuestionPhase, State, Turn
from mybro.speak import phrases
from mybro.transcribe.answers import Answers
from mybro.words import norms

CONFIRMATION_S = 30.0
"""How long a read-back waits for its yes once it has been heard out."""

_AGREEING = frozenset({"yes", "yeah", "yep", "yup"})
_LASTING = frozenset({"always", "session", "every"})
_WORD = re.compile(r"[\w']+")


def confirm(draft: Draft, turn: Turn, text: str) -> None:
    """Queue the read-back of a turn that needs a yes."""
    assert turn.intent is not None  # noqa: S101
    what = turn.intent.target or ""
    risk = turn.intent.risk
    draft.put_question(Question(draft.number(), text, turn=turn.number, risk=risk, object=what))


def asked(draft: Draft, event: ev.JobAsked) -> None:
    """A job asks, or with job 0 somebody else. A job that has been stopped gets its no at once."""
    if event.job:
        job = draft.state.jobs.get(event.job)
        if job is None or job.phase is JobPhase.STOPPING:
            draft.do(Answer(ev.Answered(event.question, yes=False)))
            return
        draft.put_job(replace(job, phase=JobPhase.WAITING))
    draft.put_question(
        Question(
            event.question,
            event.text,
            job=event.job or None,
            risk=event.risk,
            object=event.object,
            choices=event.choices,
            agent=event.agent,
            timeout_s=event.timeout_s,
        )
    )


def ask_next(draft: Draft) -> None:
    """Ask the oldest question, unless one is being asked or the person is speaking."""
    state = draft.state
    if state.asked is not None or state.ear in (Ear.HEARING, Ear.CLOSING):
        return
    waiting = next((q for q in state.questions.values() if q.phase is QuestionPhase.QUEUED), None)
    if waiting is not None:
        speech = draft.say(waiting.text, "question")
        draft.put_question(replace(waiting, phase=QuestionPhase.SPOKEN, speech=speech))


def heard(draft: Draft, speech: int) -> None:
    """A sentence has been said: if it asked a question, the question can be answered from now on."""
    for question in draft.state.questions.values():
        if question.speech == speech and question.heard_at is None:
            draft.put_question(replace(question, heard_at=draft.state.sample))
            limit = CONFIRMATION_S if question.turn is not None else question.timeout_s
            if limit is not None:
                draft.do(SetTimer(_timer(question), limit))


def new_source(draft: Draft) -> None:
    """Audio time begins anew: what was heard out before it was heard out from its first sample on."""
    for question in draft.state.questions.values():
        if question.heard_at is not None:
            draft.put_question(replace(question, heard_at=0))


def spoken_answer(draft: Draft, turn: Turn, intent: Intent) -> None:
    """A spoken yes or no: it belongs to the question that was being asked when the person began to speak."""
    question = draft.state.questions.get(turn.question) if turn.question is not None else None
    if question is None:
        draft.say(phrases.nothing_asked())
        return
    yes = intent.action is Action.YES
    if yes and question.choices:
        _chosen(draft, question, intent.text)
        return
    if yes and not turn.typed and (question.heard_at is None or turn.start < question.heard_at):
        # A yes that began before the question was heard out answers something else.
        draft.say(question.text, "question")
        return
    if _is_for_another(intent, question):
        draft.say(question.text, "question")
        return
    if yes and question.risk == "destructive" and not _is_named(draft.state, question, intent):
        named = _agent_to_name(draft.state, question)
        draft.say(phrases.repeat_object(question.object, named), "question")
        return
    # An event like any other: journaled, and seen by whoever watches.
    draft.do(Post(ev.Answered(question.number, yes=yes, always=bool(_LASTING & set(norms(intent.text))))))


def _chosen(draft: Draft, question: Question, text: str) -> None:
    """An answer to a question with choices: one of them, or something else in the person's own words."""
    at = choose(text, [choice.label for choice in question.choices])
    if at is None and (control_action(text) is not None or not text.strip()):
        draft.say(question.text, "question")  # a bare yes chooses nothing
        return
    choice = text.strip() if at is None else question.choices[at].label
    draft.do(Post(ev.Answered(question.number, yes=True, choice=choice)))


def is_choice(state: State, turn: Turn) -> bool:
    """Whether a sentence answers a question with choices: everything does that is no command of its own."""
    question = state.questions.get(turn.question) if turn.question is not None else None
    if question is None or not question.choices:
        return False
    named = choose(turn.text, [choice.label for choice in question.choices]) is not None
    return named or parse(turn.text) is None


def open_answers(state: State, number: int) -> Answers | None:
    """What a turn may choose from by a word that is hard to hear; None where that could do harm."""
    turn = state.turns.get(number)
    question = state.questions.get(turn.question) if turn is not None and turn.question is not None else None
    if question is None or question.risk == "destructive":
        return None
    labels = tuple(choice.label for choice in question.choices)
    if any(_could_harm(label) for label in labels):
        return None
    return Answers(labels, lambda text: _is_settled(text, labels))


def _could_harm(label: str) -> bool:
    agrees = bool(_AGREEING & set(norms(label))) or control_action(label) is Action.YES
    return agrees or classify(label).risk == "destructive"


def _is_settled(text: str, labels: Sequence[str]) -> bool:
    known = parse(text)
    # A bare yes chooses nothing, and "two" is heard as one; "read" may be "red", or "three".
    return choose(text, labels, guess=False) is not None or (
        known is not None and known.action is not Action.YES
    )


def is_named_yes(state: State, turn: Turn) -> bool:
    """Whether a sentence is the yes that a destructive question asks for: "yes, delete build"."""
    question = state.questions.get(turn.question) if turn.question is not None else None
    if question is None or question.risk != "destructive" or not question.object:
        return False
    words = _WORD.findall(turn.text.lower())
    agreed = words[:1] != [] and words[0] in _AGREEING and _names(turn.text, question.object)
    return agreed and _names(turn.text, _agent_to_name(state, question))


def answer(draft: Draft, event: ev.Answered) -> None:
    """An answer, whichever way it came; the first one wins."""
    question = draft.state.questions.get(event.question)
    if question is None:
        return
    draft.drop_question(question.number)
    draft.do(CancelTimer(_timer(question)))
    if question.job is not None:
        work.job_changed(draft, question.job, phase=JobPhase.RUNNING)
        draft.do(Answer(event))
        return
    turn = draft.state.turns.get(question.turn) if question.turn is not None else None
    if turn is None:
        return
    if event.yes:
        work.carry_out(draft, turn)
    else:
        _leave_alone(draft, turn)


def withdraw(draft: Draft, number: int) -> None:
    """A question that nobody needs answered any more."""
    question = draft.state.questions.get(number)
    if question is None:
        return
    draft.drop_question(number)
    draft.do(CancelTimer(_timer(question)))
    if question.phase is QuestionPhase.SPOKEN and question.job in draft.state.jobs:
        draft.say(phrases.withdrawn())


def job_ended(draft: Draft, number: int) -> bool:
    """Forget a job and its open questions; False where it was not known any more."""
    if number not in draft.state.jobs:
        return False
    draft.drop_job(number)
    for question in list(draft.state.questions.values()):
        if question.job == number:
            withdraw(draft, question.number)
    return True


def timer_fired(draft: Draft, timer: str) -> None:
    """Nobody answered; while the person is speaking it waits once more."""
    for question in draft.state.questions.values():
        if _timer(question) != timer:
            continue
        if question.turn is None:
            draft.say(phrases.timed_out())
            draft.do(Post(ev.Answered(question.number, yes=False, by="timeout")))
            return
        if draft.state.ear in (Ear.HEARING, Ear.CLOSING):
            draft.do(SetTimer(timer, CONFIRMATION_S))
            return
        draft.drop_question(question.number)
        turn = draft.state.turns.get(question.turn)
        if turn is not None:
            _leave_alone(draft, turn)
        return


def _leave_alone(draft: Draft, turn: Turn) -> None:
    draft.drop_turn(turn.number)
    draft.do(ForgetTurn(turn.number))
    draft.say(phrases.left_alone())


def _agent_to_name(state: State, question: Question) -> str:
    """Whom a yes to something destructive must name: where several are at work, who asks."""
    return question.agent.removesuffix(" agent") if len(state.agents) > 1 else ""


def _is_named(state: State, question: Question, intent: Intent) -> bool:
    """Whether a yes names what is asked about, and who asks where that must be told."""
    agent = _agent_to_name(state, question)
    named = not agent or _names(intent.text, agent) or intent.agent == agent_name(agent)
    return named and _names(intent.text, question.object)


def _is_for_another(intent: Intent, question: Question) -> bool:
    """Whether an answer is addressed to somebody who has not asked."""
    if intent.agent in (None, "all") or not question.agent:
        return False
    return intent.agent != agent_name(question.agent.removesuffix(" agent"))


def _timer(question: Question) -> str:
    return f"question-{question.number}"


def _names(text: str, what: str) -> bool:
    """Whether a sentence repeats the object of a question; one without an object needs no repetition."""
    return set(_WORD.findall(what.lower())) <= set(_WORD.findall(text.lower()))
