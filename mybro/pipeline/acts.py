"""What an understood intent sets in motion."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from mybro.intent import Action, Intent
from mybro.naming import agent_label
from mybro.pipeline import joining, questions, work
from mybro.pipeline.draft import Draft
from mybro.pipeline.effects import (
    Chime,
    FreezeJobs,
    HoldVoice,
    Hush,
    Mute,
    ShutDown,
    StopAgent,
    TakeBack,
    TellCosts,
)
from mybro.pipeline.state import Job, State, Turn, TurnPhase
from mybro.speak import phrases


def accept(draft: Draft, turn: Turn) -> None:
    """Act on an understood turn: at once, or after a yes."""
    intent = turn.intent
    assert intent is not None  # noqa: S101 - a turn in this phase has one
    if not draft.state.acting:
        draft.drop_turn(turn.number)
    elif intent.kind == "control":
        draft.drop_turn(turn.number)
        joining.remember(draft, turn, None)
        _control(draft, turn, intent)
    elif intent.needs_confirmation:
        draft.put_turn(replace(turn, phase=TurnPhase.ASKING))
        questions.confirm(draft, turn, phrases.confirm(intent))
    else:
        work.carry_out(draft, turn)


def quit_session(draft: Draft) -> None:
    if not draft.state.quitting:
        draft.set(quitting=True)
        draft.do(Hush(), ShutDown())


def _control(draft: Draft, turn: Turn, intent: Intent) -> None:
    state = draft.state
    one = intent.agent if intent.agent not in (None, "all") else None
    match intent.action:
        case Action.STOP | Action.CANCEL if one is not None:
            draft.do(Hush(), Chime("stopped"))
            work.sweep(draft, StopAgent(one))
        case Action.STOP:
            work.stop_all(draft, turn.number)
        case Action.CANCEL:
            _cancel(draft, turn)
        case Action.YES | Action.NO:
            questions.spoken_answer(draft, turn, intent)
        case Action.UNDO | Action.REDO:
            _take_back(draft, turn, intent)
        case Action.PAUSE | Action.RESUME:
            paused = intent.action is Action.PAUSE
            draft.set(paused=paused)
            draft.do(FreezeJobs(on=paused), HoldVoice(on=paused))
            draft.say(phrases.paused() if paused else phrases.resumed())
        case Action.MUTE | Action.UNMUTE:
            draft.set(muted=intent.action is Action.MUTE)
            draft.do(Mute(on=intent.action is Action.MUTE))
            draft.say(phrases.muted() if intent.action is Action.MUTE else phrases.unmuted())
        case Action.REPEAT:
            draft.say(state.last_said or phrases.nothing_said())
        case Action.STATUS | Action.COSTS:
            _tell(draft, intent, one)
        case Action.HELP:
            draft.say(phrases.help_sentence())
        case Action.QUIT:
            draft.say(phrases.goodbye())
            quit_session(draft)


def _tell(draft: Draft, intent: Intent, agent: str | None) -> None:
    """Answer what is asked about the work, and leave the work alone."""
    if intent.action is Action.STATUS:
        draft.say(status(draft.state, agent))
        return
    working = any(work.is_coding(job.intent) for job in draft.state.jobs.values())
    draft.do(TellCosts(intent.text, agent, working))


def _cancel(draft: Draft, turn: Turn) -> None:
    """Cancel means what is nearest: the question being asked, then the voice, then the work."""
    if draft.state.asked is not None:
        questions.spoken_answer(draft, turn, Intent(kind="control", action=Action.NO, text="cancel"))
    elif draft.state.jobs:
        work.stop_all(draft, turn.number)
    elif draft.state.saying:
        draft.do(Hush())
    else:
        draft.say(phrases.nothing_to_stop())


def _take_back(draft: Draft, turn: Turn, intent: Intent) -> None:
    which: Literal["undo", "redo"] = "undo" if intent.action is Action.UNDO else "redo"
    job = draft.put_job(Job(draft.number(), turn.number, intent, title=phrases.title(intent)))
    joining.remember(draft, turn, job.number)
    agent = intent.agent if intent.agent != "all" else None
    draft.do(TakeBack(job.number, turn.number, which, intent.arguments.count or 1, agent))


def status(state: State, agent: str | None = None) -> str:
    """What goes on, in a sentence; or what one agent does."""
    if agent is not None:
        name = agent_label(agent)
        own = [job for job in state.jobs.values() if job.agent == name or (agent == "1" and not job.agent)]
        return phrases.status_of(name, [job.step or job.title for job in own])
    asked = state.asked
    if asked is not None:
        return asked.text
    jobs = [_doing(job) for job in state.jobs.values()]
    return phrases.status(jobs, paused=state.paused, trouble=state.trouble)


def _doing(job: Job) -> str:
    """The newest step, with who takes it where there are several; a title has that before it."""
    return f"the {job.agent} is {job.step}" if job.agent and job.step else job.step or job.title
