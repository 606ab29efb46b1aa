"""Finds the identifiers that spoken words mean: "user id" is user_id, userId or UserID."""

from __future__ import annotations

import difflib
import keyword
import re
from collections import Counter
from collections.abc import Iterable

_WORD = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_SPOKEN = {
    "underscore": "_", "dot": ".", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_CLOSE = 0.8


def key(name: str) -> str:
    """What is left of a name when casing and separators are taken away."""
    words = re.split(r"[^A-Za-z0-9]+", name)
    return (
        "".join(_SPOKEN.get(word.lower(), word.lower()) for word in words).replace("_", "").replace(".", "")
    )


def identifiers(texts: Iterable[str]) -> Counter[str]:
    """Every identifier-like word, with how often it occurs."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update(_WORD.findall(text))
    return found


def meant(said: str, known: Counter[str]) -> list[str]:
    """The identifiers that spoken words may mean: the exact one, or every casing, most frequent first."""
    exact = said.strip().strip("`'\"").removesuffix("()")
    if known.get(exact):
        return [exact]
    wanted = key(exact)
    return [name for name, _ in known.most_common() if key(name) == wanted]


def close(said: str, known: Counter[str], most: int = 3) -> list[str]:
    """Identifiers that sound nearly like it."""
    wanted = key(said)
    keys: dict[str, list[str]] = {}
    for name, _ in known.most_common():
        keys.setdefault(key(name), []).append(name)
    near = difflib.get_close_matches(wanted, [k for k in keys if k], n=most, cutoff=_CLOSE)
    return [keys[k][0] for k in near]


def spell_like(said: str, model: str) -> str | None:
    """Spoken words as an identifier in the style of `model`; None where they cannot be one.

    What is spelled out already ("account_id", "accountId") stays as it is.
    """
    plain = said.strip().strip("`'\"").removesuffix("()")
    if plain.isidentifier() and (plain != plain.lower() or "_" in plain):
        return None if keyword.iskeyword(plain) else plain
    words = [_SPOKEN.get(word, word) for word in re.split(r"[^a-z0-9]+", plain.lower()) if word]
    words = [word for word in words if word != "_"]
    if not words:
        return None
    lead = model[: len(model) - len(model.lstrip("_"))]
    name = lead + _join(words, model.lstrip("_"))
    return name if name.isidentifier() and not keyword.iskeyword(name) else None


def _join(words: list[str], model: str) -> str:
    if len(model) > 1 and model.upper() == model and any(c.isalpha() for c in model):
        return "_".join(words).upper()
    if model[:1].isupper():
        return "".join(word[:1].upper() + word[1:] for word in words)
    if model != model.lower() and "_" not in model:
        return words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])
    return "_".join(words)
