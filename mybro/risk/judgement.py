"""The risk of an intent, by its action or else by its words."""

from __future__ import annotations

from mybro.intent import Action, Intent, Risk
from mybro.risk.clauses import spoken_risk
from mybro.vocabulary import words
from mybro.words import bare, norms

_READS = frozenset(
    {
        Action.TEST, Action.GIT_STATUS, Action.DIFF, Action.DOCTOR, Action.FIND_USAGES, Action.CHANGES,
        Action.EXPLAIN_FINDING, Action.OUTDATED, Action.AUDIT, Action.SWITCH_REPOSITORY, Action.SWITCH_AGENT,
    }
)  # fmt: skip
_LEAVES_THE_MACHINE = frozenset({Action.PUSH, Action.PULL_REQUEST})
_KNOWN_PACKAGES = frozenset().union(*(words("packages")[place] for place in ("pypi", "npm", "crates")))
_WRITING_CONTROLS = frozenset({Action.UNDO, Action.REDO})


def judge(intent: Intent) -> Intent:
    """The intent with `risk` and `needs_confirmation` set from what it asks for.

    A model may raise the risk to destructive, never lower it. Judging twice changes nothing.
    """
    risk, ask = _judge_action(intent) if intent.action is not None else _judge_words(intent)
    if intent.source in ("claude", "openai") and intent.action is None and intent.risk == "destructive":
        risk, ask = "destructive", True
    if (risk, ask) == (intent.risk, intent.needs_confirmation):
        return intent
    return intent.model_copy(update={"risk": risk, "needs_confirmation": ask})


def _judge_action(intent: Intent) -> tuple[Risk, bool]:
    action = intent.action
    if intent.kind == "control":
        return ("write" if action in _WRITING_CONTROLS else "read"), False
    if action in _LEAVES_THE_MACHINE:
        return ("destructive" if spoken_risk(intent.text) == "destructive" else "write"), True
    if action is Action.ADD_PACKAGE:  # a name that was heard wrong may be anybody's program
        return "write", not set((intent.arguments.name or "?").split()) <= _KNOWN_PACKAGES
    if action is Action.NEW_PROJECT:  # outside the repository
        return "write", True
    if action is Action.FIX_FINDINGS and intent.arguments.name is not None:
        return "write", True
    if action is Action.BRANCH and intent.arguments.branch is None and not _creates(intent.text):
        return "read", False
    return ("read" if action in _READS else "write"), False


def _creates(text: str) -> bool:
    return bool({"new", "create", "make", "start", "off", "out"} & set(norms(text))) or bare(norms(text)) == [
        "branch"
    ]


def _judge_words(intent: Intent) -> tuple[Risk, bool]:
    asked_to_do = intent.kind == "task"
    found = spoken_risk(intent.text, asked_to_do=asked_to_do)
    if found == "destructive":
        return "destructive", True
    if found == "sends":
        return "write", True
    return ("write" if asked_to_do else "read"), False
