"""A whole command line: what each of its programs does, taken together."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mybro.executor.checkpoint.entry import Limits
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
    wrapping,
    writing,
)
from mybro.executor.claude.gate.arguments import TOOLS
from mybro.executor.claude.gate.builders import compiled
from mybro.executor.claude.gate.commands import (
    SHELL_NOISE,
    copied,
    ends_own,
    imports_from,
    is_text,
    leaves,
    prints_names,
    rewrites_unkept,
    variants,
)
from mybro.executor.claude.gate.harm import harms
from mybro.executor.claude.gate.launching import each, timed, wrapped
from mybro.executor.claude.gate.ordinary import DRIVERS, GOVERNED, is_sharp, only_version, ordinary
from mybro.executor.claude.gate.paths import under
from mybro.executor.claude.gate.phrases import plainly
from mybro.executor.claude.gate.place import Place, Reach, Rule, worst
from mybro.executor.claude.gate.reader import BREAK, ENTER, LEAVE, LONGEST, PIPED, read
from mybro.executor.claude.gate.recipes import directives, recipes
from mybro.executor.claude.gate.sources import content_is_calm, reaches_out
from mybro.executor.claude.gate.words import JOB, Command, StrangeError, Word

__all__ = ["Reach", "reach_of"]

_LIMITS = Limits()
_MOST_SCRIPTS, _MOST_COMMANDS, _MOST_WRAPS = 4, 500, 20
_NOTHING = frozenset({":", "true", "false", "break", "continue", "wait", "exit", "shift", "clear"})
_WORK: dict[str, Rule] = tables.merged(
    tools.RULES, builders.RULES, tables.WORKS, everyday.RULES, packages.RULES
)
"""What runs the tests, builds and settings of the repository."""
_WORK["python"] = runners.python(_WORK)
_READS = tables.merged(reading.RULES, searching.RULES)
_RULES = tables.merged(_READS, writing.RULES, git.RULES, clients.RULES, tables.LOOKS, everyday.LOOKS, _WORK)


def reach_of(command: str, repo: Path, limits: Limits = _LIMITS) -> Reach | None:
    """How far a shell command, run in `repo`, reaches; None where that is not certain, or too far.

    `limits` say which files no checkpoint brings back.
    """
    if len(command) > LONGEST:
        return None
    place = Place(repo, limits)
    place.started = re.search(r"[^&>|]&(?![&>\d])", command) is not None
    try:
        commands = read(plainly(command), {"HOME": str(Path.home()), "PWD": str(repo)}, prints_names)
        while len(commands) > 1 and leaves(commands[-1]):
            commands.pop()
        if len(commands) > _MOST_COMMANDS:
            return None
        reach = worst(_judge(one, place) for one in commands) if commands else None
        if place.traces.tangled(content_is_calm) or (place.traces.runs and reaches_out(command, place)):
            return None
        return reach
    except (StrangeError, ValueError, RecursionError, OSError, LookupError):
        return None


def _judge(command: Command, place: Place) -> Reach | None:
    reach: Reach | None = Reach.READS
    place.passing = False
    for name, word in command.assigned:
        if name == "IFS" and command.words and command.words[0].text == "read":
            continue
        fine = word.text == JOB or variables.is_harmless(name, word.text, program=bool(command.words))
        if not fine and not (command.words and imports_from(name, word, place)):
            return None
    for kind, word in command.redirected:
        if kind == "<":
            reach = reach if place.reads(word) else None
        else:
            reach = worst([reach, place.makes(word, append=kind == ">>", content=copied(command))])
    if not command.words:
        return reach
    if command.document is None and len(command.feeding) == 1:
        command = replace(command, document=copied(command.feeding[0]))
    done = _program(command, place)
    if done is None:
        done = worst(_program(one, place) for one in variants(command))
    if done is Reach.WRITES:
        place.compiled |= compiled(command, place)
    if done is Reach.WRITES and rewrites_unkept(command, place):
        return None
    return worst([reach, done])


def _program(command: Command, place: Place) -> Reach | None:
    name = command.words[0].text
    if name is None:
        return None
    if name in _MARKED and len(command.words) == 1:
        return Reach.READS if _MARKED[name](place) else None
    if name in _NOTHING:
        fine = name == ":" or all(
            w.local or w.text == JOB or re.fullmatch(r"[\w%$-]*", w.text or "?") for w in command.words[1:]
        )
        return Reach.READS if fine and "-p" not in {word.text for word in command.words} else None
    if name in _BUILT_IN:
        return _built_in(name, command, place)
    place.traces.waits |= name == "sleep"
    known = tools.known_as(name)
    place.passing = known in _READS or known in writing.RULES
    if known not in _READS and any(word.text == PIPED for word in command.words):
        return None
    command = _without_toolchain(known, command)
    if is_sharp(known, command):
        return None
    rule = None if only_version(command) else _RULES.get(known)
    if "/" in known and (rule is None or (reach := rule(command, place)) is None):
        return _of_repository(known, command, place)
    if not recipes_are_calm(known, command.words[1:], place):
        return None
    reach = rule(command, place) if rule is not None else None
    if reach is None and (inner := wrapping.inner(known, command, place)) is not None:
        place.wraps += 1
        reach = _program(inner, place) if place.wraps <= _MOST_WRAPS else None
    if reach is None and (known not in _OWN or only_version(command)):
        reach = ordinary(known, command, place)
        place.traces.runs |= reach is Reach.WRITES
    place.traces.runs |= (
        known in _WORK and reach is Reach.WRITES and known not in ("python", "node", "deno", "bun", "perl")
    )
    return reach


def _without_toolchain(name: str, command: Command) -> Command:
    """`cargo +nightly test` is `cargo test`, `docker compose -f FILE ps` is `docker compose ps`."""
    told = " ".join(word.text or "?" for word in command.words)
    if found := _COMPOSED.match(told):
        return replace(command, words=[*command.words[:2], *command.words[2 + len(found[1].split()) :]])
    first = (command.words[1].text or "") if len(command.words) > 1 else ""
    if name in ("cargo", "rustc", "rustup") and re.fullmatch(r"\+[\w.-]+", first):
        return Command([command.words[0], *command.words[2:]])
    return command


_COMPOSED = re.compile(
    r"docker compose ((?:(?:-f|--file|-p|--profile) (?!\S*\.\.)\w[\w./-]* )+)"
    r"(?:ps|logs|config|images|top|ls|port)( |$)"
)
_BUILT = re.compile(
    r"(\./)?(target/(debug|release)|\.?_?build\w*|builddir|out|dist|bin|zig-out/bin|cmake-build-\w+|\.build/\w+)/([\w.-]+/)*[\w-]+"
)


def _of_repository(name: str, command: Command, place: Place) -> Reach | None:
    """A program that lies in the repository: a script is read, a wrapper of a known tool is that tool."""
    plain = name.rpartition("/")[2]
    if (
        re.fullmatch(r"(\./)?(gradlew|mvnw)|(\./)?(node_modules/\.bin|vendor/bin|bin)/[\w.-]+", name)
        and plain in TOOLS | DRIVERS
    ):
        told = Command(
            [Word((plain,)), *command.words[1:]], upstream=command.upstream, document=command.document
        )
        if not any(under(folder, name).exists() for folder in place.folders) or plain in ("gradlew", "mvnw"):
            return _program(told, place)
        if (reach := _program(told, place)) is not None:
            return reach
    if name in place.compiled:
        return ordinary("build-test", command, place)
    if _BUILT.fullmatch(name) and not any(is_text(under(folder, name)) for folder in place.folders):
        return ordinary("build-test", command, place)
    return _SHELL(command, place)


def _built_in(name: str, command: Command, place: Place) -> Reach | None:
    """What the shell does itself, and programs that run another."""
    words = command.words[1:]
    match name:
        case "cd" | "pushd":
            place.passing = True
            place.pushed |= name == "pushd"
            if command.repeated and any(".." in (word.text or "") for word in words):
                return None
            return Reach.READS if len(words) == 1 and place.enter(words[0], sure=command.sure) else None
        case "set":
            return Reach.READS if words and all(SHELL_NOISE.fullmatch(w.text or "") for w in words) else None
        case "export":
            found = [re.fullmatch(r"([A-Z_]+)=([\w./:-]*)", w.text or "") for w in words]
            fine = all(
                f and (f[1] in variables.SAFE or imports_from(f[1], Word((f[2],)), place)) for f in found
            )
            return Reach.READS if words and fine else None
        case "read":
            return Reach.READS if all(re.fullmatch(r"-r|[a-z]\w*", w.text or "") for w in words) else None
        case "command":
            ok = len(words) >= 1 and words[0].text in ("-v", "-V")
            return Reach.READS if ok else None
        case "/usr/bin/time" | "gtime" | "timeout" | "nice" | "nohup" | "stdbuf" | "env":
            return wrapped(command, name, place, _program)
        case "xargs":
            return each(command, place, _program)
        case "hyperfine":
            return timed(command, place, _judge)
        case "kill":
            return ends_own(words, place)
        case "source" | ".":
            return runners.activated(words, place)
    return None


def recipes_are_calm(name: str, words: list[Word], place: Place) -> bool:
    """Whether what a repository keeps under a name is harmless, as far as its programs are known here."""
    if place.scripts > _MOST_SCRIPTS or any(
        map(harms, directives(name, [word.text or "?" for word in words], place))
    ):
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
                place.begin_apart()
                reach = _judge(command, place)
                place.end_apart()
                if reach is None:
                    return False
    return True


def _script(text: str, place: Place) -> Reach | None:
    """A shell script of the repository, in a shell of its own."""
    place.scripts += 1
    if place.scripts > _MOST_SCRIPTS:
        return None
    started, place.started = place.started, False  # it knows no jobs of another shell
    place.begin_apart()
    commands = read(text, {"HOME": str(Path.home()), "PWD": str(place.top)}, prints_names)
    reach = worst(_judge(one, place) for one in commands)
    place.end_apart()
    place.started = started
    return reach


_MARKED: dict[str, Callable[[Place], bool]] = {
    ENTER: Place.begin_apart,
    LEAVE: Place.end_apart,
    BREAK: Place.unite,
    "popd": Place.pop,
}
_BUILT_IN = frozenset(
    ["cd", "pushd", "set", "export", "read", "command", "timeout", "nice", "nohup", "stdbuf", "env", "xargs",
     "hyperfine", "/usr/bin/time", "gtime", "kill", "source", "."]
)  # fmt: skip
_OWN = GOVERNED | _READS.keys() | writing.RULES.keys() | {"git"}
"""Programs whose own rules are the last word."""
_RUNS = frozenset({"python", "node", "bash", "sh", "zsh", "ruby", "perl", "php", "bun", "deno", "npx", "tsx"})
"""Programs that are told by a recipe what to run."""
_SHELL = runners.shell(_script)
_RULES |= dict.fromkeys(("bash", "sh", "zsh"), _SHELL)
