"""Interpreters: what they are given to run is read first. And requests to this machine's own servers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mybro.executor.claude.gate import scripts
from mybro.executor.claude.gate.place import Place, Reach, Rule
from mybro.executor.claude.gate.words import Command, Word

VERSION = frozenset({"--version", "-V", "-v", "version", "--help", "-h", "help"})
_MODULES = frozenset(
    [
        "pytest",
        "unittest",
        "ruff",
        "mypy",
        "black",
        "isort",
        "flake8",
        "pip",
        "coverage",
        "build",
        "pylint",
        "pyright",
    ]
)


def python(rules: Mapping[str, Rule]) -> Rule:
    """The rule for Python; `rules` are those for modules that are programs too."""

    def rule(command: Command, place: Place) -> Reach | None:
        words = command.words[1:]
        while words and words[0].text in ("-u", "-B", "-s", "-q"):
            words = words[1:]
        texts = [word.text for word in words]
        if texts in (["--version"], ["-V"]):
            return Reach.READS
        if texts in ([], ["-"]):
            return _computes(command.document)
        if texts[0] == "-c" and len(texts) > 1:
            return _computes(texts[1])
        if texts[0] != "-m" or len(texts) < 2:
            return _file(texts, place)
        if texts[1] in ("py_compile", "compileall", "json.tool"):
            most = 1 if texts[1] == "json.tool" else 99
            fine = all(place.reads(word) and word.text and word.text[0] != "-" for word in words[2:])
            return Reach.WRITES if fine and len(words) - 2 <= most else None
        known = rules.get(texts[1] or "") if texts[1] in _MODULES else None
        return known(Command(words[1:]), place) if known is not None else None

    return rule


def _computes(program: str | None) -> Reach | None:
    known = program not in (None, "", "\0")
    return Reach.READS if known and scripts.python_only_computes(program or "") else None


def _file(texts: list[str | None], place: Place) -> Reach | None:
    """A program in the repository is run: it is read first."""
    name = texts[0] or ""
    if not name.endswith(".py") or len(place.folders) > 1 or not place.changes(Word((name,))):
        return None
    if any(text is None or re.match(r"[/~]|.*\.\.", text) for text in texts[1:]):
        return None
    try:
        return _computes((place.top / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def node(command: Command, place: Place) -> Reach | None:
    texts = [word.text for word in command.words[1:]]
    if len(texts) == 1 and texts[0] in VERSION:
        return Reach.READS
    if (
        texts[:1] in (["-e"], ["-p"], ["-pe"], ["--eval"], ["--print"])
        and len(texts) == 2
        and texts[1] is not None
    ):
        return Reach.READS if scripts.javascript_only_computes(texts[1]) else None
    if texts[:1] in (["--check"], ["-c"]) and len(texts) == 2:
        return Reach.READS if place.reads(command.words[2]) else None
    if texts[:1] == ["--test"] and all(place.reads(word) for word in command.words[2:]):
        return Reach.WRITES
    return None


def shell(command: Command, place: Place) -> Reach | None:
    """bash -n: reads a script and does not run it."""
    texts = [word.text for word in command.words[1:]]
    if texts == ["--version"]:
        return Reach.READS
    return Reach.READS if len(texts) == 2 and texts[0] == "-n" and place.reads(command.words[2]) else None


# ---------------------------------------------------------------------------- the web, on this machine


def curl(command: Command, _: Place) -> Reach | None:
    """Only this machine's own servers, only asked, and nothing written."""
    plain: list[str] = []
    skip = False
    for word in command.words[1:]:
        text = word.text
        if text is None:
            return None
        if skip:
            skip = False
        elif text in (
            "-H",
            "--header",
            "-m",
            "--max-time",
            "-w",
            "--write-out",
            "--connect-timeout",
            "--retry",
        ):
            skip = True
        elif text.startswith("-"):
            if not re.fullmatch(
                r"-[sSifvILkg]+|--(silent|fail|head|include|location|verbose|show-error)", text
            ):
                return None
        else:
            plain.append(text)
    if any((word.text or "").startswith("@") for word in command.words):
        return None
    ours = all(re.match(r"(https?://)?(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/|$|\?)", url) for url in plain)
    return Reach.READS if plain and ours else None
