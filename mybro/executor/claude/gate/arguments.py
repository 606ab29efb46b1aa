"""The words after a program's name: whether one forces, runs, sends, or names what would be lost."""

from __future__ import annotations

import re
from pathlib import Path

from mybro.executor.claude.gate.harm import harms
from mybro.executor.claude.gate.paths import under
from mybro.executor.claude.gate.place import Place, Reach
from mybro.executor.claude.gate.words import Command, Word
from mybro.vocabulary import words as word_lists

WORDS = word_lists("effects")
TOOLS = WORDS["TOOLS"]
FILTERS, LOOKS, DANGER = WORDS["FILTERS"], WORDS["LOOKS"], WORDS["DANGER"]
VERBS = WORDS["VERBS"] | LOOKS
_DANGER_OPTIONS, _CODE = WORDS["DANGER_OPTIONS"], WORDS["CODE"]
_RUNNABLE, COMPILED, _TELLING = WORDS["RUNNABLE"], WORDS["COMPILED"], WORDS["TELLING"]
_STRANGE = re.compile(r"[;|&<>`$\n(){}\"'!\\]")
_ELSEWHERE = re.compile(r"\w[\w.-]*@[\w.-]+:|^[\w.-]+\.[a-z]{2,}:[/~\w]|^\+|^@[./~]")
_LOOPBACK = re.compile(r"(https?|wss?)://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[\w./-]*)?")
_MADE = re.compile(
    r"(.*/)?(\.?_?build\w*|builddir|dist|out|output|target|bin|lib|obj|generated|gen|_site|site|public|static|htmlcov|coverage"
    r"|node_modules|cmake-build-\w+|reports?|__generated__|\.next|\.output|\.cache)(/.*)?"
)
"""Where tools put what they make, over and over."""
OUTPUT = re.compile(
    r"^-[oO]$|^--?(out\w*|output\w*|html|xml|dest|destination|basetemp)$|[oO]ut(put)?[-_]?([dD]ir|[fF]ile|[pP]ath|[fF]older)"
    r"|(^|[a-z-])(report|dist-?path|(target|build|cache|bin|coverage|site|dist|temp|tmp|M)[-_]?[dD]ir(ectory)?|(Data|Bundle|archive)Path)$|-report$"
)
"""Options that name where something is written."""
_LOADS = re.compile(
    r"-(e|E|x|c|r|l|L|S|f)|--?(config|configuration|settings|script|file|rules?)(-file|-path)?"
)
"""Options whose value may be code, or names a file with code."""
_BARE = frozenset(
    ["Makefile", "Dockerfile", "Justfile", "justfile", "Rakefile", "Gemfile", "Podfile", "BUILD", "WORKSPACE"]
)
_SHAPES = frozenset(
    {"-f", "--format", "-o", "--output", "--template", "--jq", "--query", "--filter", "--sort-by"}
)
"""How what is elsewhere is shown."""
_LABEL = re.compile(r"(\w+\()*(@[\w.-]+)?//[\w/.-]*(:[\w.+/-]*)?\)*|:[\w.-]+")
"""Bazel's names of targets, and questions about them; Clojure's keywords."""
_NAMED = re.compile(r"(playwright|jest|vitest|mocha|cypress|ava|jasmine|rspec|busted) \w[\w ]*$")
"""Tests by their names."""
_VAGUE = frozenset(
    {"server", "user", "global", "url", "context", "system", "root", "remote", "command", "empty"}
)
"""Dangerous only as the whole name of an option."""
MODES = frozenset({"--mode", "--configuration", "-c", "--config", "--env", "--profile"})
TOKEN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
DOES = re.compile(
    r"delet|remov|wip(e|ing)|eras|destro|purg|shred|kill|nuke|unlink|rimraf|uninstall|terminat|publish|deploy|truncat"
)


def tokens(text: str) -> set[str]:
    return {token.casefold() for token in TOKEN.findall(text)} | {text.casefold()}


def is_path(text: str) -> bool:
    return "/" in text or (text.rpartition(".")[2] in _CODE and "." in text)


def words_fine(command: Command, place: Place, *, elsewhere: bool = False) -> bool:
    """Whether no word forces, runs, sends, or names something that is outside or would be lost."""
    before = ""
    first = not any(
        word.text in ("-i", "-I", "-u", "-U", "-w", "--in-place", "--inplace", "--write", "--fix")
        for word in command.words
    )
    for word in command.words[1:]:
        text = word.text
        if text is None:
            if OUTPUT.search(before) or not (word.local or word.glob) or not place.reads(word):
                return False
        elif text.startswith("-") and len(text) > 1 and not (before in FILTERS and " " in text):
            name, _, value = text.partition("=")
            joined = re.fullmatch(r"-[oO]([^=]*[./].*)", text)
            if joined is not None and not remade(joined[1], place):
                return False
            if not _option_fine(name) or (value and not _value_fine(name, value, place, elsewhere=elsewhere)):
                return False
            before = "" if value else name
            continue
        else:
            data = first and command.words[0].text in TOOLS and _is_data(text, before, place)
            named = before in ("-g", "-t", "-k") and _NAMED.match(f"{command.words[0].text} {text}")
            if not data and not named and not _value_fine(before, text, place, elsewhere=elsewhere):
                return False
        first = first and text is not None and not re.search(r"[./]", text) and not place.exists(text)
        before = ""
    return True


def _is_data(text: str, option: str, place: Place) -> bool:
    """A file that a tool reads: the first that it is given."""
    if (
        re.fullmatch(r"-[a-zA-Z]", option)
        or OUTPUT.search(option)
        or re.search(r"xml|prof|file|log|save|trace|dump|record|write|store|cache|to$", option)
    ):
        return False
    return (
        place.exists(text)
        and place.reads(Word((text,)))
        and not place.is_folder(text)
        and (Path(text).suffix[1:] not in _RUNNABLE)
    )


def _option_fine(name: str) -> bool:
    plain = name.lstrip("-")
    if (
        plain.startswith(("no-", "skip-"))
        or len(plain) < 2
        or re.search(
            r"unused|whitespace|duplicate|unsafe-fixes|^force(Exit|-exclusion|-colou?r)$|^detectOpen", plain
        )
    ):
        return True
    parts = tokens(plain)
    if name.startswith("-D"):
        return not tokens(plain[1:]) & DANGER
    if not name.startswith("--"):
        parts |= tokens(plain[1:])
        if re.match(r"-[a-zA-Z]?[/~.]", name) or tokens(plain[1:]) & DANGER:
            return False
    return not parts & (_DANGER_OPTIONS - _VAGUE) and plain not in _VAGUE


def _value_fine(option: str, text: str, place: Place, *, elsewhere: bool = False) -> bool:
    if not text or (
        elsewhere and option in _SHAPES and not re.search(r"\$\(|env|secret|token|passw", text, re.IGNORECASE)
    ):
        return True
    if elsewhere and text.startswith("/") and not place.exists(text):
        return not _STRANGE.search(text)
    parts = [part for part in re.split(r"[=:,\s]", text) if part]
    if (
        option in FILTERS
        and not text.startswith(("~", "..", "./", "@"))
        and (text[0] != "/" or (option == "--xpath" and text.startswith("//")))
        and Path(text).suffix[1:] not in _RUNNABLE | {"dll"}
    ):
        return not (len(option) == 2 and text in DANGER) and not re.search(
            r"`|\$\(|\brm\b|system|exec|eval", text
        )
    if OUTPUT.search(option) and text.startswith("/tmp/"):  # noqa: S108
        return place.touches(Word((text,)), append=False) is Reach.WRITES
    if _LOOPBACK.fullmatch(text):
        return not tokens(text) & DANGER
    if _LABEL.fullmatch(text) or (text in VERBS and not OUTPUT.search(option)):
        return True
    if (
        "://" in text
        or _ELSEWHERE.search(text)
        or (text[0] == "@" and place.exists(text[1:]))
        or _STRANGE.search(text)
        or not all(place.reads(Word((part,))) for part in parts)
    ):
        return False
    if OUTPUT.search(option):
        return all(remade(part, place) for part in parts)
    if re.fullmatch(r"--?config", option) and not (is_path(text) or place.exists(text)):
        return False
    if option in MODES and re.fullmatch(r"\w+", text):
        return not tokens(text) & DANGER - {"production", "staging", "prod"}
    return all(
        _operand(option, part, place) if is_path(part) or place.exists(part) else _plain_word(part)
        for part in parts
    )


def _plain_word(text: str) -> bool:
    return text in VERBS or not tokens(text) & DANGER


def remade(text: str, place: Place) -> bool:
    """Whether what is written there was there never, or is made anew each time."""
    if place.touches(Word((text,)), append=False) is not None:
        return True
    return place.changes(Word((text,))) and _MADE.fullmatch(text.removeprefix("./")) is not None


def _operand(option: str, text: str, place: Place) -> bool:
    """A folder in the repository, or a file that is written by hand and does no harm when it runs."""
    for folder in place.folders:
        path = under(folder, text)
        suffix = path.suffix.lstrip(".").casefold()
        if path.is_dir() or not path.exists():
            continue
        if suffix not in _CODE and not (path.name in _BARE or _MADE.fullmatch(text.removeprefix("./"))):
            return False
        if suffix in _RUNNABLE and harms(place.program(path)):
            return False
    risky = _LOADS.fullmatch(option) is not None or Path(text).suffix.lstrip(".") in COMPILED | _RUNNABLE
    usual = re.search(r"tests?|specs?|components|src|app|lib", text) is not None
    return not (risky and not usual and not place.exists(text) and tokens(Path(text).stem) & _TELLING)
