"""What ruff is told: the doctor's own settings, and of the project's only what silences or describes."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import tomlkit

from mybro.doctor.engines.audited import RULE
from mybro.doctor.facts import Repository
from mybro.ops import toml

_TARGETS = ("py37", "py38", "py39", "py310", "py311", "py312", "py313", "py314")
_DECLARES = [
    f"{framework}.{name}"
    for framework, names in {
        "fastapi": "Depends Query Path Body Header Cookie Form File Security",
        "typer": "Option Argument",
        "django.db.models": "Q F",
        "pathlib": "Path PurePath",
        "datetime": "timedelta",
    }.items()
    for name in names.split()
]
"""Calls that belong in a default: a framework asks them again, or what they make never changes."""
_UNUSED = r"^(_+|(_+[a-zA-Z0-9_]*[a-zA-Z0-9]+?)|dummy|(unused|ignored)_\w+)$"
"""Names that say themselves that nothing uses them."""
_BUILT_IN = ["get_ipython", "reveal_type"]


def configuration(repo: Repository, codes: list[str], names: dict[str, dict[str, str]]) -> str:
    own = own_settings(repo)
    lint: dict[str, Any] = {
        "select": codes,
        "preview": False,
        "ignore": [code for code in own.get("ignore", []) if isinstance(code, str)],
        "per-file-ignores": {k: v for k, v in own.get("per-file-ignores", {}).items() if isinstance(v, list)},
        "pylint": {"max-args": 9, "max-statements": 80},
        "external": ["mybro"],
        "dummy-variable-rgx": _UNUSED,
    }
    lint["flake8-bugbear"] = {"extend-immutable-calls": _DECLARES}
    if names:
        lint["select"] = [*dict.fromkeys((*codes, RULE))]
        lint["flake8-tidy-imports"] = {"banned-api": names}
    settings: dict[str, Any] = {
        "exclude": [],
        "respect-gitignore": False,
        "builtins": _BUILT_IN,
        "lint": lint,
    }
    target = target_version(repo)
    if target:
        settings["target-version"] = target
    return tomlkit.dumps(settings)


def own_settings(repo: Repository) -> dict[str, Any]:
    """What the project itself told ruff to be silent about: a decision that is its own."""
    for name, path in (("ruff.toml", ()), (".ruff.toml", ()), ("pyproject.toml", ("tool", "ruff"))):
        try:
            data: Any = toml.parse(repo.text(name) or "")
        except tomllib.TOMLDecodeError:
            continue
        for key in path:
            data = data.get(key, {}) if isinstance(data, dict) else {}
        if isinstance(data, dict) and data:
            lint = data["lint"] if isinstance(data.get("lint"), dict) else data
            ignore = [code for key in ("ignore", "extend-ignore") for code in _of(list, lint.get(key))]
            known = {
                **_of(dict, lint.get("per-file-ignores")),
                **_of(dict, lint.get("extend-per-file-ignores")),
            }
            return {"ignore": [c for c in ignore if _is_code(c)], "per-file-ignores": known}
    return {}


def _of(kind: type[Any], value: object) -> Any:
    """The value if it is of its kind: what is wrong with a setting is the project's to mend."""
    return value if isinstance(value, kind) else kind()


def _is_code(code: object) -> bool:
    return isinstance(code, str) and re.fullmatch(r"[A-Z]+\d+", code) is not None and code != RULE


def target_version(repo: Repository) -> str:
    """The oldest Python that the project supports, as ruff writes it; empty where it does not say."""
    found = re.search(
        r"""requires-python\s*=\s*["'][^"']*?>=?\s*3\.(\d+)""", repo.text("pyproject.toml") or ""
    )
    name = f"py3{found[1]}" if found else ""
    return name if name in _TARGETS else ""
