"""A shell command taken apart, as far as its meaning can be told without running it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "fish", "ash"})
_SEPARATORS = frozenset({";", "&", "&&", "||", "|", "|&", ";;", "(", ")"})
_WRAPPERS = frozenset(
    {
        "env", "command", "exec", "nohup", "time", "nice", "ionice", "stdbuf", "builtin", "busybox",
        "caffeinate", "setsid", "xargs", "timeout", "gtimeout", "then", "do", "else", "if", "while", "until",
        "!", "{", "parallel", "watch", "npx", "bunx",
    }
)  # fmt: skip
_TAKES_NUMBER = frozenset({"timeout", "gtimeout"})
_TAKES_VALUE = frozenset({"-n", "-I", "-P", "-L", "-d", "-s", "-k", "-u", "-a", "-S", "-C"})
_LISTERS = frozenset({"xargs", "parallel"})
_ADMIN = frozenset({"sudo", "doas", "su", "pkexec"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_SUBSTITUTION = re.compile(r"\$\(((?:[^()]|\([^()]*\))*)\)|`([^`]*)`|[<>]\(([^()]*)\)")
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Simple:
    """One program with its arguments."""

    argv: tuple[str, ...]
    """Without assignments, redirections and wrappers such as `env` or `xargs`; never empty."""
    admin: bool = False
    """Whether it runs under sudo or the like."""
    piped: bool = False
    """Whether it reads another command's output, or words given on the line."""
    wrapped: bool = False
    """Whether its arguments come from elsewhere too (xargs)."""
    writes: tuple[str, ...] = field(default=())
    """The files into which its output is redirected."""

    @property
    def name(self) -> str:
        """The program without its folder."""
        return PurePath(self.argv[0]).name

    @property
    def words(self) -> list[str]:
        """The arguments that are no options."""
        return [word for word in self.argv[1:] if not word.startswith("-")]

    def has(self, *options: str) -> bool:
        """Whether one of the options is given; a single letter is also found in a cluster."""
        for word in self.argv[1:]:
            for option in options:
                cluster = len(option) == 2 and re.fullmatch(r"-[A-Za-z]+", word) and option[1] in word
                if word == option or word.startswith(option + "=") or cluster:
                    return True
        return False


class UnreadableError(ValueError):
    """The command cannot be taken apart."""


def simple_commands(command: str, depth: int = 0) -> Iterator[Simple]:
    """Every program that the command names, those within substitutions and `sh -c` too.

    Raises `UnreadableError` where quotes do not match, a here-document follows, or it is nested too deeply.
    """
    if depth > _DEPTH or re.search(r"(?<!<)<<(?!<)", command):
        raise UnreadableError
    for inner in _SUBSTITUTION.finditer(command):
        yield from simple_commands(next(filter(None, inner.groups()), ""), depth + 1)
    for piped, words in _split(command):
        simple = _strip(words, piped)
        if simple is None:
            continue
        yield simple
        script = _script(simple)
        if script is not None:
            yield from simple_commands(script, depth + 1)


def _split(command: str) -> Iterator[tuple[bool, list[str]]]:
    """The words between separators, and whether they come after a pipe."""
    for line in command.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()<>")
        lexer.whitespace_split = True
        lexer.commenters = ""
        try:
            tokens = list(lexer)
        except ValueError:
            raise UnreadableError from None
        words: list[str] = []
        piped = False
        for token in tokens:
            if token in _SEPARATORS or (token and set(token) <= set(";&|()")):
                yield piped, words
                piped, words = token in ("|", "|&"), []
            else:
                words.append(token)
        yield piped, words


def _strip(words: list[str], piped: bool) -> Simple | None:
    rest, writes = _redirections(words)
    piped = piped or "<<<" in words
    admin = wrapped = False
    while rest:
        name = PurePath(rest[0]).name
        if _ASSIGNMENT.match(rest[0]):
            rest = rest[1:]
        elif name == "function":
            rest = rest[2:]
        elif name in _ADMIN or name in _WRAPPERS:
            admin = admin or name in _ADMIN
            wrapped = wrapped or name in _LISTERS
            rest = _after_wrapper(name, rest[1:])
        else:
            break
    if not rest:
        return Simple(("true",), admin, piped, wrapped, tuple(writes)) if writes or admin else None
    return Simple(tuple(rest), admin, piped, wrapped, tuple(writes))


def _after_wrapper(name: str, rest: list[str]) -> list[str]:
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in _TAKES_VALUE else rest[1:]
    if name in _TAKES_NUMBER:
        return rest[1:]
    return rest[1:] if rest and rest[0].isdigit() else rest  # the value of an option before it


def _redirections(words: list[str]) -> tuple[list[str], list[str]]:
    rest: list[str] = []
    writes: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word and set(word) <= set("<>&|"):
            if rest and rest[-1].isdigit():
                rest.pop()
            if ">" in word and at + 1 < len(words) and not words[at + 1].isdigit():
                writes.append(words[at + 1])
            at += 2
        else:
            rest.append(word)
            at += 1
    return rest, writes


def _script(simple: Simple) -> str | None:
    """The commands that the program is handed as an argument."""
    if simple.name == "eval":
        return " ".join(simple.argv[1:])
    if simple.name in SHELLS:
        for at, word in enumerate(simple.argv[1:], 1):
            if re.fullmatch(r"-\w*c", word):
                return simple.argv[at + 1] if at + 1 < len(simple.argv) else None
    if simple.name == "trap":
        return next(iter(simple.words), None)
    if simple.name == "alias":
        return "; ".join(word.partition("=")[2] for word in simple.words)
    if simple.name == "find":
        for at, word in enumerate(simple.argv):
            if word in ("-exec", "-execdir", "-ok", "-okdir"):
                return shlex.join(word for word in simple.argv[at + 1 :] if word not in (";", "+", "{}"))
    return None
