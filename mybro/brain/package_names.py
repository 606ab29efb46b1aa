"""The packages that a sentence names, and whether it is packages that it names at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mybro.packages.known import written
from mybro.vocabulary import words as lists
from mybro.words import Word, join

_MOST = 6
_LONGEST = 3
"""Words of a name that nobody knows."""
_SAID = frozenset(
    {"package", "packages", "library", "libraries", "dependency", "dependencies", "crate", "crates"}
)
_TOOLS = frozenset({"uv", "npm", "cargo", "pip", "pnpm", "yarn", "poetry"})
_DEPENDS = frozenset({"dependency", "dependencies", "crate", "crates", "uninstall", *_TOOLS})
_PLAIN = lists("packages")["plain"]
_NOISE = (
    lists("packages")["noise"]
    | _SAID
    | {"for", "that", "with", "to", "from", "in", "is", "which", "of", "on"}
)
_NAME = re.compile(r"@?[a-z0-9][a-z0-9._/-]*")


def packages(said: Sequence[Word], names: Sequence[Word], *, there: bool = False) -> str | None:
    """The names as they are written, with a space between; None where something else may be meant.

    One that is not well known must be called a package; where it is there already, a dependency: "remove the
    utils package" is about code.
    """
    spoken = {word.norm for word in said}
    explicit = bool(spoken & (_DEPENDS if there else _SAID | _TOOLS))
    called = bool(spoken & (_SAID | _TOOLS | {"uninstall"}))
    found: list[str] = []
    for group in _groups(names):
        known = written(join(group))
        if known is not None and (called or known not in _PLAIN):
            found.append(known)
        elif explicit and known is None and (name := _unknown(group)):
            found.append(name)
        else:
            return None
    return " ".join(dict.fromkeys(found)) if 0 < len(found) <= _MOST else None


def _groups(names: Sequence[Word]) -> Iterator[list[Word]]:
    """ "httpx, rich and fast api" is three."""
    group: list[Word] = []
    for word in names:
        if word.norm == "and":
            if group:
                yield group
            group = []
            continue
        if word.norm in ("the", "a", "an") and not group:
            continue
        group.append(word)
        if word.raw.endswith(","):
            yield group
            group = []
    if group:
        yield group


def _unknown(group: Sequence[Word]) -> str | None:
    if len(group) > _LONGEST or any(word.norm in _NOISE for word in group):
        return None
    name = "-".join(word.text.lower() for word in group)
    return name if _NAME.fullmatch(name) else None
