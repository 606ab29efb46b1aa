"""Programs that make files: allowed inside of the repository, where nothing is there yet."""

from __future__ import annotations

import re
from pathlib import PurePath

from mybro.executor.claude.gate.paths import under
from mybro.executor.claude.gate.place import Place, Reach, Rule
from mybro.executor.claude.gate.reading import is_option
from mybro.executor.claude.gate.words import Command, Word
from mybro.vocabulary import words as word_lists

CODE = word_lists("effects")["CODE"]


def _split(command: Command, allowed: str) -> list[Word] | None:
    """The words that are no options; None where an option is not among those allowed."""
    plain: list[Word] = []
    for word in command.words[1:]:
        if is_option(word):
            if not re.fullmatch(allowed, word.text or ""):
                return None
        else:
            plain.append(word)
    return plain


def _mkdir(command: Command, place: Place) -> Reach | None:
    plain = _split(command, r"-[pv]+|--parents")
    if not plain or any(w.values is None or w.glob or not place.changes(w) for w in plain):
        return None
    for word in plain:
        if not place.exists(word.text or "."):
            place.made(word)
    return Reach.WRITES


def _touch(command: Command, place: Place) -> Reach | None:
    plain = _split(command, r"-[acm]+")
    if not plain or any(w.values is None or w.glob or place.touches(w) is None for w in plain):
        return None
    return Reach.WRITES


def _copy(command: Command, place: Place) -> Reach | None:
    plain = _split(command, r"-[rRapvni]+|--recursive|--archive|--no-clobber|--verbose|--")
    if plain is None or len(plain) < 2 or not all(place.reads(word) for word in plain[:-1]):
        return None
    if any(word.text in ("/dev/null", "/dev/stdin") for word in plain[:-1]):
        return None
    return _into(plain[:-1], plain[-1], place)


def _into(sources: list[Word], target: Word, place: Place) -> Reach | None:
    """Whether nothing is overwritten where the sources go."""
    name = target.text
    if name is None or not place.changes(target):
        return None
    if not place.exists(name) and not (place.is_own(target) and not PurePath(name).suffix):
        alone = len(sources) == 1 and not sources[0].glob and len(sources[0].values or ()) == 1
        return place.makes(target) if alone and not name.endswith("/") else None
    if place.exists(name) and not place.is_folder(name):
        return None
    for source in sources:
        for value in source.values or ("",):
            if source.glob or not value or not PurePath(value).name:
                return None
            if place.makes(Word((f"{name.rstrip('/')}/{PurePath(value).name}",))) is None:
                return None
    return Reach.WRITES


def _move(command: Command, place: Place) -> Reach | None:
    """A new name for a file that is written by hand: its content stays, and nothing is written over."""
    plain = _split(command, r"-[vni]+|--no-clobber|--verbose|--")
    if (
        plain is None
        or len(plain) < 2
        or (plain[-1].text or "/").startswith(("/", ".."))
        or any(word.glob or word.values is None for word in plain)
    ):
        return None
    for word in plain[:-1]:
        for value in word.values or ():
            if PurePath(value).suffix.lstrip(".") not in CODE and not place.is_own(word):
                return None
            if (
                place.loses(word)
                or not place.changes(word)
                or any(under(folder, value).is_dir() for folder in place.folders)
            ):
                return None
    place.moved = True
    for word in plain[:-1]:
        place.puts(word)
    return _into(plain[:-1], plain[-1], place)


def _remove(command: Command, place: Place) -> Reach | None:
    """What the command line has made itself, or a temporary file that is not there, it may delete."""
    plain = _split(command, r"-[rfvR]+|--recursive|--force|--")
    alone = [word.text for word in command.words[1:2]] == ["-f"] and not place.moved
    fine = all(place.is_own(word) or (alone and place.is_temporary(word.text or "")) for word in plain or ())
    return Reach.WRITES if plain and fine else None


def _link(command: Command, place: Place) -> Reach | None:
    plain = _split(command, r"-s|--symbolic")
    if plain is None or len(plain) != 2 or len(command.words) != 4:
        return None
    name, target = plain[1].text, plain[0].text or "/"
    if name is None or place.is_folder(name):
        return None
    place.moved = True
    meant = Word((str(PurePath(name).parent / target),))  # a link's target is told from where the link lies
    return place.makes(plain[1]) if place.changes(meant) and place.reads(meant) else None


def _tee(command: Command, place: Place) -> Reach | None:
    append = any(re.fullmatch(r"-a|--append", w.text or "") for w in command.words[1:])
    plain = _split(command, r"-a|--append")
    if plain is None:
        return None
    reach: Reach = Reach.READS
    for word in plain:
        made = place.makes(word, append=append)
        if made is None:
            return None
        reach = max(reach, made)
    return reach


def _chmod(command: Command, place: Place) -> Reach | None:
    words = command.words[1:]
    if len(words) < 2 or not re.fullmatch(r"[ugoa]*\+[rwx]+|755|644", words[0].text or ""):
        return None
    fine = all(
        word.text is not None and place.changes(word) and not place.is_folder(word.text) for word in words[1:]
    )
    return Reach.WRITES if fine else None


def _tar(command: Command, place: Place) -> Reach | None:
    words = command.words[1:]
    if not words or any(re.match(r"--(?!exclude=)", w.text or "-") or w.text is None for w in words):
        return None
    mode, rest = (words[0].text or "").lstrip("-"), words[1:]
    if re.fullmatch(r"[zjJv]*t[zjJv]*f?", mode) and [word.text for word in rest] in ([], ["-"]):
        return Reach.READS
    if any(is_option(word) for word in rest if not (word.text or "").startswith("--exclude=")) or not rest:
        return None
    if re.fullmatch(r"[zjJv]*t[zjJv]*f", mode):
        return Reach.READS if all(place.reads(word) for word in rest) else None
    if re.fullmatch(r"[zjJv]*c[zjJv]*f", mode) and all(place.reads(word) for word in rest[1:]):
        return place.makes(rest[0])
    return None


def _zip(command: Command, place: Place) -> Reach | None:
    words = command.words[1:]
    if words and re.fullmatch(r"-[rq]+", words[0].text or ""):
        words = words[1:]
    if len(words) < 2 or any(is_option(word) or not place.reads(word) for word in words):
        return None
    return place.makes(words[0])


def _unzip(command: Command, place: Place) -> Reach | None:
    words = command.words[1:]
    ok = len(words) > 1 and words[0].text in ("-l", "-t", "-Z", "-p") and all(map(place.reads, words[1:]))
    return Reach.READS if ok else None


RULES: dict[str, Rule] = {
    "mkdir": _mkdir, "touch": _touch, "cp": _copy, "mv": _move, "rm": _remove, "ln": _link,
    "tee": _tee, "chmod": _chmod,
    "tar": _tar, "unzip": _unzip, "zip": _zip,
}  # fmt: skip
