"""What is said: short sentences from intents, outcomes and events. Pure functions.

A sentence that is read back before something destructive repeats what was heard; nowhere else is a
transcript spoken as if it were a fact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mybro.errors import Problem
from mybro.events import Outcome
from mybro.intent import Action, Intent
from mybro.speak.amounts import money

Doing = Callable[[Intent], str]


def _named(verb: str, field: str, otherwise: str) -> Doing:
    def doing(intent: Intent) -> str:
        return f"{verb} {getattr(intent.arguments, field) or intent.target or otherwise}"

    return doing


def _push(intent: Intent) -> str:
    given = intent.arguments
    where = " ".join(filter(None, (given.remote, given.branch))) or intent.target
    return f"push to {where}" if where else "push"


def _rename(intent: Intent) -> str:
    given = intent.arguments
    old = given.old_name or intent.target or "it"
    return f"rename {old} to {given.new_name}" if given.new_name else f"rename {old}"


def _steps(verb: str) -> Doing:
    def doing(intent: Intent) -> str:
        count = intent.arguments.count or 1
        return f"{verb} the last change" if count == 1 else f"{verb} the last {number(count)} changes"

    return doing


DEEDS: dict[Action, str | Doing] = {
    Action.STOP: "stop everything",
    Action.CANCEL: "cancel",
    Action.PAUSE: "pause",
    Action.RESUME: "go on",
    Action.MUTE: "be quiet",
    Action.UNMUTE: "speak again",
    Action.YES: "go ahead",
    Action.NO: "leave it",
    Action.REPEAT: "say it again",
    Action.STATUS: "tell the status",
    Action.COSTS: "tell what it cost",
    Action.HELP: "help",
    Action.UNDO: _steps("undo"),
    Action.REDO: _steps("redo"),
    Action.QUIT: "quit",
    Action.TEST: "run the tests",
    Action.LINT: "check the code",
    Action.FORMAT: "format the code",
    Action.GIT_STATUS: "look at the working tree",
    Action.DIFF: "show the diff",
    Action.COMMIT: "commit the changes",
    Action.BRANCH: _named("make the branch", "branch", "you named"),
    Action.PUSH: _push,
    Action.PULL_REQUEST: "open a pull request",
    Action.DOCTOR: "check the project's health",
    Action.EXPLAIN_FINDING: "explain what the doctor found",
    Action.FIX_FINDINGS: _named("mend", "name", "what the doctor found"),
    Action.DELEGATE_FINDINGS: "have what the doctor found mended",
    Action.ADD_PACKAGE: _named("add", "name", "the package you named"),
    Action.REMOVE_PACKAGE: _named("remove", "name", "the package you named"),
    Action.UPGRADE_PACKAGES: _named("upgrade", "name", "all packages"),
    Action.OUTDATED: "look for newer versions",
    Action.AUDIT: "look for known weaknesses",
    Action.NEW_PROJECT: _named("make the project", "name", "you named"),
    Action.RENAME: _rename,
    Action.FIND_USAGES: _named("find usages of", "symbol", "it"),
    Action.CHANGES: "look at what changed",
    Action.SWITCH_REPOSITORY: _named("switch to", "name", "that repository"),
    Action.SWITCH_AGENT: _named("switch to", "name", "that agent"),
}
"""What each action does, as "verb object" in the infinitive: "push to origin main"."""

_PARTICIPLES = {
    "be": "being", "cancel": "cancelling", "commit": "committing", "format": "formatting", "quit": "quitting",
    "run": "running", "stop": "stopping", "tell": "telling", "undo": "undoing", "redo": "redoing",
}  # fmt: skip

_HEARD_WORDS = 12
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def number(count: int) -> str:
    """Small numbers as words."""
    return _NUMBERS[count] if 0 <= count < len(_NUMBERS) else str(count)


def counted(count: int, noun: str) -> str:
    """"one file", "two files"."""  # fmt: skip
    return f"{number(count)} {noun}" if count == 1 else f"{number(count)} {noun}s"


def sentence(words: str) -> str:
    """The words with a capital and a full stop."""
    words = words.strip()
    if words and words[-1] not in ".!?…":
        words += "."
    return words[:1].upper() + words[1:]


def deed(intent: Intent) -> str:
    """What the intent would do, in the infinitive: "run the tests"."""
    if intent.action is not None:
        words = DEEDS[intent.action]
        return words if isinstance(words, str) else words(intent)
    return {"task": "do that", "question": "look into that"}.get(intent.kind, "answer that")


def title(intent: Intent) -> str:
    """A few words that name the work on screen: "running the tests"; a task by its own words."""
    if intent.action is None:
        return _shortened(intent.text)
    verb, _, rest = deed(intent).partition(" ")
    return f"{_participle(verb)} {rest}".rstrip()


def understood(intent: Intent) -> str:
    """What was understood, said the moment the work begins."""
    if intent.reply and intent.kind in ("task", "question", "chat"):
        return sentence(intent.reply)
    match intent.kind:
        case "task":
            return "On it."
        case "question" | "chat":  # chat that has no answer yet is a question, too
            return "Let me look."
        case _:
            return sentence(title(intent))


def redirected() -> str:
    return "Changing course."


def added() -> str:
    """What was said has become part of the work under way."""
    return "Added to the work."


def passed_on() -> str:
    """A question has been put to who is at work."""
    return "Passed on."


def queued() -> str:
    """It could not become part of the work under way."""
    return "That comes next, once this is done."


def confirm(intent: Intent) -> str:
    """The read-back of what waits for a yes. A destructive one asks for its object's name."""
    yes = f"yes, {intent.target}," if intent.risk == "destructive" and intent.target else "yes"
    if intent.action is not None:
        return f"Say {yes} to {deed(intent)}."
    return f"You said: {_shortened(intent.text)}. Say {yes} to do it."


def offer(intent: Intent) -> str:
    """Something accepted before a restart and never begun."""
    what = f"said: {_shortened(intent.text)}" if intent.action is None else f"asked me to {deed(intent)}"
    return f"Earlier you {what}. Do it now?"


def finished(outcome: Outcome) -> str:
    """What came out, and what it cost where that is a cent or more."""
    if outcome.summary.strip():
        said = sentence(outcome.summary)
    elif not outcome.ok:
        said = "That did not work out."
    elif outcome.changed:
        said = f"Done. {sentence(counted(len(outcome.changed), 'file') + ' changed')}"
    else:
        said = "Done."
    return f"{said} {cost(outcome.cost_usd)}" if outcome.cost_usd >= 0.01 else said


def failed(problem: Problem) -> str:
    """What went wrong, and the remedy."""
    return " ".join(sentence(part) for part in (problem.message, problem.hint) if part.strip())


def stopped(outcome: Outcome | None = None) -> str:
    if outcome is not None and outcome.changed:
        return f"Stopped. {sentence(counted(len(outcome.changed), 'file') + ' had changed')}"
    return "Stopped."


def cost(usd: float) -> str:
    """"That cost 4 cents."."""  # fmt: skip
    return f"That cost {money(usd)}."


def status(jobs: Sequence[str], *, paused: bool = False, trouble: Problem | None = None) -> str:
    """What is under way, from the jobs' titles or newest steps."""
    if not jobs:
        said = "Nothing is running."
    elif len(jobs) == 1:
        said = sentence(jobs[0])
    else:
        said = sentence(f"{number(len(jobs))} jobs: {', '.join(jobs[:-1])} and {jobs[-1]}")
    if paused:
        said += " Paused."
    return f"{said} {failed(trouble)}" if trouble else said


def status_of(agent: str, steps: Sequence[str]) -> str:
    """What one agent does."""
    if not steps:
        return f"The {agent} is not at work."
    *most, last = [step.partition(": ")[2] or step for step in steps]
    return sentence(f"the {agent}: {', '.join(most)} and {last}" if most else f"the {agent}: {last}")


def help_sentence() -> str:
    return "Say: run the tests, fix the failing test, show the diff, undo that, or stop."


def paused() -> str:
    return "Paused. Say go on to continue."


def resumed() -> str:
    return "Going on."


def muted() -> str:
    return "Muted."


def unmuted() -> str:
    return "I can speak again."


def nothing_said() -> str:
    return "I have not said anything yet."


def nothing_asked() -> str:
    return "Nothing is waiting for an answer."


def nothing_to_stop() -> str:
    return "Nothing is running."


def ended(what: Sequence[str]) -> str:
    """What a stop found running that a finished job had left."""
    *most, last = what
    named = f"{', '.join(most)} and {last}" if most else last
    return f"Ended what an earlier job had left running: {named}."


def repeat_object(name: str, agent: str = "") -> str:
    """The answer to a bare yes where a destructive deed needs its object named, and the agent if any."""
    named = [part for part in (f"{agent} agent" if agent else "", name) if part]
    return f"To be safe, say {', '.join(['yes', *named])}." if named else "To be safe, say yes again."


def timed_out() -> str:
    return "Nobody answered, so I said no."


def withdrawn() -> str:
    return "Never mind, that question is settled."


def left_alone() -> str:
    return "Left alone."


def goodbye() -> str:
    return "Goodbye."


def _shortened(text: str) -> str:
    words = text.strip().rstrip(".!?").split()
    return " ".join(words) if len(words) <= _HEARD_WORDS else " ".join(words[:_HEARD_WORDS]) + "…"


def _participle(verb: str) -> str:
    return _PARTICIPLES.get(verb, verb.removesuffix("e") + "ing")
