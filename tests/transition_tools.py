"""A state machine that is fed by hand."""

from __future__ import annotations

from mybro import events as ev
from mybro.intent import Action, Intent
from mybro.pipeline import effects as do
from mybro.pipeline.state import State
from mybro.pipeline.transition import transition

RUN_TESTS = Intent(kind="local", action=Action.TEST, text="run the tests")
PUSH = Intent(
    kind="local",
    action=Action.PUSH,
    text="force push",
    risk="destructive",
    needs_confirmation=True,
    target="main",
)
YES = Intent(kind="control", action=Action.YES, text="yes")
NO = Intent(kind="control", action=Action.NO, text="no")
OUTCOME = ev.Outcome("12 passed")


class Run:
    """Feeds events and carries out `Post`, as the loop does; every other effect is kept."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self.effects: list[do.Effect] = []

    def feed(self, *events: ev.Event) -> list[do.Effect]:
        """The effects of these events alone, in order."""
        since = len(self.effects)
        pending = list(events)
        while pending:
            self.state, effects = transition(self.state, pending.pop(0))
            posted = [effect.event for effect in effects if isinstance(effect, do.Post)]
            pending[:0] = posted
            self.effects += [effect for effect in effects if not isinstance(effect, do.Post | do.GiveWay)]
        return self.effects[since:]

    def hear(self, turn: int, text: str, start: int = 0) -> list[do.Effect]:
        """A sentence from its first sound to its recorded transcript."""
        since = len(self.effects)
        self.feed(ev.SpeechStarted(turn, start))
        paused = self.feed(ev.SpeechPaused(turn, utterance(start)))
        request = next(effect.request for effect in paused if isinstance(effect, do.Transcribe))
        self.feed(ev.Transcribed(turn, request, text, "test"), ev.SpeechEnded(turn, utterance(start)))
        self.feed(ev.Recorded(turn))
        return self.effects[since:]

    def job(self) -> int:
        return next(iter(self.state.jobs))


def utterance(start: int = 0, length: int = 16000) -> ev.Utterance:
    return ev.Utterance(ev.AudioBlock(start, bytes(2 * length)), start, start + length - 2560)


def kinds(effects: list[do.Effect]) -> list[str]:
    return [type(effect).__name__ for effect in effects]


def said(effects: list[do.Effect]) -> list[str]:
    return [effect.text for effect in effects if isinstance(effect, do.Say)]


def started(run: Run, intent: Intent = RUN_TESTS, turn: int = 1) -> int:
    """Bring a run to a job at work; returns the job's number."""
    run.hear(turn, intent.text)
    run.feed(ev.Understood(turn, intent))
    job = run.job()
    run.feed(ev.JobStarted(job, turn, "running the tests"))
    return job
