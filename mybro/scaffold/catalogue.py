"""Which templates there are."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from mybro.errors import ScaffoldError


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of project."""

    name: str
    path: Path
    title: str
    """What it is for, in one line."""
    tags: tuple[str, ...]
    """Words that a person may use for it."""
    needs: tuple[str, ...]
    """Programs without which the project cannot be built."""
    next: tuple[str, ...]
    """The two commands that a person types first."""
    lock: str
    """The command that writes down the exact versions of what it depends on."""


def folder() -> Path:
    """Where the templates are: in the checkout, or in the installed package."""
    beside = Path(__file__).parents[2] / "templates"
    return beside if beside.is_dir() else Path(__file__).parent / "templates"


def templates() -> list[Template]:
    """Every template, by name."""
    return [_read(path.parent) for path in sorted(folder().glob("*/template.toml"))]


def find(name: str) -> Template:
    """The template that a person means: by its name, however it is written, or by one of its tags.

    Raises `ScaffoldError`.
    """
    tagged = matching(name)
    if len(tagged) == 1:
        return tagged[0]
    names = ", ".join(each.name for each in tagged or templates())
    message = f"there are several templates for {name}" if tagged else f"there is no template {name}"
    raise ScaffoldError("no_template", message, hint=f"Choose from: {names}")


def matching(name: str) -> list[Template]:
    """The templates that a person may mean: the one that has this name, else all that have it for a tag."""
    wanted = _plain(name)
    known = templates()
    named = [each for each in known if wanted == _plain(each.name)]
    return named or [
        each for each in known if wanted in map(_plain, each.tags) or wanted in _plain(each.name).split()
    ]


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("-", " ").replace("_", " ").split())


def _read(path: Path) -> Template:
    told = tomllib.loads((path / "template.toml").read_text(encoding="utf-8"))
    return Template(
        path.name,
        path,
        told["title"],
        tuple(told["tags"]),
        tuple(told["needs"]),
        tuple(told["next"]),
        told["lock"],
    )
