"""Programs by what their words say of the effect: for those that no rule describes, or not so far.

The sandbox holds what they do and a checkpoint brings the repository back. So it is not the name that decides
but the danger in the words: a verb that deletes, sends away or changes what is elsewhere, code on the line, a
place outside, a file to be written over that nothing makes again.
"""

from __future__ import annotations

import re
from itertools import pairwise

from mybro.executor.claude.gate.arguments import (
    DANGER,
    DOES,
    FILTERS,
    LOOKS,
    MODES,
    OUTPUT,
    TOKEN,
    TOOLS,
    VERBS,
    WORDS,
    is_path,
    remade,
    tokens,
    words_fine,
)
from mybro.executor.claude.gate.harm import harms
from mybro.executor.claude.gate.place import Place, Reach
from mybro.executor.claude.gate.words import Command, Word

GOVERNED, DRIVERS, _REMOTE = WORDS["GOVERNED"], WORDS["DRIVERS"], WORDS["REMOTE"]
_ENGINES, _KEEPERS, _HELPFUL, _MANAGERS = (
    WORDS["ENGINES"],
    WORDS["KEEPERS"],
    WORDS["HELPFUL"],
    WORDS["MANAGERS"],
)
_WORKING, _THINGS, _STARTS = WORDS["WORKING"], WORDS["THINGS"], WORDS["STARTS"]
_VERB_FIRST, _SHARP = WORDS["VERB_FIRST"], WORDS["SHARP"]
_NAME = re.compile(r"[A-Za-z][\w.+-]*")
_ADMIN = re.compile(
    r"(un)?mount|mk(fs|swap)\S*|(user|group)(add|del|mod)|(lv|vg|pv)\w+|z(fs|pool)\w*|\w+ctl|drop\w+|rm\w*|del\w*|\w+d"
)
"""Names of programs of the system, most of which change it."""
_SHOWS_KIND = re.compile(
    r"lint|check|fmt|format|test|spec|tidy|analy|(^|[-_])(gen|build|compile|diff|view|doc|cov|bench|stat)|_is_?ready$|^is-"
)
"""A name that says what a tool is for."""
_WORD = re.compile(r"[A-Za-z][\w.:-]*")


def ordinary(name: str, command: Command, place: Place) -> Reach | None:
    """How far a program reaches, told by its words."""
    if _only_tells(name, command):
        return Reach.READS
    if name in GOVERNED or not _NAME.fullmatch(name) or _says_danger(name):
        return None
    verbs = _verbs(command.words[1:], place)
    if name in _REMOTE:
        return _looks_elsewhere(name, verbs, command, place)
    if not _works_here(name, verbs, command) or not words_fine(command, place):
        return None
    if not (FORMATS.search(name) or _SCANS.search(name)) and not _apart(command.words, place):
        return None
    if name == "rake" and len(command.words) == 1 and _default_harms(place):
        return None
    runs = name in _ENGINES and {"run", "-r", "bootRun"} & {word.text for word in command.words[1:3]}
    if runs and place.sources_harm():
        return None
    return Reach.READS if _judged(verbs, LOOKS) and not _writes(command) else Reach.WRITES


def _default_harms(place: Place) -> bool:
    """Whether the tasks of Ruby, of which one runs without being named, could destroy something."""
    names = ("Rakefile", "rakefile", "Rakefile.rb", "rakefile.rb")
    return any(harms(place.program(folder / name)) for folder in place.folders for name in names)


def _only_tells(name: str, command: Command) -> bool:
    """Whether a program is asked for its version, or for help to other words."""
    texts = [word.text for word in command.words]
    if name in _HELPFUL and not {"--", None, "run", "exec"} & set(texts):
        named = any(_says_danger(text or "?") for text in texts[1:-1])
        return texts[-1] == "--help" or (texts[-1] == "--version" and not named) or only_version(command)
    return (
        only_version(command)
        and _NAME.fullmatch(name) is not None
        and (name in GOVERNED or not _says_danger(name))
    )


def _says_danger(name: str) -> bool:
    return bool(tokens(name) & DANGER) or DOES.search(name) is not None


def _works_here(name: str, verbs: list[str], command: Command) -> bool:
    """Whether a verb, or the kind of the tool, says that it checks, builds or generates in the repository."""
    known = name in TOOLS
    if not known and name not in _KEEPERS | DRIVERS and _ADMIN.fullmatch(name):
        return False
    if not known and name not in DRIVERS | _KEEPERS and verbs and not _tells_work(verbs):
        return False
    told = _judged(verbs, VERBS)
    usual = not verbs and (_SHOWS_KIND.search(name) or (name in _KEEPERS and len(command.words) == 1))
    usual = usual or (verbs in (["run"], ["bootRun"]) and name in _ENGINES - _READ_OTHERWISE)
    if told is None or not (told or known or usual):
        return False
    if not known and not told and (command.upstream or command.document is not None):
        return False
    if "run" in verbs and name not in _ENGINES | _KEEPERS | TOOLS:
        return False
    if _GETS & set(verbs) and _names_something(command.words):
        return False  # what is named would be fetched, and run
    return "install" not in verbs or name in _MANAGERS


_READ_OTHERWISE = frozenset({"cargo", "go"})
"""Engines with a rule that reads what they run."""


def _tells_work(verbs: list[str]) -> bool:
    """Whether a program that nobody here knows is told to do what is harmless, by its first verb."""
    for verb in verbs:
        parts = [token.casefold() for token in TOKEN.findall(verb)]
        if verb in _WORKING or (len(parts) > 1 and parts[-1] in _WORKING):
            return True
        if verb not in _THINGS:
            return False
    return False


def _looks_elsewhere(name: str, verbs: list[str], command: Command, place: Place) -> Reach | None:
    """A question to a service: what comes before the verb is not dangerous, and no secret is asked for."""
    first = next((at for at, verb in enumerate(verbs) if _judged([verb], LOOKS)), None)
    if (
        first is None
        or _judged(verbs[:first], LOOKS) is None
        or any({verb, *tokens(verb)} & _STARTS and verb not in _THINGS for verb in verbs[:first])
        or (name in _VERB_FIRST and not set(verbs[:first]) <= _THINGS)
        or any(_CONFIDES.search(word.text or "") for word in command.words)
    ):
        return None
    if name in _VERB_FIRST:  # what follows the verb are names of things
        named = {verbs[first + 1]} if len(verbs) > first + 1 else set()
        command = Command([word for word in command.words if word.text not in named - _STARTS])
    return Reach.READS if words_fine(command, place, elsewhere=True) else None


_CONFIDES = re.compile(
    r"secret|token|passw|credential|api-?key|private|^keys?$|kubeconfig|^--raw|^auth$|^env$|environ",
    re.IGNORECASE,
)


_DISCLOSES = re.compile(
    r"(terraform|tofu|terragrunt) (-\S+ )*((show|output)\b.* --?(json|raw)\b|output( -\S+)* [^-]|state pull)"
    r"|helm (-\S+ )*get (values|all|manifest|hooks)"
)
"""These show what is marked as sensitive, too."""
_EVERYWHERE = re.compile(r"(^|[ =/])(0\.0\.0\.0|\[::\]|::)(:\d+)?( |$)")
"""An address at which everybody in the network is served."""


def _names_something(words: list[Word]) -> bool:
    plain = [word.text or "?" for before, word in pairwise(words) if not (before.text or "").startswith("--")]
    return any(text not in _GETS | {"deps", "mod", "."} and not text.startswith("-") for text in plain)


_GETS = frozenset({"install", "download", "fetch", "vendor", "add", "get", "require"})
FORMATS = re.compile(r"fmt|format|imports|black|yapf|pep8|golines|gci")
"""To these `-d` means a difference."""
_SCANS = re.compile(r"check|lint|scan|sec$|audit")
"""To these it means where to look."""


def _apart(words: list[Word], place: Place) -> bool:
    """`javac -d FOLDER`: what is compiled goes where nothing else lies."""
    folders = [after.text for word, after in pairwise(words) if word.text == "-d"]
    return all(text is not None and remade(text, place) for text in folders)


def is_sharp(name: str, command: Command) -> bool:
    """Whether a word is there that does harm with this program, and with others none."""
    told = " ".join(word.text or "?" for word in command.words)
    if _DISCLOSES.match(told) or _EVERYWHERE.search(told):
        return True
    return any(f"{name}/{(word.text or '').partition('=')[0]}" in _SHARP for word in command.words[1:])


def only_version(command: Command) -> bool:
    """Whether a program is asked for its version, or for help."""
    texts = [word.text for word in command.words]
    if texts[1:] == ["-v"]:
        return texts[0] in DRIVERS
    return texts[1:] in (["--version"], ["-V"], ["--help"], ["-version"])


def _writes(command: Command) -> bool:
    return any(OUTPUT.search((word.text or "").partition("=")[0]) for word in command.words[1:])


def _verbs(words: list[Word], place: Place) -> list[str]:
    """The words at the beginning that say what to do: no options, and no places."""
    found: list[str] = []
    after = ""
    for word in words:
        text = word.text
        if text is None or len(found) > 3:
            break
        if text in _LOOKING:
            found.append("check")
        if text.startswith(("-", "+")):
            after = "" if "=" in text or text == "--" else text
            continue
        first = text.split(" ")[0]
        if not _WORD.fullmatch(first) or is_path(first) or (place.exists(first) and first not in VERBS):
            if found and not (after and text.startswith("{{")):
                break
        elif not after or (after not in FILTERS | MODES and {first, *tokens(first)} & (VERBS | DANGER)):
            found.append(first)
        after = ""
    return found


_LOOKING = frozenset(
    {"--dry-run", "--syntax-check", "--check", "--list-tasks", "--list", "--help", "--dryrun"}
)


def _judged(verbs: list[str], wanted: frozenset[str]) -> bool | None:
    """Whether one of the words is among those wanted; None where one is dangerous."""
    fine = False
    for verb, after in pairwise([*verbs, ""]):
        if verb in _THINGS and after in LOOKS:
            continue  # `config validate`
        parts = [token.casefold() for token in TOKEN.findall(verb)]
        if verb in wanted or (len(parts) > 1 and parts[-1] in LOOKS):
            fine = True
        elif verb not in VERBS and (tokens(verb) & DANGER or DOES.search(verb.casefold())):
            return None
        else:
            fine = fine or bool(wanted.intersection(parts))
    return fine
