"""Interpreters: what they are given to run is read first."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence

from mybro.executor.claude.gate import sources
from mybro.executor.claude.gate.arguments import TOOLS
from mybro.executor.claude.gate.ordinary import ordinary
from mybro.executor.claude.gate.place import Place, Reach, Rule, worst
from mybro.executor.claude.gate.pythons import module_is_calm, python_only_computes
from mybro.executor.claude.gate.reading import is_option
from mybro.executor.claude.gate.words import Command, Word

VERSION = frozenset({"--version", "-V", "-v", "version", "--help", "-h", "help"})
_MODULES = frozenset(
    ["pytest", "unittest", "ruff", "mypy", "black", "isort", "flake8", "pip", "coverage", "build", "pylint",
     "pyright", "flask", "uvicorn"]
)  # fmt: skip
DESTRUCTIVE = re.compile(
    r"del(ete)?\b|del_|remov|wipe|clean|purge|drop|flush|reset|destroy|evil|erase|nuke|migrat|deploy|publish|release|seed"
    r"|rollback|uninstall|trunc|kill|\brm|prune|restore|overwrite|upload|send|pay|\?",
    re.IGNORECASE,
)
PYTHON_SETTING = re.compile(
    r"(ignore|error|always|default|once|module)(::\w*Warning)?|importtime|dev|utf8|faulthandler|tracemalloc"
)
_ACTIVATES = re.compile(
    r"(#.*|[\w-]+ ?\(\) ?\{|(el)?if (\[|test|!)[^`;|&]*( ?[;|&]{1,2} ?\[[^`;|&]*)* ?; ?then"
    r"|if|then|fi|else|\}|unset( -f)? [\w ]+( ;)?|return( \d)?"
    r"|export( [A-Z_0-9]+)?(=[^`;|&>]*)?( [A-Z_0-9]+)*"
    r"|_?[A-Za-z_0-9]+=[^`;|&>]*|hash -r( 2> ?/dev/null)?( \|\| true)?"
    r"|deactivate nondestructive|case .*|esac|;;|\*\)|CYGWIN\*.*|msys.*|:|)( ?;)?( ?#.*)?"
)


def python(rules: Mapping[str, Rule]) -> Rule:
    """The rule for Python; `rules` are those for modules that are programs too."""

    def rule(command: Command, place: Place) -> Reach | None:
        words = command.words[1:]
        while words and (option := words[0].text) in ("-u", "-B", "-s", "-q", "-I", "-X", "-W"):
            if option in ("-X", "-W"):  # either could name a module to import
                if len(words) < 2 or not PYTHON_SETTING.fullmatch(words[1].text or "?"):
                    return None
                words = words[1:]
            words = words[1:]
        texts = [word.text for word in words]
        if texts in (["--version"], ["-V"]):
            return Reach.READS
        if texts in ([], ["-"]):
            return _computes(command.document, place)
        if texts[0] == "-c" and len(texts) > 1:
            return _computes(texts[1], place)
        if texts[0] == "-m" and len(texts) > 1:
            return _module(texts[1] or "", words[2:], place, rules)
        name = texts[0] or ""
        if name.endswith("manage.py") and _manages(name, texts[1:], place):
            return Reach.WRITES
        if name.endswith("manage.py") or is_guessed(texts, place):
            return None
        ok = name.endswith(".py") and not is_delayed(place) and sources.python_file(name, place)
        return Reach.WRITES if ok else None

    return rule


def _module(name: str, words: list[Word], place: Place, rules: Mapping[str, Rule]) -> Reach | None:
    texts = [word.text or "?" for word in words]
    match name:
        case "site" | "sysconfig" | "platform" | "calendar" if all(map(str.isdigit, texts)):
            return Reach.READS
        case "py_compile" | "compileall" | "json.tool" | "ast" | "dis" | "tokenize" | "tabnanny":
            most = 1 if name in ("json.tool", "ast", "dis", "tokenize") else 99
            shape = r"-q|--(indent|sort-keys|no-ensure-ascii|json-lines|compact)|\d"
            plain = [word for word in words if not re.fullmatch(shape, word.text or "?")]
            fine = not any(map(is_option, plain)) and all(map(place.reads, plain))
            return Reach.WRITES if fine and len(plain) <= most else None
        case "zipfile" | "tarfile" if texts[:1] in (["-l"], ["--list"], ["-t"], ["--test"]):
            return Reach.READS if len(words) == 2 and place.reads(words[1]) else None
        case "http.server":
            asked = re.fullmatch(
                r"( ?\d+| ?(--bind|-b) (127\.0\.0\.1|localhost)| ?(--directory|-d) \w[\w./-]*)*",
                " ".join(texts),
            )
            return Reach.READS if asked and all(map(place.reads, words)) else None
        case "venv" | "virtualenv":
            named = len(words) == 1 and re.fullmatch(r"[\w./]*env[\w.]*", texts[0]) is not None
            return Reach.WRITES if named and place.changes(words[0]) else None
        case "timeit":
            code = [text for text in texts if not re.fullmatch(r"-s|-[nrpv]|\d+|-[nr]\d+", text)]
            return _computes("\n".join(text or "" for text in code), place)
        case "pydoc":
            name = texts[0].partition(".")[0] if len(texts) == 1 else "?"
            known = (
                name in sys.stdlib_module_names and not place.exists(name) and not place.exists(name + ".py")
            )
            return Reach.READS if known and name not in ("this", "antigravity", "idlelib") else None
        case "cProfile" | "trace" | "pdb" | "doctest" | "unittest" if texts and texts[-1].endswith(".py"):
            options = all(
                re.fullmatch(r"-[sv]|cumtime|cumulative|tottime|time|calls", text) for text in texts[:-1]
            )
            return Reach.WRITES if options and sources.python_file(texts[-1], place) else None
        case "doctest":
            ok = len(words) == 1 and texts[0].endswith(".md") and place.reads(words[0])
            return Reach.WRITES if ok else None
        case "unittest":
            modules = [text for text in texts if text[0] != "-" and "test" not in text and text != "discover"]
            if any(place.exists(text.split(".")[0]) or place.exists(text + ".py") for text in modules):
                return Reach.WRITES if all(module_is_calm(text, place) for text in modules) else None
            return rules["unittest"](Command([Word(("unittest",)), *words]), place)
    return _tool_module(name, words, place, rules)


def _tool_module(name: str, words: list[Word], place: Place, rules: Mapping[str, Rule]) -> Reach | None:
    """`python -m NAME`, where it is a tool that has a rule or a known name, or a module of the repository."""
    called = Command([Word((name,)), *words])
    if name in _MODULES and name in rules:
        place.traces.runs = True
        if (reach := rules[name](called, place)) is not None:
            return reach
    if name in TOOLS | {"build"} and not place.exists(name) and not place.exists(name + ".py"):
        return ordinary(name, called, place)
    return Reach.WRITES if not is_delayed(place) and module_is_calm(name, place) else None


def _manages(name: str, texts: Sequence[str | None], place: Place) -> bool:
    """Django's program of a project: what runs it, and what only looks or adds a file."""
    verbs = (
        "runserver",
        "test",
        "check",
        "sqlmigrate",
        "showmigrations",
        "makemigrations",
        "diffsettings",
        "shell_plus",
    )
    found = sources.programs(name, place)
    says = bool({"--plan", "--dry-run", "--check"} & set(texts[1:])) and texts[0] in (
        "migrate",
        "collectstatic",
    )
    if not all(
        _SETTLED.search(text or "?") for text in texts if re.match(r"--(settings|testr|python)", text or "")
    ):
        return False
    if texts[:1] and (says or texts[0] in verbs) and found is not None:
        told = [place.program(path) for path in found]
        risky = re.compile(r"remove|unlink|rmtree|subprocess|system|open\(|shutil|exec\(|eval\(")
        return all(text is not None and not risky.search(text) for text in told)
    return False


_SETTLED = re.compile(r"=([a-z_]+\.)*(settings|config)(\.(test|testing|ci|dev|local|base))?$")
"""Names of modules with settings; another could be any program."""


def is_guessed(texts: Sequence[str | None], place: Place) -> bool:
    """Whether a program that is not there would, by its name and what it is told, be a destructive one."""
    told = " ".join(text or "?" for text in texts)
    return not place.exists(texts[0] or "?") and DESTRUCTIVE.search(told) is not None


def is_delayed(place: Place) -> bool:
    """Whether somebody may change a program between now and when it runs."""
    return place.traces.waits


def _computes(program: str | None, place: Place) -> Reach | None:
    before = len(place.traces.written)
    if program in (None, "", "\0") or not python_only_computes(program or "", place):
        return None
    return Reach.WRITES if len(place.traces.written) > before else Reach.READS


def shell(judged: Callable[[str, Place], Reach | None]) -> Rule:
    """The rule for shells and scripts: bash -n reads one, a script is judged like a command line."""

    def rule(command: Command, place: Place) -> Reach | None:
        words = command.words if "/" in (command.words[0].text or "") else command.words[1:]
        while len(words) > 1 and re.fullmatch(r"-[eux]+", words[0].text or ""):
            words = words[1:]
        texts = [word.text for word in words]
        if texts == ["--version"]:
            return Reach.READS
        if (
            len(texts) == 2
            and texts[0] == "-c"
            and texts[1] is not None
            and command.words[0].text in ("bash", "sh", "zsh")
        ):
            return judged(texts[1], place)
        if len(texts) == 2 and texts[0] == "-n":
            return Reach.READS if place.reads(words[1]) else None
        if (
            not texts
            or not re.fullmatch(r"[\w./-]+\.(sh|bash)|\./[\w./-]+", texts[0] or "-")
            or is_delayed(place)
        ):
            return None
        if is_guessed(texts, place):
            return None
        found = sources.programs(texts[0] or "", place)
        told = [place.program(path) for path in found] if found is not None else [None]
        return worst(Reach.READS if text == "" else text and judged(text, place) for text in told)  # type: ignore[misc]

    return rule


def activated(words: list[Word], place: Place) -> Reach | None:
    """`. .venv/bin/activate`: only what such a file is known to hold."""
    name = words[0].text if len(words) == 1 else None
    if name is None or not re.fullmatch(r"(\./)?\.?\w*env\w*/bin/activate", name):
        return None
    found = sources.programs(name, place)
    if found is None:
        return None
    for path in found:
        text = place.program(path)
        if text is None or not all(_ACTIVATES.fullmatch(line.strip()) for line in text.splitlines()):
            return None
    return Reach.READS


def served(target: str, place: Place) -> bool:
    """Whether the module that a server is given, "src.app:app" or "app.py", is calm, or not there."""
    name = target.partition(":")[0].removesuffix(".py").replace("/", ".").strip(".")
    return bool(name) and sources.python_file(name.replace(".", "/") + ".py", place)


def serving(command: Command, place: Place) -> Reach | None:
    """A server for development: it runs the repository's code, which is read first."""
    options = (
        r"--(reload|host|port|debug|app|workers|bind|log-level|proxy-headers|factory|check-config)|-[pbwhA]"
    )
    words = [word.text or "?" for word in command.words[1:]]
    verb = command.words[0].text or ""
    targets: list[str] = []
    taken = ""
    for text in words:
        if text.startswith("-"):
            if not re.fullmatch(options, text.partition("=")[0]):
                return None
            taken = (
                text
                if "=" not in text
                and not re.fullmatch(r"--(reload|debug|factory|proxy-headers|check-config)", text)
                else ""
            )
        elif taken:
            targets += [text] if taken in ("--app", "-A") else []
            if not re.fullmatch(r"[\w.:-]+", text):
                return None
            taken = ""
        else:
            targets.append(text)
    verbs = {"flask": ("run", "routes"), "fastapi": ("dev", "run"), "streamlit": ("run",)}.get(verb, ())
    if verbs and not set(verbs) & set(targets):
        return None
    targets = [text for text in targets if text not in verbs] or ["app", "wsgi", "main"]
    fine = all(re.fullmatch(r"[\w./]+(:[\w()]+)?", text) and served(text, place) for text in targets)
    return Reach.WRITES if fine and not is_delayed(place) else None
