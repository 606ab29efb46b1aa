"""What is told of a command without judging its program."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path

from mybro.executor.claude.gate import runners, searching
from mybro.executor.claude.gate.ordinary import FORMATS
from mybro.executor.claude.gate.paths import under
from mybro.executor.claude.gate.place import Place, Reach
from mybro.executor.claude.gate.reader import MARKS
from mybro.executor.claude.gate.words import JOB, Command, Word


def leaves(command: Command) -> bool:
    """`cd ..` at the end: the next command line begins in the repository again."""
    words = [word.text for word in command.words]
    back = len(words) == 2 and re.fullmatch(r"-|\.\.(/\.\.)*/?", words[1] or "") is not None
    return words[:1] == ["cd"] and back and not command.redirected and not command.assigned


def prints_names(commands: list[Command]) -> bool:
    """Whether commands print nothing but names in the work tree, none of them a secret's, or numbers."""
    commands = [one for one in commands if not one.words or one.words[0].text not in MARKS]
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
            ["rev-list"],
            ["tag"],
            ["symbolic-ref"],
        )
        started = ok and (words[1] != "diff" or "--name-only" in words)
    elif names[0] in ("grep", "rg"):
        started = any(re.fullmatch(r"-\w*l\w*|--files.*", word) for word in words)
    else:
        started = names[0] in ("find", "fd", "ls", "pwd", "nproc", "date")
    return started and all(name in ("sort", "uniq", "head", "tail", "grep", "wc") for name in names[1:])


def copied(command: Command) -> str | None:
    """What `cat` writes of a here-document, or `echo` of its words, where that is known to the letter."""
    texts = [word.text for word in command.words]
    if (
        texts[:1] == ["echo"]
        and None not in texts
        and not any("\\" in (text or "") or (text or "")[:1] == "-" for text in texts)
    ):
        return " ".join(text or "" for text in texts[1:])
    plain = [word.text for word in command.words] == ["cat"] and len(command.redirected) <= 1
    return command.document if plain and command.document != "\0" else None


def is_text(path: Path) -> bool:
    """Whether there is a script, of which more can be told than of what was compiled."""
    return path.is_file() and b"\0" not in path.read_bytes()[:1000]


def imports_from(name: str, word: Word, place: Place) -> bool:
    """PYTHONPATH=src: folders of the repository, and nothing in them that Python runs by itself."""
    if name not in ("PYTHONPATH", "FLASK_APP") or not word.text:
        return False
    if name == "FLASK_APP":
        return re.fullmatch(r"[\w./:]+", word.text) is not None and runners.served(word.text, place)
    for part in word.text.replace("$PYTHONPATH", "").split(":"):
        if not re.fullmatch(r"[\w./-]*", part) or not place.reads(Word((part or ".",))):
            return False
        for folder in place.folders:
            for module in ("sitecustomize.py", "usercustomize.py"):
                place.traces.read.add(under(folder, part) / module)
                if (under(folder, part) / module).exists():
                    return False
            place.paths.append(under(folder, part))
    return True


def ends_own(words: list[Word], place: Place) -> Reach | None:
    """kill: only what this command line has started itself."""
    texts = [word.text for word in words]
    while texts and re.fullmatch(
        r"-(9|15|2|0|s|TERM|INT|KILL|HUP|SIGTERM|SIGINT|SIGKILL)|TERM|INT", texts[0] or "?"
    ):
        texts = texts[1:]
    return (
        Reach.READS
        if texts and all(text == JOB or (text == "%1" and place.started) for text in texts)
        else None
    )


def _edits(words: list[Word]) -> bool:
    return (words[0].text == "sed" and "-i" in [w.text for w in words[:3]]) or (
        words[0].text == "perl" and len(words) == 3
    )


def _told(command: Command) -> str:
    return " ".join(word.values[0] if word.values else "?" for word in command.words)


_SOURCES_ONLY = re.compile(
    r"^(rg|grep|git grep) .*(-\w*l|--files-with-matches)\b"
    r".* (src|lib|app|tests?|internal|pkg|cmd|packages|-t\w+"
    r"|--type\S*|-g \S+\.\w+|--include=\S+\.\w+)(/|$| )"
    r"|^(git ls-files|find|fd)\b.*\*\.(py|[jt]sx?|rs|go|java|kt|rb|php|cs?|cpp|h|swift|vue|md|s?css|html)\b"
    r"|^fd .*-e (py|[jt]sx?|rs|go)\b"
)
"""Lists of files that are written by hand."""
_MOST_VARIANTS = 12
SHELL_NOISE = re.compile(r"-(e|u|x|o|eu|ex|euo|eux|euxo|pipefail)|\+(e|x)|pipefail")


def edits_sources(words: list[Word], command: Command) -> bool:
    """Whether xargs is to edit nothing but files that are written by hand."""
    return _edits(words) and any(_SOURCES_ONLY.search(_told(one)) for one in command.feeding)


def variants(command: Command) -> list[Command]:
    """What a command may become, where some of its words may be one thing or the other."""
    several = [word.values or () for word in command.words if not word.glob and word.values is not None]
    ways = math.prod(map(len, several))
    if not 1 < ways <= _MOST_VARIANTS:
        return []
    known = [
        [replace(word, values=(value,)) for value in word.values] if word.values and not word.glob else [word]
        for word in command.words
    ]
    return [replace(command, words=list(words)) for words in itertools.product(*known)]


def rewrites_unkept(command: Command, place: Place) -> bool:
    """Whether it mends what it is given, and nothing brings that back, or what lies below it."""
    told = {word.text for word in command.words}
    if not _mends(command) or (_ONLY_CHECKS & told and not _MENDS & told):
        return False
    for name in (word.text or "" for word in command.words[:4]):
        if (swept := _SWEPT.get(name)) and place.hides(command, swept):
            return True
    return any(map(place.loses, command.words[1:]))


def _mends(command: Command) -> bool:
    """Whether it is a formatter, or told to mend."""
    texts = [word.text or "" for word in command.words]
    return any(text in _MENDS for text in texts) or any(
        text[:1] != "-" and (text == "isort" or FORMATS.search(text)) for text in texts[:4]
    )


_MENDS = frozenset({"--fix", "--write", "--in-place", "--inplace", "-w", "-i", "-A", "-a"})
_ONLY_CHECKS = frozenset({"--check", "--check-only", "--diff"})
_SWEPT = {
    name: suffixes
    for suffixes, names in {
        (".py", ".pyi"): "isort autopep8 yapf autoflake docformatter pyupgrade",
        (".go",): "gofmt goimports gofumpt",
        (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".vue"): "eslint standard xo oxlint",
        (".css", ".scss", ".less"): "stylelint",
        (".sh", ".bash"): "shfmt",
    }.items()
    for name in names.split()
}
"""Formatters that also mend what git ignores, by what they mend."""
