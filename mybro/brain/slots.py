"""What a template's slots caught, made into an intent's arguments; or refused, because it is no name.

Names stay as they were spoken ("user id"): `mybro.naming` has the identifiers they can mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from mybro import naming
from mybro.brain import heard_names, package_names
from mybro.brain.verbs import VERBS
from mybro.intent import Action, Arguments
from mybro.vocabulary import ordered, words
from mybro.words import Word, join, number, polite_tails

Slots = Mapping[str, Sequence[Word]]


class Filled(NamedTuple):
    """Arguments, and the main object as the person named it."""

    arguments: Arguments
    target: str | None = None


_WORDS = words("names")
_ARTICLES = _WORDS["ARTICLES"]
_KINDS = _WORDS["KINDS"]
_NOT_SYMBOLS = _WORDS["NOT_SYMBOLS"]
_PRONOUNS = _WORDS["PRONOUNS"]
_BREAKS = _WORDS["BREAKS"]
_WITH_COMMAS = 3
"""Words of a name that may have commas between them."""
_REMOTES = {"upstream": "upstream"} | dict.fromkeys(("origin", "orgin", "origen", "origins"), "origin")


def fill(action: Action, slots: Slots) -> Filled | None:
    """The arguments of `action`, or None where the slots hold what cannot be meant.

    The slot "said" holds the whole sentence.
    """
    return _FILLERS.get(action, _names)(slots)


def _strip(words: Sequence[Word], drop: frozenset[str] = _ARTICLES) -> list[Word]:
    rest = list(words)
    while len(rest) > 1 and rest[0].norm in drop:
        rest = rest[1:]
    return rest


def _name(words: Sequence[Word], longest: int = 6) -> str | None:
    """The words as a name, or None for a pronoun, too many words, or what reads like a sentence."""
    rest = _strip(words)
    if not rest or len(rest) > longest or (len(rest) == 1 and rest[0].norm in _PRONOUNS):
        return None
    # Recognisers put commas into names: "parse, date".
    marks = (";",) if len(rest) <= _WITH_COMMAS else (",", ";")
    if any(word.norm in _BREAKS for word in rest) or any(word.raw.endswith(marks) for word in rest[:-1]):
        return None
    return join(rest)


def _place(words: Sequence[Word], *, loose: bool = False) -> Filled | None:
    """A path, or the words for a file or module; with `loose` any name."""
    if path := naming.path(join(_strip(words))) or heard_names.file(_strip(words)):
        return Filled(Arguments(path=path), path)
    name = _name(words, 5)
    if name is None or not (loose or words[-1].norm in _WORDS["PLACES"]):
        return None
    return Filled(Arguments(), name)


def _target(slots: Slots) -> Filled | None:
    words = slots.get("target") or slots.get("path")
    return Filled(Arguments()) if words is None else _place(words)


def _test(slots: Slots) -> Filled | None:
    words = slots.get("target")
    return Filled(Arguments()) if words is None else _place(words, loose=True)


def _count(slots: Slots) -> Filled | None:
    words = slots.get("count")
    count = None
    if words is not None:
        count = number([word.norm for word in words])
        if count is None or not 1 <= count <= 1000:
            return None
    return Filled(Arguments(count=count))


def _message(slots: Slots) -> Filled | None:
    words = slots.get("message")
    if words is None:
        return Filled(Arguments())
    norms = [word.norm for word in words]
    *_, end = polite_tails(norms)
    words = words[: len(words) - end] if end and norms[-end] not in ("now", "ok", "okay") else words
    if any(pair in (("and", "push"), ("then", "push")) for pair in pairwise(norms)):
        return None
    message = join(words, raw=True)
    return Filled(Arguments(message=message), None) if message else None


def _branch(slots: Slots) -> Filled | None:
    remote = next((_REMOTES[word.norm] for word in slots["said"] if word.norm in _REMOTES), None)
    words = slots.get("branch")
    if words is None:
        return Filled(Arguments(remote=remote), remote)
    spoken = _name(words)
    if spoken is None or words[0].norm in _WORDS["NO_BRANCH"]:
        return None
    branch = heard_names.branch(spoken)
    if "dot" in branch.split() or "slash" in branch.split():
        branch = naming.path(branch) or branch
    return Filled(Arguments(branch=branch, remote=remote), branch)


def _rename(slots: Slots) -> Filled | None:
    new_words, path = _without_place(slots["new_name"])
    old_words, old_path = _without_place(slots["old_name"])
    old_words, new_words = _strip(old_words), _strip(new_words)
    kinds = [word.norm for word in old_words]
    if _NOT_SYMBOLS & {kinds[-1], kinds[0], *(word.norm for word in new_words[-1:])}:
        return None
    old, new = _symbol(_strip(old_words, _KINDS)), _symbol(new_words)
    if old is None or new is None or naming.path(old) or naming.path(new):
        return None
    if old_words[-1].norm in _KINDS and len(old_words) > 1:
        old = _symbol(old_words[:-1])
    return Filled(Arguments(old_name=old, new_name=new, path=path or old_path), old)


def _symbol(words: Sequence[Word]) -> str | None:
    name = _name(words)
    return None if name is None else heard_names.symbol(name)


def _usages(slots: Slots) -> Filled | None:
    words, path = _without_place(slots["symbol"])
    words = _strip(_strip(words), _KINDS)
    if len(words) > 1 and words[-1].norm in _KINDS:
        words = words[:-1]
    symbol = _symbol(words)
    return None if symbol is None else Filled(Arguments(symbol=symbol, path=path), symbol)


def _without_place(words: Sequence[Word]) -> tuple[Sequence[Word], str | None]:
    """Take "in main dot py" or "in the whole project" off the end; a path is returned, the rest forgotten."""
    for at in range(len(words) - 1, 0, -1):
        if words[at].norm not in ("in", "inside", "across", "throughout", "everywhere", "within"):
            continue
        place = words[at + 1 :]
        if all(word.norm in _WORDS["EVERYWHERE"] for word in place):
            return words[:at], None
        if path := naming.path(join(_strip(place))):
            return words[:at], path
    return words, None


_NTH = {word: at for at, word in enumerate((*naming.ORDINALS, "tenth"), 1)}
_CHECK = re.compile(r"(ar|ci|dc|dp|gt|js|mc|pf|py|rs|sec|st|sw|ts)\d\d")
"""What the ids of the doctor's checks look like."""
_LONGEST_CHECK = 5
"""Words of an id that is spelled out: "s e c oh five"."""
_SPELLED = {"oh": "0", "o": "0", "zero": "0", "pie": "py", "pi": "py", "seek": "sec", "wai": "y"}


def _nth(words: Sequence[Word]) -> int | None:
    said = ["one" if word.norm == "won" else word.norm for word in words]
    figure = re.fullmatch(r"(\d+)(?:st|nd|rd|th)", said[0])
    found = int(figure[1]) if figure else _NTH.get(said[0]) or number(said)
    return found if found and found <= 1000 else None


def _finding(slots: Slots) -> Filled | None:
    """Which of the list of what the doctor found: "number two", "the second finding"."""
    at = _nth(slots["number"]) if "number" in slots else None
    return Filled(Arguments(number=at), f"number {at}") if at is not None else None


def _figure(word: Word) -> str:
    """A spelled letter or figure as it is written."""
    value = number([word.norm]) if word.norm.isalpha() and len(word.norm) > 1 else None
    return _SPELLED.get(word.norm) or (word.norm if value is None else str(value))


def _explained(slots: Slots) -> Filled | None:
    """One of the list, or a check by its id: "PY06", "p y zero six"."""
    words = slots.get("name")
    if words is None:
        return _finding(slots)
    found = _CHECK.fullmatch("".join(map(_figure, words))) if len(words) <= _LONGEST_CHECK else None
    return Filled(Arguments(name=found[0].upper()), found[0].upper()) if found else None


def _fixed(slots: Slots) -> Filled | None:
    """One of the list or all; a name where unsafe fixes are asked for, which is read back."""
    found = _finding(slots) if "number" in slots else Filled(Arguments())
    if found is None or "name" not in slots:
        return found
    name = f"{found.target} unsafely" if found.target else "the unsafe ones too"
    return Filled(Arguments(name=name, number=found.arguments.number), found.target)


def _delegated(slots: Slots) -> Filled | None:
    return _finding(slots) if "number" in slots else Filled(Arguments())


def _packages(slots: Slots) -> Filled | None:
    names = package_names.packages(slots["said"], slots["name"])
    return Filled(Arguments(name=names), names) if names else None


def _changed_package(slots: Slots) -> Filled | None:
    names = package_names.packages(slots["said"], slots["name"], there=True)
    return Filled(Arguments(name=names), names) if names else None


def _upgraded(slots: Slots) -> Filled | None:
    return _changed_package(slots) if "name" in slots else Filled(Arguments())


_HEARD_NAME = {"codecs": "codex", "code x": "codex", "code next": "codex", "claud": "claude", "won": "one"}
_NUMBERS = ordered("names", "NUMBERS")


def _names(slots: Slots) -> Filled | None:
    found: dict[str, str] = {}
    for field in ("name", "template"):
        if field in slots:
            value = _name(slots[field], 5)
            request = field == "template" and slots[field][0].norm in VERBS
            if value is None or request or _reads_on(slots[field]):
                return None
            found[field] = _HEARD_NAME.get(value.lower(), value)
    arguments = Arguments(name=found.get("name"), template=found.get("template"))
    return Filled(arguments, arguments.name)


def _agent(slots: Slots) -> Filled | None:
    """A number as a word, however it was written or heard: "agent 2", "agent to"."""
    which = number([word.norm for word in slots["name"]]) if "name" in slots else None
    if which is None or which >= len(_NUMBERS):
        return _names(slots)
    return Filled(Arguments(name=_NUMBERS[which]), _NUMBERS[which])


def _reads_on(words: Sequence[Word]) -> bool:
    """Whether a name goes on as a sentence: "shop that sells cars", "login page for the admin"."""
    return any(word.norm in ("for", "that", "with", "to", "from", "in", "the", "is") for word in words[1:])


def _changes(slots: Slots) -> Filled | None:
    said = slots.get("since")
    return Filled(Arguments(since=join(said).lower() if said else None))


_FILLERS: dict[Action, Callable[[Slots], Filled | None]] = {
    Action.UNDO: _count,
    Action.REDO: _count,
    Action.TEST: _test,
    Action.LINT: _target,
    Action.FORMAT: _target,
    Action.DIFF: _target,
    Action.COMMIT: _message,
    Action.PULL_REQUEST: _message,
    Action.BRANCH: _branch,
    Action.PUSH: _branch,
    Action.ADD_PACKAGE: _packages,
    Action.REMOVE_PACKAGE: _changed_package,
    Action.UPGRADE_PACKAGES: _upgraded,
    Action.EXPLAIN_FINDING: _explained,
    Action.FIX_FINDINGS: _fixed,
    Action.DELEGATE_FINDINGS: _delegated,
    Action.RENAME: _rename,
    Action.FIND_USAGES: _usages,
    Action.CHANGES: _changes,
    Action.SWITCH_AGENT: _agent,
}
