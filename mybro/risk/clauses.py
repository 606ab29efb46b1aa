"""What a sentence asks for, judged clause by clause."""

from __future__ import annotations

import re
from typing import Literal

from mybro.risk.things import ARTICLES, destroys, secret
from mybro.vocabulary import lines, words
from mybro.words import bare, norms

_WORDS = words("risk")
_DESTROY = _WORDS["DESTROY"]
_SEND = _WORDS["SEND"]
_SPEND = _WORDS["SPEND"]
_REWRITE = _WORDS["REWRITE"]
_SYSTEM = _WORDS["SYSTEM"]
_CODE = _WORDS["CODE"]
_WRITERS = _WORDS["WRITERS"]
_RUNNERS = _WORDS["RUNNERS"]
_ADVERBS_BEFORE = _WORDS["ADVERBS_BEFORE"]
_GERUND_AFTER = _WORDS["GERUND_AFTER"]
_NEGATIONS = _WORDS["NEGATIONS"]
_PUSHED = _WORDS["PUSHED"]
_REVEALERS = _WORDS["REVEALERS"]

Found = Literal["none", "sends", "destructive"]

_PATTERNS = lines("risk")
_PHRASES = re.compile(r"\b(" + "|".join(_PATTERNS["PHRASES"]) + r")(?!\S)")
_COMMANDS = re.compile(r"(?<!\S)(" + "|".join(_PATTERNS["COMMANDS"]) + r")(?!\S)")
_OUTSIDE = re.compile("|".join(_PATTERNS["OUTSIDE"]))
_PROPOSES = re.compile(
    r"\b(open|create|make|file|raise|submit|send)( (a|an|the|another|new|my|draft|github)){0,4}"
    r" (pull request|pr|issue|merge request|release|gist|ticket)s?(?!\S)"
)
_ANSWERS = frozenset({"yes", "yeah", "yep", "no", "nope", "sure", "wait", "definitely", "absolutely"})
_VERBS = _DESTROY | _SEND | _SPEND | _REWRITE | {"push"}
_BASE = {
    **{verb + "ing": verb for verb in _VERBS},
    **{verb[:-1] + "ing": verb for verb in _VERBS if verb.endswith("e")},
    **{verb + verb[-1] + "ing": verb for verb in _VERBS},
    "deleted": "delete", "dilete": "delete", "pushed": "push",
}  # fmt: skip

_CLAUSES = re.compile(
    r"[.!?;,:]+(?:\s+|$)"
    r"|(?:^|\s)(?:and then|and|then|but|so|or|plus|after that|afterwards|before|after|once"
    r"|followed by|while|because)(?=\s)",
    re.IGNORECASE,
)
_WINDOW, _STEP = 48, 36


def spoken_risk(text: str, *, asked_to_do: bool = True) -> Found:
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
        command = self._phrase(_COMMANDS, of_code=False)
        if command or self._phrase(_PHRASES) or (self.asked and _OUTSIDE.search(self.said)):
            return "destructive", False
        worst: Found = "none"
        written = False
        for at in range(len(self.words)):
            if self._requested(at):
                found = self._verb(at)
                if found == "destructive":
                    return found, False
                worst = found if found != "none" else worst
            elif self.writer and self._would(at):
                written = True
        return ("sends" if self._phrase(_PROPOSES) else worst), written

    def _would(self, at: int) -> bool:
        """Whether the word is what the code that is asked for does: "a script that deletes the database"."""
        before, verb = self.words[at - 1], self.words[at]
        if before == "that" and verb.removesuffix("s") in _VERBS:
            verb = verb.removesuffix("s")
        return before in ("to", "that") and self._verb(at, verb) == "destructive"

    def _phrase(self, pattern: re.Pattern[str], *, of_code: bool = True) -> bool:
        """Whether the pattern is asked for; `of_code`: unless it is the name of something in code."""
        anywhere = self.asked and not self.writer
        line = self.said if anywhere else self.line
        match = pattern.search(line) if anywhere else pattern.match(line)
        if match is None:
            return False
        before = line[: match.start()].split()[-1:]
        after = line[match.end() :].split()[:1]
        return not (set(before) & _NEGATIONS or (of_code and set(after) & _CODE))

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

    def _verb(self, at: int, verb: str = "") -> Found:
        verb = _BASE.get(self.words[at], verb or self.words[at])
        rest = self.words[at + 1 :]
        if rest and rest[0] in _CODE and verb not in _SYSTEM:
            return "none"  # "delete button", "release notes": a thing, not a request
        if (
            verb in _SYSTEM
            or (verb in _DESTROY and destroys(verb, rest))
            or (verb in _REVEALERS and secret(rest))
        ):
            return "destructive"
        if verb in _SEND | _SPEND | _REWRITE and rest[:1] != ["attention"]:
            return "destructive"
        plain = [word for word in rest if word not in ARTICLES]
        if verb == "push" and (not plain or plain[0] in _PUSHED or plain[-1:] in (["branch"], ["commits"])):
            return "sends"
        return "none"
