"""A whole command line: what each of its programs does, taken together."""

from __future__ import annotations

import re
from pathlib import Path

from mybro.executor.claude.gate import git, reading, tools, writing
from mybro.executor.claude.gate.place import Place, Reach, Rule, worst
from mybro.executor.claude.gate.reader import ENTER, LEAVE, read
from mybro.executor.claude.gate.words import Command, StrangeError, Word

__all__ = ["Reach", "reach_of"]

_SAFE_VARIABLES = frozenset(
    {
        "CI", "DEBUG", "VERBOSE", "NODE_ENV", "LC_ALL", "LANG", "TZ", "NO_COLOR", "FORCE_COLOR", "COLUMNS",
        "RUST_BACKTRACE", "RUST_LOG", "PORT", "GOOS", "GOARCH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED",
        "TERM", "ENV_NAME", "LOG_LEVEL", "FLASK_ENV", "DJANGO_DEBUG", "CGO_ENABLED", "GIT_PAGER_IN_USE",
        "HEADLESS",
    }
)  # fmt: skip
_OWN_VARIABLE = re.compile(
    r"[a-z][a-z0-9_]*|[A-Z]{1,3}|[A-Z]+_?(FILE|DIR|NAME|COUNT|LIST|FILES|BRANCH|VERSION)S?"
)
_STEERS = re.compile(
    r"(^|_)(proxy|npm|path|ifs|pager|editor|shell|env|home|opts?|options|flags|command|cmd)", re.IGNORECASE
)
_NOTHING = frozenset({":", "true", "false", "break", "continue", "wait", "exit", "shift", "clear"})
_RULES: dict[str, Rule] = {**reading.RULES, **writing.RULES, **git.RULES, **tools.RULES}
_SHELL_NOISE = re.compile(r"-(e|u|x|o|eu|ex|euo|eux|euxo|pipefail)|\+(e|x)|pipefail")


def reach_of(command: str, repo: Path) -> Reach | None:
    """How far a shell command, run in `repo`, reaches; None where that is not certain, or too far."""
    place = Place(repo)
    try:
        commands = read(command, {"HOME": str(Path.home()), "PWD": str(repo)}, prints_names)
        return worst(_judge(one, place) for one in commands) if commands else None
    except (StrangeError, ValueError, RecursionError):
        return None


def prints_names(commands: list[Command]) -> bool:
    """Whether commands print nothing but names in the work tree, or numbers."""
    commands = [one for one in commands if not one.words or one.words[0].text not in (ENTER, LEAVE)]
    if not commands:
        return False
    names = [command.words[0].text if command.words else None for command in commands]
    first = commands[0]
    words = [word.text or "" for word in first.words]
    if names[0] == "git":
        ok = words[1:2] in (
            ["ls-files"],
            ["rev-parse"],
            ["merge-base"],
            ["diff"],
            ["branch"],
            ["describe"],
            ["symbolic-ref"],
        )
        started = ok and (words[1] != "diff" or "--name-only" in words)
    elif names[0] in ("grep", "rg"):
        started = any(re.fullmatch(r"-\w*l\w*|--files.*", word) for word in words)
    else:
        started = names[0] in ("find", "fd", "ls", "pwd", "nproc", "date")
    return started and all(name in ("sort", "uniq", "head", "tail", "grep", "wc") for name in names[1:])


def _judge(command: Command, place: Place) -> Reach | None:
    reach: Reach | None = Reach.READS
    for name, _ in command.assigned:
        if name not in _SAFE_VARIABLES and (
            _STEERS.search(name) or command.words or not _OWN_VARIABLE.fullmatch(name)
        ):
            return None
    for kind, word in command.redirected:
        if kind == "<":
            reach = reach if place.reads(word) else None
        else:
            reach = worst([reach, place.makes(word, append=kind == ">>")])
    if not command.words:
        return reach
    return worst([reach, _program(command, place)])


def _program(command: Command, place: Place) -> Reach | None:
    name = command.words[0].text
    if name is None:
        return None
    if name == ENTER:
        place.apart.append(list(place.folders))
        return Reach.READS
    if name == LEAVE:
        place.folders = place.apart.pop()
        return Reach.READS
    if name in _NOTHING:
        return Reach.READS
    words = command.words[1:]
    match name:
        case "cd":
            return Reach.READS if len(words) == 1 and place.enter(words[0]) else None
        case "set":
            return Reach.READS if words and all(_SHELL_NOISE.fullmatch(w.text or "") for w in words) else None
        case "export":
            found = [re.fullmatch(r"([A-Z_]+)=[\w./:-]*", w.text or "") for w in words]
            return Reach.READS if words and all(f and f[1] in _SAFE_VARIABLES for f in found) else None
        case "read":
            return Reach.READS if all(re.fullmatch(r"-r|[a-z]\w*", w.text or "") for w in words) else None
        case "command":
            ok = len(words) >= 1 and words[0].text in ("-v", "-V")
            return Reach.READS if ok else None
        case "timeout" | "nice" | "nohup" | "stdbuf" | "env":
            return _wrapped(command, name, place)
        case "xargs":
            return _each(command, place)
    rule = _RULES.get(tools.known_as(name))
    return None if rule is None else rule(command, place)


def _wrapped(command: Command, name: str, place: Place) -> Reach | None:
    """A program that runs another with the same arguments."""
    rest = command.words[1:]
    while rest and re.fullmatch(r"-[oe]?L|-k|-n|-?\d+(\.\d+)?[smh]?", rest[0].text or ""):
        rest = rest[1:]
    while name == "env" and rest and (found := re.fullmatch(r"([A-Z_]+)=.*", rest[0].text or "")):
        if found[1] not in _SAFE_VARIABLES:
            return None
        rest = rest[1:]
    if not rest or rest[0].text is None or rest[0].text.startswith("-"):
        return None
    return _program(Command(rest, upstream=command.upstream, document=command.document), place)


def _each(command: Command, place: Place) -> Reach | None:
    """xargs: a reader, with names from the work tree."""
    rest = command.words[1:]
    while rest and (option := rest[0].text or "").startswith("-"):
        takes = option in ("-n", "-I", "-P", "-L", "-d")
        if not takes and not re.fullmatch(r"-(0|r|t|[nPL]\d+|I\S+|0r|r0)", option):
            return None
        rest = rest[2 if takes else 1 :]
    if not rest:
        return Reach.READS
    first = [Command([Word((name,))]) for name in command.upstream[:1]]
    if not prints_names(first) and command.upstream[:1] not in (("git",), ("grep",), ("rg",)):
        return None
    if any(
        name not in ("find", "fd", "ls", "git", "grep", "rg", "sort", "uniq", "head", "tail")
        for name in command.upstream
    ):
        return None
    reach = _program(Command([*rest, Word(None, quoted=True, local=True)]), place)
    return reach if reach is Reach.READS else None
