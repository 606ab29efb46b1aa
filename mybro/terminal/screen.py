"""What the live area shows, as a value that each event turns into the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from mybro import events as ev
from mybro.errors import Problem
from mybro.intent import Action, Intent
from mybro.terminal.lines import clean

Ear = Literal["off", "opening", "listening", "hearing", "closing"]

METER_CELLS = 48
_QUIET_DBFS = -55.0
_LOUD_DBFS = -8.0


@dataclass(frozen=True, slots=True)
class Work:
    """A job under way."""

    title: str
    began: float
    """Seconds since the session began."""
    step: str = ""
    stopping: bool = False


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything that the live area is drawn from."""

    at: float = 0.0
    """Seconds since the session began."""
    source: str = ""
    live: bool = True
    ear: Ear = "off"
    invitation: str = ""
    """How to begin speaking; empty where nothing needs to be done for it."""
    held: bool = False
    """Whether the talk key is down."""
    levels: tuple[float, ...] = ()
    """The newest loudnesses, 0 to 1, oldest first."""
    speech: bool = False
    """Whether the newest loudness is somebody's voice."""
    words: str = ""
    """What the person is saying, as far as known."""
    final: bool = False
    thinking: bool = False
    """The words are known, and not yet what they mean."""
    jobs: Mapping[int, Work] = field(default_factory=dict)
    questions: Mapping[int, ev.JobAsked] = field(default_factory=dict)
    saying: str = ""
    speaking: bool = False
    muted: bool = False
    trouble: Problem | None = None
    cost_usd: float = 0.0
    turns: int = 0

    @property
    def moving(self) -> bool:
        """Whether it changes as time passes, without an event."""
        return bool(self.jobs) or self.thinking


def follow(screen: Screen, envelope: ev.Envelope) -> Screen:
    """The screen after this event."""
    screen = replace(screen, at=envelope.at)
    event = envelope.event
    for step in (_ear, _words, _work, _mouth):
        changes = step(screen, event)
        if changes is not None:
            return replace(screen, **changes)
    return screen


_Step = Callable[[Screen, ev.Event], dict[str, Any] | None]


def _ear(screen: Screen, event: ev.Event) -> dict[str, Any] | None:
    match event:
        case ev.Ready(invitation, hands_free):
            return {"invitation": "" if hands_free else clean(invitation)}
        case ev.TalkPressed() | ev.TalkReleased():
            return {"held": isinstance(event, ev.TalkPressed)}
        case ev.SourceOpened(name, live):
            return {"source": clean(name), "live": live, "ear": "opening", "trouble": None, "levels": ()}
        case ev.ListeningStarted():
            return {"ear": "listening", "trouble": None}
        case ev.SourceTroubled(problem):
            return {"trouble": problem}
        case ev.SourceClosed():
            return {"ear": "off", "levels": (), "speech": False}
        case ev.LevelMeasured(rms_dbfs=rms, speech_probability=probability):
            level = min(1.0, max(0.0, (rms - _QUIET_DBFS) / (_LOUD_DBFS - _QUIET_DBFS)))
            return {"levels": (*screen.levels[1 - METER_CELLS :], level), "speech": probability >= 0.5}
        case ev.SpeechStarted():
            return {"ear": "hearing", "words": "", "final": False, "thinking": False}
        case ev.SpeechResumed():
            return {"ear": "hearing"}
        case ev.SpeechPaused():
            return {"ear": "closing"}
        case ev.SpeechEnded():
            return {"ear": "listening", "thinking": True}
    return None


def _words(screen: Screen, event: ev.Event) -> dict[str, Any] | None:
    match event:
        case ev.Transcript(text=text, final=final):
            words = clean(text).strip()
            return {"words": words, "final": final, "thinking": bool(words) and final}
        case ev.Understood(intent=intent):
            return {"words": "", "thinking": False, "turns": screen.turns + 1, **_switches(intent)}
        case ev.TranscriptionFailed() | ev.RecordingFailed():
            return {"words": "", "thinking": False}
        case ev.StopAll():
            return {"words": "", "thinking": False, "saying": "", "speaking": False}
    return None


def _work(screen: Screen, event: ev.Event) -> dict[str, Any] | None:
    match event:
        case ev.JobStarted(job, title=title):
            work = Work(clean(title), screen.at)
            return {"jobs": {**screen.jobs, job: work}, "words": "", "thinking": False}
        case ev.JobProgressed(job, text, "step") if job in screen.jobs:
            work = replace(screen.jobs[job], step=clean(text))
            return {"jobs": {**screen.jobs, job: work}}
        case ev.JobAsked():
            return {"questions": {**screen.questions, event.question: event}}
        case ev.Answered(question) | ev.QuestionWithdrawn(question):
            return {"questions": {n: asked for n, asked in screen.questions.items() if n != question}}
        case ev.JobFinished(job, outcome):
            return _ended(screen, job, outcome)
        case ev.JobFailed(job, outcome=maybe) | ev.JobStopped(job, outcome=maybe):
            return _ended(screen, job, maybe)
    return None


def _mouth(screen: Screen, event: ev.Event) -> dict[str, Any] | None:
    match event:
        case ev.SayStarted(text=text):
            words = {"words": "", "thinking": False} if screen.final else {}
            return {"saying": clean(text), "speaking": True, **words}
        case ev.SayFinished():
            return {"speaking": False}
    return None


def _switches(intent: Intent) -> dict[str, Any]:
    match intent.action:
        case Action.MUTE:
            return {"muted": True}
        case Action.UNMUTE:
            return {"muted": False}
        case _:
            return {}


def _ended(screen: Screen, job: int, outcome: ev.Outcome | None) -> dict[str, Any]:
    return {
        "jobs": {number: work for number, work in screen.jobs.items() if number != job},
        "questions": {number: asked for number, asked in screen.questions.items() if asked.job != job},
        "cost_usd": screen.cost_usd + (outcome.cost_usd if outcome else 0.0),
    }
