"""How dangerous a spoken request is: judged here from the words, whatever a model said.

Reading and testing need no question. An edit inside the repository needs none either: a checkpoint stands
before it. What leaves the machine (a push, a pull request, a deployment) or cannot be brought back (a
branch, a database, history, files elsewhere) is read back and waits for a yes. A plain push is a `write`
that waits, since it cannot be taken back; a forced one is `destructive`.

Only the words are judged. A command that a coding session wants to run is judged again when it does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from mybro.intent import Action, Intent, Risk
from mybro.vocabulary import lines, words
from mybro.words import bare, join, leads, norms, split, tails

_WORDS = words("risk")
_DESTROY = _WORDS["DESTROY"]
_DESTROY_ANYTHING = _WORDS["DESTROY_ANYTHING"]
_SEND = _WORDS["SEND"]
_SPEND = _WORDS["SPEND"]
_REWRITE = _WORDS["REWRITE"]
_SYSTEM = _WORDS["SYSTEM"]
_LASTING = _WORDS["LASTING"]
_PRONOUNS = _WORDS["PRONOUNS"]
_CODE = _WORDS["CODE"]
_WRITERS = _WORDS["WRITERS"]
_RUNNERS = _WORDS["RUNNERS"]
_ADVERBS_BEFORE = _WORDS["ADVERBS_BEFORE"]
_GERUND_AFTER = _WORDS["GERUND_AFTER"]
_NEGATIONS = _WORDS["NEGATIONS"]
_PREPOSITIONS = _WORDS["PREPOSITIONS"]
_CODE_BRANCHES = _WORDS["CODE_BRANCHES"]
_PUSHED = _WORDS["PUSHED"]
_REVEALERS = _WORDS["REVEALERS"]
_WEAK = _WORDS["WEAK"]
_VITAL = _WORDS["VITAL"]
_PLACES = _WORDS["PLACES"]
_BRANCH_PARTS = _WORDS["BRANCH_PARTS"]
_LABELS = _WORDS["LABELS"]
_SECRETS = _WORDS["SECRETS"]

Found = Literal["none", "sends", "destructive"]

_PATTERNS = lines("risk")
_PHRASES = re.compile(r"\b(" + "|".join(_PATTERNS["PHRASES"]) + r")(?!\S)")
_OUTSIDE = re.compile("|".join(_PATTERNS["OUTSIDE"]))
_PROPOSES = re.compile(
    r"\b(open|create|make|file|raise|submit|send)( (a|an|the|another|new|my|draft|github)){0,4}"
    r" (pull request|pr|issue|merge request|release|gist|ticket)s?(?!\S)"
)
_ARTICLES = frozenset({"the", "a", "an", "my", "our", "your", "his", "her", "their", "its"})
_PARTICLES = frozenset({"up", "out", "off", "down", "of", "away"})
_ANSWERS = frozenset({"yes", "yeah", "yep", "no", "nope", "sure", "wait", "definitely", "absolutely"})
_LIVE = frozenset({"production", "prod", "live"})
_CODE_AFTER = tuple([word] for word in _CODE)
_BARE = frozenset({"delete", "drop", "discard", "kill", "overwrite", "trash", "reset"})
_WHOLES = frozenset(
    {"files", "file", "folders", "folder", "code", "codebase", "directory", "directories", "thing"}
)
_VERBS = _DESTROY | _SEND | _SPEND | _REWRITE | {"push"}
_BASE = {
    **{verb + "ing": verb for verb in _VERBS},
    **{verb[:-1] + "ing": verb for verb in _VERBS if verb.endswith("e")},
    **{verb + verb[-1] + "ing": verb for verb in _VERBS},
    "deleted": "delete", "dilete": "delete", "pushed": "push",
}  # fmt: skip

_READS = frozenset(
    {
        Action.TEST, Action.GIT_STATUS, Action.DIFF, Action.DOCTOR, Action.FIND_USAGES,
        Action.SWITCH_REPOSITORY, Action.SWITCH_AGENT,
    }
)  # fmt: skip
_LEAVES_THE_MACHINE = frozenset({Action.PUSH, Action.PULL_REQUEST})
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
        return ("destructive" if _spoken_risk(intent.text) == "destructive" else "write"), True
    if action is Action.BRANCH and intent.arguments.branch is None and not _creates(intent.text):
        return "read", False
    return ("read" if action in _READS else "write"), False


def _creates(text: str) -> bool:
    return bool({"new", "create", "make", "start", "off", "out"} & set(norms(text))) or bare(norms(text)) == [
        "branch"
    ]


def _judge_words(intent: Intent) -> tuple[Risk, bool]:
    asked_to_do = intent.kind == "task"
    found = _spoken_risk(intent.text, asked_to_do=asked_to_do)
    if found == "destructive":
        return "destructive", True
    if found == "sends":
        return "write", True
    return ("write" if asked_to_do else "read"), False


_CLAUSES = re.compile(
    r"[.!?;,:]+(?:\s+|$)"
    r"|(?:^|\s)(?:and then|and|then|but|so|or|plus|after that|afterwards|before|after|once"
    r"|followed by|while|because)(?=\s)",
    re.IGNORECASE,
)
_WINDOW, _STEP = 48, 36


def _spoken_risk(text: str, *, asked_to_do: bool = True) -> Found:
    """The worst of all clauses: each is judged by its verb and by what the verb is applied to."""
    worst: Found = "none"
    written = False
    for clause in _CLAUSES.split(text):
        words = norms(clause)
        for start in range(0, max(1, len(words) - (_WINDOW - _STEP)), _STEP):
            found, writes = _Clause(words[start : start + _WINDOW], asked_to_do).judge()
            if written and found == "none" and set(words[:3]) & _RUNNERS:
                found = "destructive"
            written = written or writes
            if found == "destructive":
                return "destructive"
            worst = found if found != "none" else worst
    return worst


class _Clause:
    """One clause of a sentence."""

    def __init__(self, words: list[str], asked_to_do: bool) -> None:
        self.said = " ".join(words)
        while len(words) > 1 and words[0] in _ANSWERS:
            words = words[1:]
        self.words = bare(words) if words else []
        self.line = " ".join(self.words)
        self.asked = asked_to_do
        self.writer = bool(self.words) and self.words[0] in _WRITERS

    def judge(self) -> tuple[Found, bool]:
        """What the clause does, and whether it writes code that would do something destructive."""
        if not self.words:
            return "none", False
        if self._phrase(_PHRASES) or (self.asked and _OUTSIDE.search(self.said)):
            return "destructive", False
        worst: Found = "none"
        written = False
        for at in range(len(self.words)):
            if self._requested(at):
                found = self._verb(at)
                if found == "destructive":
                    return found, False
                worst = found if found != "none" else worst
            elif self.writer and self.words[at - 1] in ("to", "that") and self._verb(at) == "destructive":
                written = True
        return ("sends" if self._phrase(_PROPOSES) else worst), written

    def _phrase(self, pattern: re.Pattern[str]) -> bool:
        anywhere = self.asked and not self.writer
        line = self.said if anywhere else self.line
        match = pattern.search(line) if anywhere else pattern.match(line)
        if match is None:
            return False
        before = line[: match.start()].split()[-1:]
        after = line[match.end() :].split()[:1]
        return not (set(before) & _NEGATIONS or set(after) & _CODE)

    def _requested(self, at: int) -> bool:
        """Whether the word stands where a request has its verb."""
        words = self.words
        before = words[at - 1] if at else ""
        if before in _NEGATIONS or (before == "not" and words[at - 2 : at - 1] != ["why"] and at > 1):
            return False
        if all(word in _ADVERBS_BEFORE or word.endswith("ly") for word in words[:at]):
            return True
        if not self.asked or self.writer:
            return False
        if words[at].endswith("ing"):
            return before in _GERUND_AFTER
        return (
            before in _ADVERBS_BEFORE
            or before.endswith("ly")
            or (words[at] in _SYSTEM and before in _RUNNERS)
        )

    def _verb(self, at: int) -> Found:
        verb = _BASE.get(self.words[at], self.words[at])
        rest = self.words[at + 1 :]
        if rest and rest[0] in _CODE and verb not in _SYSTEM:
            return "none"  # "delete button", "release notes": a thing, not a request
        if (
            verb in _SYSTEM
            or (verb in _DESTROY and _destroys(verb, rest))
            or (verb in _REVEALERS and _secret(rest))
        ):
            return "destructive"
        if verb in _SEND | _SPEND | _REWRITE and rest[:1] != ["attention"]:
            return "destructive"
        plain = [word for word in rest if word not in _ARTICLES]
        if verb == "push" and (not plain or plain[0] in _PUSHED or plain[-1:] in (["branch"], ["commits"])):
            return "sends"
        return "none"


def _destroys(verb: str, rest: Sequence[str]) -> bool:
    rest = [word for word in rest if word not in _ARTICLES]
    while rest and rest[0] in _PARTICLES:
        rest = rest[1:]
    at = next((at for at, word in enumerate(rest) if word in _PREPOSITIONS), len(rest))
    things, place = rest[:at], rest[at + 1 :]
    if any(word in _LIVE and place[n + 1 : n + 2] not in _CODE_AFTER for n, word in enumerate(place)):
        return True
    if not things:
        return verb in _DESTROY_ANYTHING | _BARE if not place else bool(_lasting(place, _LASTING))
    if set(things) <= _PRONOUNS:
        everything = bool({"everything", "all"} & set(things))
        return everything or verb in _DESTROY_ANYTHING | _BARE or bool(_lasting(place, _PLACES))
    if "dot" in things or any("." in thing[1:] for thing in things):
        return "env" in things  # a file of the repository, where a checkpoint holds it
    if {"git", ".git", ".env"} & set(things) and things[-1] not in _CODE:
        return True
    if things[0] in _LABELS or (things[-1] in _CODE and "branch" not in things[:-1]):
        return False
    if verb in _DESTROY_ANYTHING or (verb == "kill" and things[-1] != "switch"):
        return True
    if {"all", "every", "entire", "whole"} & set(things) and things[-1] in _WHOLES:
        return True
    if verb in _WEAK:
        return _lasting(things, _VITAL) or _lasting(place, _VITAL)
    return _lasting(things, _LASTING) or _lasting(place, _PLACES)


def _lasting(words: Sequence[str], things: frozenset[str]) -> bool:
    """Whether one of `things` is named for itself: "the database", but not "the database class"."""
    for at, word in enumerate(words):
        after = words[at + 1 : at + 2]
        if word not in things:
            continue
        if word in ("branch", "branches"):
            other = bool(set(after) & _BRANCH_PARTS) or (at > 0 and words[at - 1] in _CODE_BRANCHES)
        else:
            other = bool(set(after) & _CODE) or (bool(after) and word in ("main", "master", "head"))
        if not other:
            return True
    return False


def _secret(rest: Sequence[str]) -> bool:
    line = " ".join(rest) + " "
    for secret in _SECRETS:
        at = (" " + line).find(" " + secret + " ")
        if at >= 0 and not set(line[at + len(secret) :].split()[:1]) & _CODE:
            return True
    return False


def readback(intent: Intent) -> str:
    """What is about to happen, as a short sentence to speak, and how to agree to it."""
    return f"{_summary(intent)}. Say yes to go on."


def _summary(intent: Intent) -> str:
    arguments = intent.arguments
    if intent.action is Action.PUSH:
        where = " ".join(filter(None, ["to", arguments.remote or "", arguments.branch or ""]))
        return "Push" if where == "to" else f"Push {where}"
    if intent.action is Action.PULL_REQUEST:
        return "Open a pull request" + (f" titled {arguments.message}" if arguments.message else "")
    if intent.action is not None and intent.action is not Action.COMMIT:
        return _sentence(" ".join(filter(None, [intent.action.replace("_", " "), intent.target or ""])))
    words = split(intent.text)
    *_, lead = leads([word.norm for word in words])
    *_, tail = tails([word.norm for word in words[lead:]])
    spoken = join(words[lead : len(words) - tail])
    if intent.target and intent.target.casefold() not in spoken.casefold():
        spoken = f"{spoken} ({intent.target})"
    return _sentence(spoken)


def _sentence(words: str, longest: int = 20) -> str:
    parts = words.split()
    short = " ".join(parts[:longest]) + (" and so on" if len(parts) > longest else "")
    return short[:1].upper() + short[1:]
