"""grep and its kin: they read what they are given, and what lies below it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from mybro.executor.claude.gate.paths import under
from mybro.executor.claude.gate.place import Place, Reach, Rule, is_secret
from mybro.executor.claude.gate.reading import RULES as READS
from mybro.executor.claude.gate.reading import given, is_option, values_fine
from mybro.executor.claude.gate.words import Command, Word

_REFUSED = ("-f", "--file", "--pre", "--pre-glob", "--hostname-bin", "-z", "--search-zip", "--pager")
_TAKES = re.compile(r"-\w*[eABCmgtT]|--(include|exclude|exclude-dir|regexp|glob|type|max-count)")
_FREE = ("-e", "--regexp", "--include", "--exclude", "-g", "--glob")
_NAMES_ONLY = re.compile(r"-\w*[lLcq]\w*|--(files-with-matches|files-without-match|count|quiet|files)")
_NAMES_SECRET = re.compile(
    r"(--include|--glob|-g)[= ]?\S*(\.e(nv|\*|\?|\b)|env\b|\.pem|\.key|id_|secret|credential|netrc"
    r"|\.npmrc|\.pypirc|\.pgpass)"
)
_SKIPPED = frozenset({".git", "node_modules", ".venv", "venv", "target", "__pycache__"})
_MOST_ENTRIES, _MOST_BYTES = 5000, 100_000


_SECRET_NAME = re.compile(
    r"(^|[/*^.(|])(\\?\.)?env\b|id_[rde]|\.(pem|key|p12|pfx|jks|netrc|npmrc|pypirc)\b|secret|credential"
)


def lists_secrets(commands: Sequence[Command]) -> bool:
    """Whether names of files with secrets are looked for, for another program to read them."""
    for command in commands:
        texts = [text for word in command.words for text in word.values or ()]
        if any(_SECRET_NAME.search(text) for text in texts[1:]):
            return True
        if texts[:1] == ["ls"] and any(
            re.fullmatch(r"-\w*[aA]\w*|--(all|almost-all)", text) for text in texts
        ):
            return True
    return False


def _grep(command: Command, place: Place) -> Reach | None:
    words = command.words[1:]
    options = [word.text or "" for word in words if is_option(word)]
    named = any(re.match(r"-\w*e|--regexp", option) for option in options)
    refused = [one for one in _REFUSED if one != "-z" or command.words[0].text in ("rg", "ag")]
    if any(given(option, refused) for option in options):
        return None  # `-z` looks into archives with the one, and ends lines otherwise with the other
    plain: list[Word] = []
    wanted: list[str] = []
    taken = ""
    for word in words:
        if taken:
            if re.search(r"e$|regexp", taken):
                wanted.append(word.text or "")
            taken = ""
        elif is_option(word):
            taken = word.text or "" if _TAKES.fullmatch(word.text or "") else ""
        else:
            plain.append(word)
    places = plain if named else plain[1:]
    if not named and plain:
        wanted.append(plain[0].text or "")
    told = [option for option in options if not option.startswith(_FREE)]
    if not all(place.reads(word) for word in places) or not values_fine(told, place):
        return None
    return None if _meets_secret(command, options, wanted, places, place) else Reach.READS


def _meets_secret(
    command: Command, options: list[str], wanted: list[str], places: list[Word], place: Place
) -> bool:
    """Whether a search of whole folders would show a line of a file with secrets in it."""
    name = command.words[0].text or ""
    told = " ".join(word.text or "" for word in command.words[1:])
    if _NAMES_SECRET.search(told):
        return True
    recursive = name in ("rg", "ag") or any(
        re.match(r"-[a-zA-Z]*[rR]|--recursive|--dereference", option) for option in options
    )
    if not recursive or any(_NAMES_ONLY.fullmatch(option) for option in options):
        return False
    included = re.findall(r"--include[= ](\S+)|(?:-g|--glob)[= ]([^!\s]\S*)", told)
    patterns = [one for pair in included for one in pair if one]
    typed = bool(re.search(r"(^| )(-t|--type|-T)[= ]?\w+|--(py|js|ts|python|go|rust|md)\b", told))
    flags = (
        re.IGNORECASE if any(re.match(r"-[a-zA-Z]*i|-S|--ignore-case", option) for option in options) else 0
    )
    hidden = name not in ("rg", "ag") or any(re.match(r"-\w*[u.]|--hidden|--no-ignore", o) for o in options)
    folders = [
        under(folder, value or ".")
        for word in places
        for value in word.values or (".",)
        for folder in place.folders
    ]
    for file in _secrets(folders or list(place.folders)):
        if typed or (patterns and not any(fnmatch(file.name, one.strip("'\"")) for one in patterns)):
            continue
        if (hidden or not file.name.startswith(".")) and _shows(file, wanted, flags):
            return True
    return False


def _secrets(folders: list[Path]) -> Iterator[Path]:
    seen = 0
    for folder in folders:
        for where, names, files in os.walk(folder):
            names[:] = [name for name in names if name not in _SKIPPED]
            seen += len(names) + len(files)
            if seen > _MOST_ENTRIES:
                return
            yield from (Path(where) / name for name in files if is_secret(name, glob=False))


def _shows(file: Path, wanted: list[str], flags: int) -> bool:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")[:_MOST_BYTES]
    except OSError:
        return False
    for pattern in wanted:
        try:
            if re.search(pattern.replace("\\|", "|"), text, flags | re.MULTILINE):
                return True
        except re.error:
            if pattern in text:
                return True
    return False


def _find(command: Command, place: Place) -> Reach | None:
    if any(word.text in ("-L", "-H", "-P") for word in command.words[1:2]):
        command = Command([command.words[0], *command.words[2:]])
    words = [word.text for word in command.words[1:]]
    at = 0
    while at < len(words) and not (words[at] or "-").startswith(("-", "(", "!")):
        at += 1
    if not all(place.reads(word) for word in command.words[1 : at + 1]):
        return None
    rest, inner = words[at:], []
    patterns = command.words[at + 1 :]
    if any(word.values is None for word in patterns) and not all(
        w.quoted for w in patterns if w.values is None
    ):
        return None
    at = 0
    while at < len(rest):
        word = rest[at]
        if word in ("-exec", "-execdir"):
            end = next((n for n in range(at, len(rest)) if rest[n] in (";", "+")), None)
            if end is None:
                return None
            inner.append(patterns[at + 1 : end])
            at = end
        elif (
            word is not None
            and word.startswith("-")
            and not re.fullmatch(
                r"-(i?name|i?path|i?regex|regextype|type|maxdepth|mindepth|size|mtime|mmin|newer([aBcm][aBcmt])?"
                r"|empty|print0?|printf|not|and|or|o|a"
                r"|prune|perm|user|group|ls|xdev|mount|quit|depth|atime|ctime|cmin|amin|L|H|P|E"
                r"|executable|readable|writable|\d+\w?)",
                word,
            )
            and not (rest[at - 1] == "-perm" and re.fullmatch(r"[-/][ugoa]*[+=]?[0-7rwxst]+", word))
        ):
            return None
        at += 1
    if inner and lists_secrets([command]):
        return None
    for words_ in inner:
        if not words_ or not _reads_names(words_, place):
            return None
    return Reach.READS


def _reads_names(words: Sequence[Word], place: Place) -> bool:
    name = words[0].text or ""
    rule = RULES.get(name) or READS.get(name)
    if rule is None or name in ("find", "tee", "awk", "gawk", "mawk"):
        return False
    told = [Word(None, quoted=True, local=True) if word.text == "{}" else word for word in words]
    return rule(Command(list(told)), place) is Reach.READS


RULES: dict[str, Rule] = {**dict.fromkeys(("grep", "egrep", "fgrep", "rg", "ag"), _grep), "find": _find}
