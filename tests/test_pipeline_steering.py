"""What one sentence does to work under way: stop it, add to it, ask about it."""

from __future__ import annotations

import pytest

from mybro import events as ev
from mybro.errors import Problem
from mybro.intent import Action, Intent
from mybro.pipeline import effects as do
from tests.transition_tools import Run, kinds, said, started

pytestmark = pytest.mark.unit


def test_a_stop_is_told_once_all_of_it_is_carried_out() -> None:
    run = Run()
    effects = run.feed(ev.StopAll())
    assert do.Sweep(()) in effects
    assert "Say" not in kinds(effects)
    assert run.state.sweeping == 1
    assert said(run.feed(ev.Swept(0))) == ["Nothing is running."]
    assert run.state.sweeping == 0
    job = started(run)
    assert do.Sweep((job,)) in run.feed(ev.StopAll())
    assert said(run.feed(ev.JobStopped(job))) == ["Stopped."]
    assert said(run.feed(ev.Swept(1))) == []
    run.feed(ev.StopAll())
    left = ev.Swept(0, ("python3 -m http.server", "node"))
    assert said(run.feed(left)) == [
        "Ended what an earlier job had left running: python3 -m http.server and node."
    ]


def task(text: str, **more: object) -> Intent:
    return Intent.model_validate({"kind": "task", "text": text, **more})


def at_work(run: Run, agent: str = "", turn: int = 1) -> int:
    """Bring a task to where it runs; returns its job's number."""
    since = len(run.effects)
    run.hear(turn, "write a parser", start=turn * 100_000)
    run.feed(ev.Understood(turn, task("write a parser")))
    job = number_of(run.effects[since:])
    run.feed(ev.JobStarted(job, turn, "writing a parser", agent=agent))
    return job


def understand(run: Run, turn: int, intent: Intent) -> list[do.Effect]:
    since = len(run.effects)
    run.hear(turn, intent.text, start=turn * 100_000)
    run.feed(ev.Understood(turn, intent))
    return run.effects[since:]


def number_of(effects: list[do.Effect]) -> int:
    return next(effect.job for effect in effects if isinstance(effect, do.StartJob))


MORE = task("and also write a test for it")
WHY = Intent(kind="question", text="why", agent="parser")


@pytest.mark.parametrize("by_name", [False, True])
def test_a_correction_goes_to_who_is_corrected(by_name: bool) -> None:
    run = Run()
    parser, docs = at_work(run, "parser agent", 1), at_work(run, "docs agent", 2)
    to_whom = {"agent": "parser"} if by_name else {}
    effects = understand(run, 3, task("no, write a scanner instead", **to_whom))
    assert do.StopJobs((parser if by_name else docs,)) in effects
    (begun,) = (effect for effect in effects if isinstance(effect, do.StartJob))
    assert begun.intent.agent == ("parser" if by_name else "docs")


def test_a_correction_of_who_does_nothing_stops_nobody() -> None:
    run = Run()
    at_work(run, "docs agent", 1)
    effects = understand(run, 2, task("no, write a scanner instead", agent="parser"))
    assert not [effect for effect in effects if isinstance(effect, do.StopJobs)]
    run = Run()
    job = at_work(run)
    effects = understand(run, 2, task("no, write a scanner instead", agent="1"))
    assert do.StopJobs((job,)) in effects


@pytest.mark.parametrize(("intent", "told"), [(MORE, "Added to the work."), (WHY, "Passed on.")])
def test_what_is_said_meanwhile_becomes_part_of_the_work(intent: Intent, told: str) -> None:
    run = Run()
    host = at_work(run)
    effects = understand(run, 2, intent)
    job = number_of(effects)
    assert do.StartJob(job, 2, intent, adds=True) in effects
    assert said(effects) == []
    assert said(run.feed(ev.JobAdded(job, host))) == [told]
    assert list(run.state.jobs) == [host]
    assert said(run.feed(ev.JobAnswered(job, "Because it is faster."))) == ["Because it is faster."]
    assert said(run.feed(ev.JobFinished(host, ev.Outcome("Done")), ev.JobFinished(job, ev.Outcome("")))) == [
        "Done."
    ]


def test_findings_that_an_agent_mends_can_be_added_to() -> None:
    run = Run()
    mending = Intent(kind="local", action=Action.DELEGATE_FINDINGS, text="let Claude fix the rest")
    run.feed(ev.JobStarted(number_of(understand(run, 1, mending)), 1, "mending"))
    effects = understand(run, 2, MORE)
    assert do.StartJob(number_of(effects), 2, MORE, adds=True) in effects


def test_what_cannot_be_added_comes_next_and_says_so() -> None:
    run = Run()
    at_work(run)
    job = number_of(understand(run, 2, MORE))
    assert said(run.feed(ev.JobQueued(job))) == ["That comes next, once this is done."]
    assert said(run.feed(ev.JobStarted(job, 2, "x"))) == []
    run = Run()
    at_work(run)
    job = number_of(understand(run, 2, MORE))
    assert said(run.feed(ev.JobStarted(job, 2, "x"))) == ["On it."], "another agent had nothing to do"


def test_without_work_it_is_a_job_as_any_other() -> None:
    effects = understand(Run(), 1, MORE)
    assert said(effects) == ["On it."]
    assert not next(effect for effect in effects if isinstance(effect, do.StartJob)).adds


def asked(run: Run, job: int, agent: str, question: int = 7) -> None:
    run.feed(ev.JobAsked(job, question, "permission", "Delete it?", object="build", risk="destructive",
                         agent=agent, timeout_s=120.0))  # fmt: skip
    speech = next(effect.speech for effect in reversed(run.effects) if isinstance(effect, do.Say))
    run.feed(ev.SayStarted(speech, "Delete it?"), ev.SayFinished(speech))


def answers(run: Run, turn: int, text: str, **more: object) -> bool:
    """Whether a yes in these words is taken for one."""
    intent = Intent.model_validate({"kind": "control", "action": Action.YES, "text": text, **more})
    return "Answer" in kinds(understand(run, turn, intent))


def test_a_destructive_yes_names_who_asks_where_several_are_at_work() -> None:
    run = Run()
    at_work(run, "parser agent", 1)
    asked(run, at_work(run, "docs agent", 2), "docs agent")
    assert not answers(run, 3, "yes, build")
    assert said(run.effects)[-1] == "To be safe, say yes, docs agent, build."
    assert not answers(run, 4, "yes parser agent, delete build")
    assert not answers(run, 5, "yes build", agent="parser")
    assert answers(run, 6, "yes docs agent, delete build")


def test_with_one_at_work_the_object_is_enough() -> None:
    run = Run()
    asked(run, at_work(run, "docs agent"), "docs agent")
    assert answers(run, 3, "yes, delete build")


def test_a_questions_time_counts_from_when_it_was_heard_and_its_end_is_a_no() -> None:
    run = Run()
    job = at_work(run)
    run.feed(ev.JobAsked(job, 7, "permission", "May I?", timeout_s=120.0))
    assert "SetTimer" not in kinds(run.effects)
    speech = next(effect.speech for effect in reversed(run.effects) if isinstance(effect, do.Say))
    assert do.SetTimer("question-7", 120.0) in run.feed(ev.SayStarted(speech, "x"), ev.SayFinished(speech))
    over = run.feed(ev.TimerFired("question-7"))
    assert do.Answer(ev.Answered(7, yes=False, by="timeout")) in over
    assert said(over) == ["Nobody answered, so I said no."]
    assert run.feed(ev.TimerFired("question-7")) == []


def test_news_of_several_agents_waits_and_one_agents_is_an_answer() -> None:
    run = Run()
    first, second = at_work(run, "first agent", 1), at_work(run, "docs agent", 2)
    done = run.feed(ev.JobFinished(first, ev.Outcome("First agent: Done")))
    bad = run.feed(ev.JobFailed(second, Problem("x", "it broke")))
    assert [effect.urgency for effect in [*done, *bad] if isinstance(effect, do.Say)] == ["news", "error"]
    alone = at_work(run, "", 3)
    (told,) = [e for e in run.feed(ev.JobFinished(alone, ev.Outcome("Done"))) if isinstance(e, do.Say)]
    assert told.urgency == "answer"


def test_what_one_agent_does_is_told_of_that_one() -> None:
    run = Run()
    job = at_work(run, "parser agent", 1)
    run.feed(ev.JobStarted(job, 1, "Parser agent: writing", agent="parser agent"))
    status = {"kind": "control", "action": Action.STATUS, "text": "what is it doing"}

    def told(agent: str | None) -> str:
        draft_of = Intent.model_validate({**status, "agent": agent})
        return said(understand(run, 10 + len(run.effects), draft_of))[-1]

    assert told("parser") == "The parser agent: writing."
    run.feed(ev.JobProgressed(job, "editing parser.py"))
    assert told("parser") == "The parser agent: editing parser.py."
    assert told("docs") == "The docs agent is not at work."
    assert told(None) == "The parser agent is editing parser.py."
