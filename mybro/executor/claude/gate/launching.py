"""Programs that start others, with the words that they are given or read: timeout, xargs, hyperfine."""

from __future__ import annotations

import re
from collections.abc import Callable

from mybro.executor.claude.gate import searching, variables, wrapping
from mybro.executor.claude.gate.commands import edits_sources, prints_names
from mybro.executor.claude.gate.place import Place, Reach, worst
from mybro.executor.claude.gate.reader import read
from mybro.executor.claude.gate.words import Command, Word

Judge = Callable[[Command, Place], Reach | None]

_FORMATTERS = frozenset({"ruff", "black", "isort", "eslint", "prettier", "mypy", "flake8", "gofmt"})


def wrapped(command: Command, name: str, place: Place, program: Judge) -> Reach | None:
    """A program that runs another with the same arguments."""
    rest = command.words[1:]
    while rest and re.fullmatch(r"-[vpl]+|-[oe]?L|-k|-n|-?\d+(\.\d+)?[smh]?", rest[0].text or ""):
        rest = rest[1:]
    while name == "env" and rest and (found := re.fullmatch(r"([A-Z_]+)=.*", rest[0].text or "")):
        if found[1] not in variables.SAFE:
            return None
        rest = rest[1:]
    if not rest or rest[0].text is None or rest[0].text.startswith("-"):
        return None
    return program(Command(rest, upstream=command.upstream, document=command.document), place)


def each(command: Command, place: Place, program: Judge) -> Reach | None:
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
    if rest[0].text in ("echo", "basename", "dirname"):
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
    if edits_sources(rest, command):
        if command.upstream[0] in ("grep", "find") and place.hides(command.feeding[0]):
            return None
        place.traces.shuffled = True
        return program(Command([*rest, Word((".",))]), place)
    reach = program(Command([*rest, Word(None, quoted=True, local=True)]), place)
    inner = wrapping.inner(rest[0].text or "", Command(rest)) or Command(rest)
    return (
        reach if reach is Reach.READS or (inner.words[0].text in _FORMATTERS and reach is not None) else None
    )


def timed(command: Command, place: Place, judged: Judge) -> Reach | None:
    """hyperfine: each of its words is a command line."""
    texts = [word.text for word in command.words[1:]]
    lines: list[str] = []
    while texts:
        text = texts.pop(0)
        if (
            text
            in (
                "-w",
                "--warmup",
                "-r",
                "--runs",
                "-m",
                "--min-runs",
                "-M",
                "--max-runs",
                "-n",
                "--command-name",
            )
            and texts
        ):
            texts.pop(0)
        elif text in ("-p", "--prepare", "-s", "--setup", "-c", "--cleanup") and texts:
            lines.append(texts.pop(0) or "\0")
        elif text is None or (
            text[:1] == "-" and text not in ("-N", "-i", "--ignore-failure", "--show-output")
        ):
            return None
        elif text[:1] != "-":
            lines.append(text)
    return (
        worst(
            judged(one, place) for line in lines for one in read(line, {"PWD": str(place.top)}, prints_names)
        )
        if lines
        else None
    )
