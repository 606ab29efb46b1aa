"""What a sentence asks for, judged clause by clause."""

from __future__ import annotations

import re
from typing import Literal

from mybro.risk.things import ARTICLES, destroys, secret, shown_secret
from mybro.vocabulary import lines, words
from mybro.words import bare, norms, tails

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

_CODING = _WORDS["CODING"]
_NOT_VERBS = _WORDS["NOT_VERBS"]
_LIGHT = _WORDS["LIGHT"]
_THINGS_OUTSIDE = _WORDS["THINGS_OUTSIDE"]
_WORLD = _WORDS["WORLD"]

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
_STATES = _WORDS["STATES"]
_TOWARDS = frozenset({"to", "in", "on", "into", "onto", "from", "at"})
_ALL_SORTS = _WORDS["LASTING"] | _WORDS["ALL_SORTS"]
_LOOKS = _WORDS["LOOKS"]
_EVENTS = _WORDS["EVENTS"]
_CONDITIONS = frozenset({"when", "whenever", "if", "unless"})
_SHOWERS = _WORDS["SHOWERS"]
_PASSIVE = re.compile(
    r"^(?:i think |maybe )?(?P<things>(?:\w+ ){1,6}?)(?:can|should|must|may|has to|have to|needs to|need to)"
    r" (?:also |now |just )?(?:go|die|leave|be (?P<verb>\w+)|get (?P<got>\w+))"
    r"(?: away| too| now| please| completely)*$"
)
_LETTERS = frozenset(
    {"email", "mail", "message", "invoice", "letter", "report", "tweet", "newsletter", "reply", "send"}
)
_GO_AHEAD = re.compile(r"\bgo ahead and\s", re.IGNORECASE)
_WINDOW, _STEP = 48, 36


def spoken_risk(text: str, *, asked_to_do: bool = True) -> Found:
    """The worst of all clauses: each is judged by its verb and by what the verb is applied to."""
    worst: Found = "none"
    written = False
    said: set[str] = set()
    for clause, before in _clauses(_GO_AHEAD.sub("", text)):
        words = norms(clause)
        if before == "before" and words[:1] and words[0].endswith("ing"):
            continue  # "ask before deleting a file"
        for start in range(0, max(1, len(words) - (_WINDOW - _STEP)), _STEP):
            one = _Clause(words[start : start + _WINDOW], asked_to_do)
            found, writes = one.judge()
            if (
                found == "none"
                and asked_to_do
                and not start
                and (not before.isalpha() or before in ("then", "so") or one.determined)
            ):
                found = "sends" if one.strange else "none"
            if found == "none" and said & (_ALL_SORTS | _LETTERS) and _points_back(words, said):
                found = "destructive"
            if written and found == "none" and set(words[:3]) & _RUNNERS:
                found = "destructive"
            written = written or writes
            said |= set(words)
            if found == "destructive":
                return "destructive"
            worst = found if found != "none" else worst
    return worst


def _configured(rest: list[str]) -> bool:
    """ "read the key from the environment": code that does so."""
    return "from" in rest and bool(
        {"environment", "config", "settings", "header", "request", "vault"} & set(rest[-2:])
    )


def _points_back(words: list[str], said: set[str]) -> bool:
    """ "remove it", of what was named before."""
    plain = [word for word in words if word not in _ADVERBS_BEFORE]
    *_, polite = tails(plain) if plain else [0]
    plain = plain[: len(plain) - polite]
    verbs = _DESTROY | _LETTERS if said & _LETTERS else _DESTROY
    return len(plain) == 2 and plain[0] in verbs and plain[1] in ("it", "them", "those", "these", "that")


def _clauses(text: str) -> list[tuple[str, str]]:
    """The clauses of a sentence, each with the word that leads to it."""
    found: list[tuple[str, str]] = []
    at, lead = 0, ""
    for part in _CLAUSES.finditer(text):
        found.append((text[at : part.start()], lead))
        at, lead = part.end(), part[0].strip().casefold()
    return [*found, (text[at:], lead)]


class _Clause:
    """One clause of a sentence."""

    def __init__(self, words: list[str], asked_to_do: bool) -> None:
        *_, polite = tails(words) if words else [0]
        self.said = " ".join(words[: len(words) - polite])
        while len(words) > 1 and words[0] in _ANSWERS:
            words = words[1:]
        self.words = bare(words) if words else []
        self.line = " ".join(self.words)
        self.asked = asked_to_do
        self.writer = bool(self.words) and self.words[0] in _WRITERS

    @property
    def determined(self) -> bool:
        """Whether it reads like a request of its own: "drain the node"."""
        return len(self.words) > 1 and (
            self.words[1] in ARTICLES or self.words[1] in ("all", "every", "this", "that")
        )

    @property
    def strange(self) -> bool:
        """Whether it begins with a verb that is none of everyday work, or touches more than code."""
        words = self.words
        while (
            len(words) > 1
            and (words[0] in _ADVERBS_BEFORE or words[0].endswith("ly"))
            and words[0] not in _CODING
        ):
            words = words[1:]
        if (
            "to" in self.words[:2]
            or len(words) < 2
            or words[0] in _NOT_VERBS
            or set(words[1:6]) & _STATES
            or not words[0].isalpha()
        ):
            return False
        verb = words[0].removesuffix("ing")
        known = {words[0], verb, verb + "e", words[0].removesuffix("s"), words[0].removesuffix("ed")} & (
            _CODING | _WRITERS
        )
        if not known:
            return _BASE.get(words[0], words[0]) not in _VERBS | _SYSTEM
        after = [word for word in words[1:] if word not in ARTICLES]
        if words[0] in _LIGHT and set(after[:1]) & _THINGS_OUTSIDE and not set(after[1:2]) & _CODE:
            return True
        return words[0] not in _LOOKS and any(
            word in _WORLD
            and not set(words[at + 1 : at + 2]) & _CODE
            and (not self.writer or self._toward(words[:at]))
            for at, word in enumerate(words)
        )

    def _toward(self, before: list[str]) -> bool:
        plain = [word for word in before if word not in ARTICLES and word != "dev"]
        return plain[-1:] != [] and plain[-1] in _TOWARDS

    def judge(self) -> tuple[Found, bool]:
        """What the clause does, and whether it writes code that would do something destructive."""
        if not self.words:
            return "none", False
        command = self._phrase(_COMMANDS, of_code=False)
        if command or self._phrase(_PHRASES) or (self.asked and _OUTSIDE.search(self.said)):
            return "destructive", False
        if self.asked and self._unwanted():
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

    def _unwanted(self) -> bool:
        """Said of a thing: "the tests folder can go", "the old table should be dropped"."""
        found = _PASSIVE.match(self.line)
        if found is None:
            return False
        said = found["verb"] or found["got"] or "deleted"
        verbs = [verb for verb in _DESTROY if said in (verb + "ed", verb + "d", verb + verb[-1] + "ed", verb)]
        return any(destroys(verb, found["things"].split()) for verb in verbs)

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
        if rest and rest[0] in _CODE and verb not in _SYSTEM and (verb != "uninstall" or set(rest) & _STATES):
            return "none"  # "delete button", "release notes": a thing, not a request
        if rest and rest[0] in _STATES:
            return "none"
        if (
            verb in _SYSTEM
            or (verb in _DESTROY and destroys(verb, rest))
            or (verb in _REVEALERS and secret(rest) and not _configured(rest))
            or (verb in _SHOWERS and shown_secret(rest))
        ):
            return "destructive"
        event = bool(_EVENTS & set(rest[:4])) or (bool(_CONDITIONS & set(rest)) and verb in _SEND)
        if verb in _SEND | _SPEND | _REWRITE and "attention" not in rest[:3] and not event:
            return "destructive"
        plain = [word for word in rest if word not in ARTICLES]
        if verb == "push" and (not plain or plain[0] in _PUSHED or plain[-1:] in (["branch"], ["commits"])):
            return "sends"
        return "none"
