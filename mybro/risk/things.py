"""What a destructive verb is applied to, and whether a checkpoint holds that."""

from __future__ import annotations

from collections.abc import Sequence

from mybro.vocabulary import words

_WORDS = words("risk")
_DESTROY_ANYTHING = _WORDS["DESTROY_ANYTHING"]
_LASTING = _WORDS["LASTING"]
_PRONOUNS = _WORDS["PRONOUNS"]
_CODE = _WORDS["CODE"]
_PREPOSITIONS = _WORDS["PREPOSITIONS"]
_CODE_BRANCHES = _WORDS["CODE_BRANCHES"]
_WEAK = _WORDS["WEAK"]
_VITAL = _WORDS["VITAL"]
_PLACES = _WORDS["PLACES"]
_BRANCH_PARTS = _WORDS["BRANCH_PARTS"]
_LABELS = _WORDS["LABELS"]
_SECRETS = _WORDS["SECRETS"]

ARTICLES = frozenset({"the", "a", "an", "my", "our", "your", "his", "her", "their", "its"})
_PARTICLES = frozenset({"up", "out", "off", "down", "of", "away"})
_LIVE = frozenset({"production", "prod", "live"})
_CODE_AFTER = tuple([word] for word in _CODE)
_BARE = frozenset(
    {"bin", "axe", "scrap", "ditch", "delete", "drop", "discard", "kill", "overwrite", "trash", "reset"}
)
_DELETING = _WORDS["DELETING"]
_FORMATTED = _WORDS["FORMATTED"]
_STRONG = _WORDS["STRONG"]
_KILLED = _WORDS["KILLED"]
_NEVER = frozenset({"keychain", "crontab", "cron", "production", "prod"})
_INDEFINITE = frozenset({"whatever", "anything", "everything"})
_FILES = frozenset({"file", "files", "folder", "folders", "directory", "directories", "dir", "subfolder"})
_FILE_NAMES = frozenset({"test", "doc", "config", "build", "cache", "readme", "license", "changelog"})
_WHOLES = frozenset(
    {"files", "file", "folders", "folder", "code", "codebase", "directory", "directories", "thing"}
)


def destroys(verb: str, rest: Sequence[str]) -> bool:
    """Whether a verb of destruction, applied to the words after it, loses what no checkpoint holds."""
    rest = [word for word in rest if word not in ARTICLES]
    while rest and rest[0] in _PARTICLES:
        rest = rest[1:]
    at = next((at for at, word in enumerate(rest) if word in _PREPOSITIONS), len(rest))
    things, place = rest[:at], rest[at + 1 :]
    if any(word in _LIVE and place[n + 1 : n + 2] not in _CODE_AFTER for n, word in enumerate(place)):
        return True
    if not things:
        return verb in _DESTROY_ANYTHING | _BARE if not place else bool(_lasting(place, _LASTING))
    if verb in ("format", "reformat"):
        return bool(_lasting(things, _FORMATTED) or _lasting(place, _FORMATTED))
    if set(things) <= _PRONOUNS:
        everything = bool({"everything", "all"} & set(things))
        return everything or verb in _DESTROY_ANYTHING | _BARE or bool(_lasting(place, _PLACES))
    named = _by_name(verb, things)
    if named is not None:
        return named
    if verb == "kill" and set(place) & _CODE and not set(place) & _PLACES:
        return False
    if things[0] in _LABELS or (things[-1] in _CODE and "branch" not in things[:-1]):
        return False
    return _lost(verb, things, place)


def _by_name(verb: str, things: Sequence[str]) -> bool | None:
    """What files and other things that are named for certain decide; None where they decide nothing."""
    if verb in ("delete", "erase", "wipe", "drop") and things[-1] in ("one", "ones", "rest", "lot"):
        return True
    if verb in _DELETING and _files(things):
        return True
    if "dot" in things or any("." in thing[1:] for thing in things):
        return "env" in things  # a file of the repository, and an edit to it
    if {"git", ".git", ".env"} & set(things) and things[-1] not in _CODE:
        return True
    if verb == "uninstall" or _NEVER & set(things):
        return True
    return None


def _lost(verb: str, things: Sequence[str], place: Sequence[str]) -> bool:
    """Whether things that are no part of code are lost."""
    killed = bool(set(things) & _KILLED) or any(word.isdigit() for word in things)
    if verb in _DESTROY_ANYTHING or (verb == "kill" and killed):
        return True
    if (verb in _STRONG and not _of_code(things, place)) or things[0] in ("what", *_INDEFINITE):
        return True
    if {"all", "every", "entire", "whole"} & set(things) and things[-1] in _WHOLES:
        return True
    if verb in _WEAK:
        return _lasting(things, _VITAL) or _lasting(place, _VITAL)
    return _lasting(things, _LASTING) or _lasting(place, _PLACES)


def _of_code(things: Sequence[str], place: Sequence[str]) -> bool:
    """Whether it is a part of code or of a page: "the second test", "the border around the card"."""
    return bool(_CODE & {*things, *(word.removesuffix("s") for word in things)}) or bool(
        _CODE & set(place[-1:])
    )


def _files(things: Sequence[str]) -> bool:
    """Whether files or folders are named, not just code that handles them: "the folder tests", "old.py".

    A checkpoint holds them; but a name that was heard wrong would delete another, and nobody would look.
    """
    if "dot" in things or any("." in thing[1:] for thing in things):
        return not set(things) & _CODE or bool({"file", "files"} & set(things))
    if things[-1] in _FILES or list(things[-2:]) == ["node", "modules"]:
        return True
    code = things[-1] in _CODE and not things[-1].endswith("s") and things[-1] not in _FILE_NAMES
    return things[0] in _FILES and not code


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


_SHOWN_SECRETS = frozenset(
    {
        "password",
        "passwords",
        "passphrase",
        "token",
        "tokens",
        "secret",
        "secrets",
        "credential",
        "credentials",
        "pin",
    }
)


def shown_secret(rest: Sequence[str]) -> bool:
    """Whether what is to be shown ends with the name of a secret: "the database password"."""
    if "when" in rest or "if" in rest:
        return False
    at = next(
        (at for at, word in enumerate(rest) if word in _PREPOSITIONS or word in ("to", "aloud")), len(rest)
    )
    things = rest[:at]
    return (
        bool(things)
        and things[-1] in _SHOWN_SECRETS
        and set(things[:1]) <= ARTICLES | {"out", "me", "us", "all"}
    )


def secret(rest: Sequence[str]) -> bool:
    """Whether the words name a key or password, not just code that handles one."""
    line = " ".join(rest) + " "
    for phrase in _SECRETS:
        at = (" " + line).find(" " + phrase + " ")
        if at >= 0 and not set(line[at + len(phrase) :].split()[:1]) & _CODE:
            return True
    return False
