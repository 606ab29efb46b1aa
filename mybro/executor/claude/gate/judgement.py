"""A whole command line: what each of its programs does, taken together."""

from __future__ import annotations

import re
from pathlib import Path

from mybro.executor.claude.gate import (
    builders,
    clients,
    everyday,
    git,
    packages,
    reading,
    runners,
    searching,
    tables,
    tools,
    variables,
    writing,
)
from mybro.executor.claude.gate.place import Place, Reach, Rule, worst
from mybro.executor.claude.gate.reader import ENTER, LEAVE, PIPED, read
from mybro.executor.claude.gate.recipes import recipes
from mybro.executor.claude.gate.sources import content_is_calm
from mybro.executor.claude.gate.words import Command, StrangeError, Word

__all__ = ["Reach", "reach_of"]

_MOST_SCRIPTS = 4
_NOTHING = frozenset({":", "true", "false", "break", "continue", "wait", "exit", "shift", "clear"})
_WORK: dict[str, Rule] = tables.merged(
    tools.RULES, builders.RULES, tables.WORKS, everyday.RULES, packages.rules(lambda: _WORK)
)
"""What runs the tests, builds and settings of the repository."""
_WORK["python"] = runners.python(_WORK)
_READS = tables.merged(reading.RULES, searching.RULES)
_RULES = tables.merged(_READS, writing.RULES, git.RULES, clients.RULES, tables.LOOKS, everyday.LOOKS, _WORK)
_SHELL_NOISE = re.compile(r"-(e|u|x|o|eu|ex|euo|eux|euxo|pipefail)|\+(e|x)|pipefail")


def reach_of(command: str, repo: Path) -> Reach | None:
    """How far a shell command, run in `repo`, reaches; None where that is not certain, or too far."""
    place = Place(repo)
    try:
        commands = read(command, {"HOME": str(Path.home()), "PWD": str(repo)}, prints_names)
        while len(commands) > 1 and _leaves(commands[-1]):
            commands.pop()
        reach = worst(_judge(one, place) for one in commands) if commands else None
        return None if place.traces.tangled(content_is_calm) else reach
    except (StrangeError, ValueError, RecursionError, OSError, LookupError):
        return None


def _leaves(command: Command) -> bool:
    """`cd ..` at the end: the next command line begins in the repository again."""
    words = [word.text for word in command.words]
    return words in (["cd", ".."], ["cd", "-"]) and not command.redirected and not command.assigned


def prints_names(commands: list[Command]) -> bool:
    """Whether commands print nothing but names in the work tree, none of them a secret's, or numbers."""
    commands = [one for one in commands if not one.words or one.words[0].text not in (ENTER, LEAVE)]
    if not commands:
        return False
    names = [command.words[0].text if command.words else None for command in commands]
    if names[-1] == "wc" and len(commands[-1].words) > 1 and len(names) > 1:
        return True
    if searching.lists_secrets(commands):
        return False
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
    for name, word in command.assigned:
        if name == "IFS" and command.words and command.words[0].text == "read":
            continue
        fine = variables.is_harmless(name, word.text, program=bool(command.words))
        if not fine and not (command.words and _imports_from(name, word, place)):
            return None
    for kind, word in command.redirected:
        if kind == "<":
            reach = reach if place.reads(word) else None
        else:
            reach = worst([reach, place.makes(word, append=kind == ">>", content=_copied(command))])
    if not command.words:
        return reach
    return worst([reach, _program(command, place)])


def _imports_from(name: str, word: Word, place: Place) -> bool:
    """PYTHONPATH=src: folders of the repository, and nothing in them that Python runs by itself."""
    if name not in ("PYTHONPATH", "FLASK_APP") or word.text is None:
        return False
    if name == "FLASK_APP":
        return re.fullmatch(r"[\w./:]+", word.text) is not None and runners.served(word.text, place)
    for part in word.text.replace("$PYTHONPATH", "").split(":"):
        if not re.fullmatch(r"[\w./-]*", part) or not place.reads(Word((part or ".",))):
            return False
        for folder in place.folders:
            for module in ("sitecustomize.py", "usercustomize.py"):
                place.traces.read.add(folder / part / module)
                if (folder / part / module).exists():
                    return False
            place.paths.append(folder / part)
    return True


def _copied(command: Command) -> str | None:
    """What `cat` writes of a here-document, where that is known to the letter."""
    plain = [word.text for word in command.words] == ["cat"] and len(command.redirected) == 1
    return command.document if plain and command.document != "\0" else None


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
        fine = name == ":" or all(
            w.local or re.fullmatch(r"[\w%$-]*", w.text or "?") for w in command.words[1:]
        )
        return Reach.READS if fine and "-p" not in {word.text for word in command.words} else None
    if name in _BUILT_IN:
        return _built_in(name, command, place)
    place.traces.waits |= name == "sleep"
    known = tools.known_as(name)
    if known not in _READS and any(word.text == PIPED for word in command.words):
        return None
    rule = _RULES.get(known)
    if rule is None and re.match(r"\.?[\w-]*/", name):
        return _SHELL(command, place)
    if rule is None or not recipes_are_calm(known, command.words[1:], place):
        return None
    reach = rule(command, place)
    place.traces.runs |= (
        known in _WORK and reach is Reach.WRITES and known not in ("python", "node", "deno", "bun")
    )
    return reach


def _built_in(name: str, command: Command, place: Place) -> Reach | None:
    """What the shell does itself, and programs that run another."""
    words = command.words[1:]
    match name:
        case "cd":
            return Reach.READS if len(words) == 1 and place.enter(words[0]) else None
        case "set":
            return Reach.READS if words and all(_SHELL_NOISE.fullmatch(w.text or "") for w in words) else None
        case "export":
            found = [re.fullmatch(r"([A-Z_]+)=[\w./:-]*", w.text or "") for w in words]
            return Reach.READS if words and all(f and f[1] in variables.SAFE for f in found) else None
        case "read":
            return Reach.READS if all(re.fullmatch(r"-r|[a-z]\w*", w.text or "") for w in words) else None
        case "command":
            ok = len(words) >= 1 and words[0].text in ("-v", "-V")
            return Reach.READS if ok else None
        case "timeout" | "nice" | "nohup" | "stdbuf" | "env":
            return _wrapped(command, name, place)
        case "xargs":
            return _each(command, place)
        case "source" | ".":
            return runners.activated(words, place)
    return None


def recipes_are_calm(name: str, words: list[Word], place: Place) -> bool:
    """Whether what a repository keeps under a name is harmless, as far as its programs are known here."""
    if place.scripts > _MOST_SCRIPTS:
        return False
    for line in recipes(name, [word.text or "?" for word in words], place):
        place.scripts += 1
        try:
            commands = read(line, {"PWD": str(place.top)}, prints_names)
        except (StrangeError, ValueError, RecursionError):
            continue
        for command in commands:
            first = command.words[0].text if command.words else None
            if first is not None and (tools.known_as(first) in _RUNS or first.startswith(("./", "scripts/"))):
                folders = list(place.folders)
                reach = _judge(command, place)
                place.folders = folders
                if reach is None:
                    return False
    return True


def _script(text: str, place: Place) -> Reach | None:
    """A shell script of the repository, in a shell of its own."""
    place.scripts += 1
    if place.scripts > _MOST_SCRIPTS:
        return None
    folders = list(place.folders)
    commands = read(text, {"HOME": str(Path.home()), "PWD": str(place.top)}, prints_names)
    reach = worst(_judge(one, place) for one in commands)
    place.folders = folders
    return reach


_BUILT_IN = frozenset(
    {
        "cd",
        "set",
        "export",
        "read",
        "command",
        "timeout",
        "nice",
        "nohup",
        "stdbuf",
        "env",
        "xargs",
        "source",
        ".",
    }
)
_FORMATTERS = frozenset({"ruff", "black", "isort", "eslint", "prettier", "mypy", "flake8", "gofmt"})
_RUNS = frozenset({"python", "node", "bash", "sh", "zsh", "ruby", "perl", "php", "bun", "deno", "npx", "tsx"})
"""Programs that are told by a recipe what to run."""
_SHELL = runners.shell(_script)
_RULES |= dict.fromkeys(("bash", "sh", "zsh"), _SHELL)


def _wrapped(command: Command, name: str, place: Place) -> Reach | None:
    """A program that runs another with the same arguments."""
    rest = command.words[1:]
    while rest and re.fullmatch(r"-[oe]?L|-k|-n|-?\d+(\.\d+)?[smh]?", rest[0].text or ""):
        rest = rest[1:]
    while name == "env" and rest and (found := re.fullmatch(r"([A-Z_]+)=.*", rest[0].text or "")):
        if found[1] not in variables.SAFE:
            return None
        rest = rest[1:]
    if not rest or rest[0].text is None or rest[0].text.startswith("-"):
        return None
    return _program(Command(rest, upstream=command.upstream, document=command.document), place)


def _each(command: Command, place: Place) -> Reach | None:
    """xargs: a reader, with names from the work tree."""
    rest = command.words[1:]
    while rest and (option := rest[0].text or "").startswith("-"):
        if option in ("-a", "--arg-file") and not (len(rest) > 1 and place.reads(rest[1])):
            return None
        takes = option in ("-n", "-I", "-P", "-L", "-d", "-a")
        if not takes and not re.fullmatch(r"-(0|r|t|[nPL]\d+|I\S+|0r|r0)", option):
            return None
        rest = rest[2 if takes else 1 :]
    if not rest:
        return Reach.READS
    if rest[0].text == "echo":
        return Reach.READS
    if searching.lists_secrets(command.feeding):
        return None
    first = [Command([Word((name,))]) for name in command.upstream[:1]]
    if not prints_names(first) and command.upstream[:1] not in (("git",), ("grep",), ("rg",)):
        return None
    if any(
        name not in ("find", "fd", "ls", "git", "grep", "rg", "sort", "uniq", "head", "tail")
        for name in command.upstream
    ):
        return None
    reach = _program(Command([*rest, Word(None, quoted=True, local=True)]), place)
    return reach if reach is Reach.READS or (rest[0].text in _FORMATTERS and reach is Reach.WRITES) else None
