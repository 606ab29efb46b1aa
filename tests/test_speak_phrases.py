"""Every action, kind and event has its sentence, and the sentences are short."""

from __future__ import annotations

from typing import get_args

import pytest

from mybro import events as ev
from mybro.errors import Problem
from mybro.intent import CONTROL, Action, Arguments, Intent, Kind, Risk
from mybro.speak import news, phrases

pytestmark = pytest.mark.unit

MOST_WORDS = 15


def intent(
    action: Action | None = None, *, kind: Kind = "task", text: str = "words that were heard",
    target: str | None = None, risk: Risk = "read", reply: str | None = None, **arguments: str | int,
) -> Intent:  # fmt: skip
    if action is not None:
        kind = "control" if action in CONTROL else "local"
    return Intent(
        kind=kind, action=action, text=text, target=target, risk=risk, reply=reply,
        arguments=Arguments.model_validate(arguments),
    )  # fmt: skip


SAID = {
    Action.STOP: "Stopping everything.",
    Action.COSTS: "Telling what it cost.",
    Action.CANCEL: "Cancelling.",
    Action.PAUSE: "Pausing.",
    Action.RESUME: "Going on.",
    Action.MUTE: "Being quiet.",
    Action.UNMUTE: "Speaking again.",
    Action.YES: "Going ahead.",
    Action.NO: "Leaving it.",
    Action.REPEAT: "Saying it again.",
    Action.STATUS: "Telling the status.",
    Action.HELP: "Helping.",
    Action.UNDO: "Undoing the last change.",
    Action.REDO: "Redoing the last change.",
    Action.QUIT: "Quitting.",
    Action.TEST: "Running the tests.",
    Action.LINT: "Checking the code.",
    Action.FORMAT: "Formatting the code.",
    Action.GIT_STATUS: "Looking at the working tree.",
    Action.DIFF: "Showing the diff.",
    Action.COMMIT: "Committing the changes.",
    Action.BRANCH: "Making the branch you named.",
    Action.PUSH: "Pushing.",
    Action.PULL_REQUEST: "Opening a pull request.",
    Action.DOCTOR: "Checking the project's health.",
    Action.EXPLAIN_FINDING: "Explaining what the doctor found.",
    Action.FIX_FINDINGS: "Mending what the doctor found.",
    Action.DELEGATE_FINDINGS: "Having what the doctor found mended.",
    Action.ADD_PACKAGE: "Adding the package you named.",
    Action.REMOVE_PACKAGE: "Removing the package you named.",
    Action.UPGRADE_PACKAGES: "Upgrading all packages.",
    Action.OUTDATED: "Looking for newer versions.",
    Action.AUDIT: "Looking for known weaknesses.",
    Action.NEW_PROJECT: "Making the project you named.",
    Action.RENAME: "Renaming it.",
    Action.FIND_USAGES: "Finding usages of it.",
    Action.CHANGES: "Looking at what changed.",
    Action.SWITCH_REPOSITORY: "Switching to that repository.",
    Action.SWITCH_AGENT: "Switching to that agent.",
}


@pytest.mark.parametrize("action", list(Action))
def test_every_action_has_a_short_sentence_that_repeats_nothing_heard(action: Action) -> None:
    assert phrases.understood(intent(action)) == SAID[action]
    for say in (phrases.understood, phrases.confirm, phrases.offer):
        said = say(intent(action))
        assert len(said.split()) <= MOST_WORDS and said[-1] in ".?" and "heard" not in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (intent(Action.PUSH, remote="origin", branch="main"), "Pushing to origin main."),
        (intent(Action.RENAME, old_name="total", new_name="subtotal"), "Renaming total to subtotal."),
        (intent(Action.FIND_USAGES, symbol="parse_line"), "Finding usages of parse_line."),
        (intent(Action.BRANCH, branch="fix-cart"), "Making the branch fix-cart."),
        (intent(Action.SWITCH_AGENT, name="Bob"), "Switching to Bob."),
        (intent(Action.FIX_FINDINGS, target="number two", number=2), "Mending number two."),
        (intent(Action.FIX_FINDINGS, name="the unsafe ones too"), "Mending the unsafe ones too."),
        (intent(Action.UNDO, count=3), "Undoing the last three changes."),
        (intent(kind="task"), "On it."),
        (intent(kind="task", reply="adding a test"), "Adding a test."),
        (intent(kind="question"), "Let me look."),
        (intent(kind="chat", reply="Good morning!"), "Good morning!"),
        (intent(kind="chat"), "Let me look."),
    ],
)
def test_what_was_understood_is_said_with_its_names(given: Intent, said: str) -> None:
    assert phrases.understood(given) == said


def test_every_kind_has_a_sentence() -> None:
    tried = {"control": intent(Action.STOP), "local": intent(Action.TEST)}
    for kind in get_args(Kind):
        assert phrases.understood(tried.get(kind) or intent(kind=kind))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (intent(Action.PUSH, remote="origin", branch="main"), "Say yes to push to origin main."),
        (
            intent(text="delete the build folder", target="build", risk="destructive"),
            "You said: delete the build folder. Say yes, build, to do it.",
        ),
        (intent(text="tidy up!"), "You said: tidy up. Say yes to do it."),
        (intent(Action.PUSH, target="main", risk="destructive"), "Say yes, main, to push to main."),
    ],
)
def test_what_needs_a_yes_is_read_back(given: Intent, said: str) -> None:
    assert phrases.confirm(given) == said


def test_only_the_read_back_repeats_the_words_of_a_destructive_task() -> None:
    given = intent(text="erase the database", target="database", risk="destructive")
    assert "erase" not in phrases.understood(given)
    assert "erase" in phrases.confirm(given) and "erase" in phrases.offer(given)


def test_a_long_task_is_named_by_its_first_words() -> None:
    given = intent(text="please go through every module of the shop and make all of the names consistent")
    assert phrases.title(given) == "please go through every module of the shop and make all of…"
    assert phrases.title(intent(Action.TEST)) == "running the tests"


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (ev.Outcome("12 passed, 2 failed"), "12 passed, 2 failed."),
        (ev.Outcome(""), "Done."),
        (ev.Outcome("", ok=False), "That did not work out."),
        (ev.Outcome("", changed=("a.py", "b.py")), "Done. Two files changed."),
        (ev.Outcome("Renamed it.", cost_usd=0.04), "Renamed it. That cost 4 cents."),
        (ev.Outcome("Renamed it.", cost_usd=0.004), "Renamed it."),
    ],
)
def test_what_came_out(outcome: ev.Outcome, said: str) -> None:
    assert phrases.finished(outcome) == said


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        (0.0, "That cost nothing."), (0.001, "That cost less than a cent."), (0.01, "That cost 1 cent."),
        (0.04, "That cost 4 cents."), (0.999, "That cost 1 dollar."), (2.21, "That cost 2 dollars 21 cents."),
    ],
)  # fmt: skip
def test_cost(usd: float, said: str) -> None:
    assert phrases.cost(usd) == said


def test_a_failure_is_said_with_its_remedy() -> None:
    problem = Problem("no_claude", "the Claude CLI is not here", "Install it from npm")
    assert phrases.failed(problem) == "The Claude CLI is not here. Install it from npm."
    assert phrases.failed(Problem("x", "it broke")) == "It broke."


@pytest.mark.parametrize(
    ("jobs", "said"),
    [
        ([], "Nothing is running."),
        (["running the tests"], "Running the tests."),
        (["editing cart.py", "running the tests"], "Two jobs: editing cart.py and running the tests."),
        (["a", "b", "c"], "Three jobs: a, b and c."),
    ],
)
def test_status(jobs: list[str], said: str) -> None:
    assert phrases.status(jobs) == said
    trouble = Problem("silence", "the microphone is silent")
    assert phrases.status(jobs, paused=True, trouble=trouble) == f"{said} Paused. The microphone is silent."


def test_short_news_is_joined_and_much_news_is_counted() -> None:
    assert news.merged(["12 passed."]) == "12 passed."
    assert news.merged(["12 passed.", "Formatted."]) == "12 passed. Formatted."
    many = ["One thing.", "Another thing.", "The third thing."]
    assert news.merged(many) == "Three jobs are done. The last: The third thing."
    assert news.merged(many, failures=True).startswith("Three jobs failed.")
    agents = ["Second agent: It runs.", "Parser agent: It parses."]
    assert news.merged(agents) == "Two agents are done: second and parser. Parser agent: It parses."
    assert news.merged(agents, failures=True).startswith("Two agents have failed: second and parser.")
    assert news.merged([agents[0], "Formatted."]) == "Second agent: It runs. Formatted."


OUTCOME = ev.Outcome("12 passed, 2 failed", ok=False)
NEWS: dict[type, str] = {
    ev.JobAsked: "It wants to run npm install.",
    ev.JobFinished: "12 passed, 2 failed.",
    ev.JobFailed: "It broke.",
}
EXAMPLES: tuple[ev.Event, ...] = (
    ev.JobAsked(1, 2, "permission", "It wants to run npm install"),
    ev.JobFinished(1, OUTCOME),
    ev.JobFailed(1, Problem("x", "it broke")),
    ev.JobStopped(1),
    ev.JobProgressed(1, "editing"),
    ev.StopAll(),
)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_news_is_what_a_person_elsewhere_waits_for(event: ev.Event) -> None:
    assert news.news(event) == NEWS.get(type(event))


@pytest.mark.parametrize(
    "say",
    [
        phrases.help_sentence, phrases.paused, phrases.resumed, phrases.muted, phrases.unmuted,
        phrases.nothing_said, phrases.nothing_asked, phrases.nothing_to_stop, phrases.withdrawn,
        phrases.left_alone, phrases.goodbye, phrases.stopped,
    ],
)  # fmt: skip
def test_fixed_sentences_are_short(say: object) -> None:
    assert callable(say)
    said = say()
    assert 1 <= len(said.split()) <= MOST_WORDS and said[0].isupper() and said.endswith(".")


def test_stopped_tells_what_had_changed() -> None:
    assert phrases.stopped(ev.Outcome("", changed=("a.py",))) == "Stopped. One file had changed."


@pytest.mark.parametrize(
    ("name", "said"), [("build", "To be safe, say yes, build."), ("", "To be safe, say yes again.")]
)
def test_the_object_is_asked_for(name: str, said: str) -> None:
    assert phrases.repeat_object(name) == said
