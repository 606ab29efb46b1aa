"""The names of packages that are well known, however they are said."""

from __future__ import annotations

import functools
import re

from mybro.vocabulary import words

_LISTS = {"uv": "pypi", "npm": "npm", "cargo": "crates"}


def written(spoken: str) -> str | None:
    """How a well-known package is written: "fast api" is fastapi; None for any other."""
    return _by_sound().get(_bare(spoken))


def managers_of(name: str) -> list[str]:
    """The managers whose packages have one of this name that is well known."""
    lists = words("packages")
    return [manager for manager, place in _LISTS.items() if name in lists[place]]


@functools.cache
def _by_sound() -> dict[str, str]:
    lists = words("packages")
    return {_bare(name): name for place in reversed(_LISTS.values()) for name in sorted(lists[place])}


def _bare(name: str) -> str:
    return re.sub(r"[\s._-]+", "", name.casefold())
