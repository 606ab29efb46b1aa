"""Whatever happens in whatever order, the state machine keeps its promises."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mybro import events as ev
from mybro.errors import Problem
from mybro.intent import CONTROL, Action, Arguments, Intent, Kind
from mybro.pipeline import effects as do
from mybro.pipeline.state import Ear, JobPhase, QuestionPhase, State, TurnPhase
from mybro.pipeline.transition import transition

pytestmark = pytest.mark.unit

TEXTS = st.sampled_from(
    [
        "",
        "stop",
        "run the tests",
        "yes",
        "no",
        "make it faster",
        "twelve tests passed",
        "yes main",
        "undo that",
    ]
)
LEVELS: list[ev.Risk] = ["read", "write", "destructive"]
RISKS = st.sampled_from(LEVELS)
WITHOUT_ACTION: list[Kind] = ["task", "question", "chat"]


@st.composite
def intents(draw: st.DrawFn) -> Intent:
    action = draw(st.none() | st.sampled_from(Action))
    risk = draw(RISKS)
    kind: Kind
    if action is None:
        kind = draw(st.sampled_from(WITHOUT_ACTION))
    else:
        kind = "control" if action in CONTROL else "local"
    return Intent(
        kind=kind,
        action=action,
        arguments=Arguments(count=draw(st.none() | st.integers(1, 3))),
        target=draw(st.none() | st.just("main")),
        risk=risk,
        needs_confirmation=kind != "control" and (risk == "destructive" or draw(st.booleans())),
        text=draw(st.sampled_from(["yes", "yes main", "something"])),
    )


class Conversation(RuleBasedStateMachine):
    """A person, a recogniser, a journal, jobs and a voice, all answering when and how they like."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.turn = 0
        self.hand_question = 1
        self.sample = 0
        self.asked: list[do.Transcribe] = []
        self.recorded: set[int] = set()
        self.unrecorded: list[int] = []
        self.understanding: list[int] = []
        self.started: Counter[int] = Counter()
        self.jobs: list[int] = []
        self.stopped_jobs: set[int] = set()
        self.confirmed: set[int] = set()
        self.speeches: list[do.Say] = []
        self.numbers: list[int] = []

    def feed(self, event: ev.Event) -> None:
        before = self.state
        self.state, effects = transition(before, event)
        assert transition(before, event) == (self.state, effects), "the same again gives the same"
        assert self.state.generation >= before.generation
        for effect in effects:
            self.keep(effect)

    def keep(self, effect: do.Effect) -> None:
        match effect:
            case do.Post(event):
                self.feed(event)
            case do.Transcribe():
                self.numbers.append(effect.request)
                self.asked.append(effect)
            case do.Acknowledge(turn):
                self.unrecorded.append(turn)
            case do.Understand(turn):
                assert turn in self.recorded, "nothing is thought about before it is on disk"
                self.understanding.append(turn)
            case do.StartJob(job, turn):
                self.numbers.append(job)
                self.started[turn] += 1
                assert self.started[turn] == 1, "a turn is started once"
                self.jobs.append(job)
            case do.TakeBack(job):
                self.numbers.append(job)
                self.jobs.append(job)
            case do.StopJobs(jobs):
                self.stopped_jobs |= set(jobs)
            case do.Say():
                self.numbers.append(effect.speech)
                self.speeches.append(effect)

    # ------------------------------------------------------------------ the person

    @precondition(lambda self: self.state.ear not in (Ear.HEARING, Ear.CLOSING))
    @rule(length=st.integers(0, 90000))
    def begins(self, length: int) -> None:
        self.turn += 1
        self.sample += length
        self.feed(ev.SpeechStarted(self.turn, self.sample))

    @precondition(lambda self: self.state.ear is Ear.HEARING)
    @rule()
    def speaks_on(self) -> None:
        self.feed(ev.SpeechSustained(self.turn, self.sample))

    def spoken(self) -> ev.Utterance:
        self.sample += 8000
        return ev.Utterance(ev.AudioBlock(0, bytes(2 * self.sample)), 0, self.sample)

    @precondition(lambda self: self.state.ear is Ear.HEARING)
    @rule()
    def pauses(self) -> None:
        self.feed(ev.SpeechPaused(self.turn, self.spoken()))

    @precondition(lambda self: self.state.ear is Ear.CLOSING)
    @rule()
    def goes_on(self) -> None:
        self.feed(ev.SpeechResumed(self.turn, self.sample))

    @precondition(lambda self: self.state.ear in (Ear.HEARING, Ear.CLOSING))
    @rule()
    def ends(self) -> None:
        self.feed(ev.SpeechEnded(self.turn, self.spoken()))

    @rule(text=TEXTS)
    def types(self, text: str) -> None:
        self.turn += 1
        self.feed(ev.Typed(self.turn, text))

    @rule()
    def presses_stop(self) -> None:
        self.feed(ev.StopAll())

    # ------------------------------------------------------------------ the stages

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), text=TEXTS)
    def recogniser_answers(self, data: st.DataObject, text: str) -> None:
        asked = data.draw(st.sampled_from(self.asked))
        self.feed(ev.Transcribed(asked.turn, asked.request, text, "test"))

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def recogniser_fails(self, data: st.DataObject) -> None:
        asked = data.draw(st.sampled_from(self.asked))
        self.feed(ev.TranscriptionFailed(asked.turn, asked.request, Problem("worker_died", "It died")))

    @precondition(lambda self: self.unrecorded)
    @rule()
    def journal_answers(self) -> None:
        turn = self.unrecorded.pop(0)
        self.recorded.add(turn)
        self.feed(ev.Recorded(turn))

    @precondition(lambda self: self.understanding)
    @rule(data=st.data(), intent=intents())
    def brain_answers(self, data: st.DataObject, intent: Intent) -> None:
        self.feed(ev.Understood(data.draw(st.sampled_from(self.understanding)), intent))

    @precondition(lambda self: self.jobs)
    @rule(
        data=st.data(),
        kind=st.sampled_from(["start", "step", "ask", "finish", "fail", "stop", "queue"]),
        risk=RISKS,
    )
    def a_job_reports(self, data: st.DataObject, kind: str, risk: ev.Risk) -> None:
        job = data.draw(st.sampled_from(self.jobs))
        match kind:
            case "start":
                self.feed(ev.JobStarted(job, 0, "working"))
            case "step":
                self.feed(ev.JobProgressed(job, "editing"))
            case "ask":
                self.feed(
                    ev.JobAsked(job, self.hand_question, "permission", "May it?", risk=risk, object="main")
                )
                self.hand_question += 2
            case "finish":
                self.feed(ev.JobFinished(job, ev.Outcome("Done")))
            case "fail":
                self.feed(ev.JobFailed(job, Problem("x", "It failed")))
            case "stop":
                self.feed(ev.JobStopped(job))
            case "queue":
                self.feed(ev.JobQueued(job))

    @precondition(lambda self: self.speeches)
    @rule(data=st.data(), ends=st.booleans())
    def the_voice_reports(self, data: st.DataObject, ends: bool) -> None:
        say = data.draw(st.sampled_from(self.speeches))
        self.feed(ev.SayFinished(say.speech) if ends else ev.SayStarted(say.speech, say.text))

    @precondition(lambda self: self.state.questions)
    @rule(data=st.data(), yes=st.booleans())
    def a_key_answers(self, data: st.DataObject, yes: bool) -> None:
        self.feed(ev.Answered(data.draw(st.sampled_from(list(self.state.questions))), yes, by="key"))

    # ------------------------------------------------------------------ promises

    @invariant()
    def one_question_is_asked_at_a_time(self) -> None:
        spoken = [q for q in self.state.questions.values() if q.phase is QuestionPhase.SPOKEN]
        assert len(spoken) <= 1

    @invariant()
    def no_question_outlives_its_job_or_turn(self) -> None:
        for question in self.state.questions.values():
            if question.job is not None:
                assert self.state.jobs[question.job].phase is not JobPhase.STOPPING
            else:
                assert question.turn is not None
                assert self.state.turns[question.turn].phase is TurnPhase.ASKING

    @invariant()
    def a_turn_that_asks_has_a_question(self) -> None:
        asking = {turn.number for turn in self.state.turns.values() if turn.phase is TurnPhase.ASKING}
        assert asking == {question.turn for question in self.state.questions.values()} - {None}

    @invariant()
    def the_voice_is_cut_only_while_somebody_may_have_meant_something(self) -> None:
        waiting = [turn for turn in self.state.turns.values() if turn.phase is TurnPhase.HEARD]
        assert waiting or not self.state.cut

    @invariant()
    def a_stopped_job_never_works_again(self) -> None:
        for number in self.stopped_jobs & set(self.state.jobs):
            assert self.state.jobs[number].phase is JobPhase.STOPPING

    @invariant()
    def no_number_is_used_twice(self) -> None:
        assert len(set(self.numbers)) == len(self.numbers)


Conversation.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestConversation = Conversation.TestCase
