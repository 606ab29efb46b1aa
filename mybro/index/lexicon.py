"""The names of a repository as they are said, found again by their words or by their sound."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from mybro.index.repository import Index
from mybro.index.sound import NUMBER_WORDS, likenesses, skeleton, sound, spelled
from mybro.naming import parts
from mybro.vocabulary import words as word_lists

MOST_NAMES = 20_000
"""The weightiest; the rest of a monster repository is not looked for."""
LONGEST = 9
"""Words of a name."""
_ACRONYMS = word_lists("names")["ACRONYMS"]
_PIECES = re.compile(r"[a-z]+|[0-9]+")
_RECENT = 3.0
_KIND_WEIGHT = {"class": 1.6, "function": 1.4, "method": 1.3, "constant": 1.2, "module": 1.2, "variable": 1.0}


@dataclass(slots=True)
class Name:
    """One way in which the repository writes something."""

    written: str
    kinds: set[str]
    """function, method, class, constant, variable, module, path, branch, dependency or phrase."""
    weight: float
    """How likely it is to be said: by use, kind and recent edits."""


@dataclass(slots=True)
class Said:
    """Names that are said alike: user_id, userId and UserId."""

    words: tuple[str, ...]
    sounds: tuple[str, ...]
    """More than one where a part can be read or spelled: "id"."""
    names: dict[str, Name] = field(default_factory=dict)


def spoken(written: str) -> tuple[str, ...]:
    """The words in which a name is said: "utf8_len" is utf, eight, len; a path has "dot" and "slash"."""
    found: list[str] = []
    for mark, text in _marked(written):
        if mark:
            found.append(mark)
        for part in parts(text):
            for piece in _PIECES.findall(part):
                found += _digits(piece) if piece.isdecimal() else [piece]
    return tuple(found)


def _marked(written: str) -> Iterator[tuple[str, str]]:
    """The stretches between dots and slashes, each with the word for what stands before it."""
    rest = written.lstrip("_.")
    mark = "dot" if written.startswith(".") else ""
    for piece in re.split(r"([./])", rest):
        if piece in (".", "/"):
            mark = "dot" if piece == "." else "slash"
        else:
            yield mark, piece


def _digits(text: str) -> list[str]:
    return [NUMBER_WORDS[text]] if text in NUMBER_WORDS else [NUMBER_WORDS[digit] for digit in text]


def sounds_of(words: Sequence[str]) -> tuple[str, ...]:
    """How a name's words can sound: acronyms read as words too, and as letters."""
    whole = "".join(map(sound, words))
    letters = "".join(spelled(word) if word in _ACRONYMS else sound(word) for word in words)
    return (whole,) if whole == letters else (letters, whole)


class Lexicon:
    """Names that can be looked up by what was heard. Built once, then only read, from any thread."""

    def __init__(self, names: Iterable[tuple[str, str, float]]) -> None:
        """From (written, kind, weight); the same name may come more than once."""
        merged: dict[str, Name] = {}
        for written, kind, weight in names:
            known = merged.setdefault(written, Name(written, set(), 0.0))
            known.kinds.add(kind)
            known.weight += weight
        kept = sorted(merged.values(), key=lambda name: -name.weight)[:MOST_NAMES]
        self._said: dict[str, Said] = {}
        for name in kept:
            words = spoken(name.written)
            if 0 < len(words) <= LONGEST and len("".join(words)) > 1:
                joined = "".join(words)
                said = self._said.get(joined)
                if said is None:
                    said = self._said[joined] = Said(words, sounds_of(words))
                said.names[name.written] = name
        self._near: dict[str, list[Said]] = {}
        for said in self._said.values():
            for variant in {variant for one in said.sounds for variant in _variants(skeleton(one))}:
                self._near.setdefault(variant, []).append(said)
        self.words = frozenset(word for said in self._said.values() for word in said.words)
        """Every word of every name."""
        self.ordered: tuple[Name, ...] = tuple(kept)
        """All names, the weightiest first."""

    def __len__(self) -> int:
        return len(self.ordered)

    def exact(self, words: Sequence[str]) -> Said | None:
        """What is said in just these words, wherever the recogniser put spaces between them."""
        return self._said.get("".join(words))

    def alike(self, heard: str, least: float) -> list[tuple[float, Said]]:
        """What sounds like `heard`, with its likeness (0 to 1), the likest first."""
        near: dict[int, Said] = {}
        for variant in _variants(skeleton(heard)):
            for said in self._near.get(variant, ()):
                near[id(said)] = said
        both = [(said, one) for said in near.values() for one in said.sounds]
        best: dict[int, float] = {}
        for (said, _), fit in zip(both, likenesses(heard, [one for _, one in both], least), strict=True):
            best[id(said)] = max(best.get(id(said), 0.0), fit)
        found = [(best[key], said) for key, said in near.items() if best[key]]
        return sorted(found, key=lambda pair: -pair[0])


def _variants(bones: str) -> set[str]:
    """A skeleton, and it with one consonant left out: two that differ in one place have one in common."""
    if len(bones) < 3:
        return {bones}
    return {bones} | {bones[:at] + bones[at + 1 :] for at in range(len(bones))}


def names_of(index: Index) -> Iterator[tuple[str, str, float]]:
    """What a repository's lexicon is made of."""
    fresh = {path: _RECENT * (1 - at / (2 * len(index.recent))) for at, path in enumerate(index.recent)}
    for path, found in index.symbols.items():
        boost = 1.0 + fresh.get(path, 0.0)
        for symbol in found:
            weight = _KIND_WEIGHT[symbol.kind] * (0.5 + math.log1p(symbol.uses)) * boost
            yield symbol.name, symbol.kind, weight
    for path in index.paths:
        weight = 3.0 * (1.0 + fresh.get(path, 0.0))
        yield PurePosixPath(path).name, "path", weight
        if 1 <= path.count("/") <= 3:
            yield path, "path", weight / 2
    for at, branch in enumerate(index.branches):
        yield branch, "branch", 4.0 / (1 + at / 10)
    for name in index.dependencies:
        yield name, "dependency", 3.0
