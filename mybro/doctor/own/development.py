"""Which of a manifest's packages serve development alone: they are not what the product is made of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from mybro.ops import toml

_EXTRAS = frozenset({"dev", "develop", "development", "test", "tests", "testing", "doc", "docs", "lint"})


def only_for_development(path: str, text: str, package: str) -> bool:
    """Whether a manifest names the package, and only among what its developers and tests need."""
    reader = {"package.json": _npm, "pyproject.toml": _python, "Cargo.toml": _cargo}.get(
        path.rpartition("/")[2]
    )
    try:
        told = {develops for name, develops in reader(text) if name == package} if reader else set()
    except (ValueError, TypeError, AttributeError, RecursionError):
        return False
    return told == {True}


def _npm(text: str) -> Iterator[tuple[str, bool]]:
    whole: dict[str, Any] = json.loads(text)
    for table in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies"):
        for name in whole.get(table) or {}:
            yield name, table == "devDependencies"


def _cargo(text: str) -> Iterator[tuple[str, bool]]:
    whole = toml.parse(text)
    for table in (whole, whole.get("workspace", {}), *whole.get("target", {}).values()):
        for kind in ("dependencies", "dev-dependencies", "build-dependencies"):
            for name, value in table.get(kind, {}).items():
                yield (value.get("package", name) if isinstance(value, dict) else name), kind[:3] == "dev"


def _python(text: str) -> Iterator[tuple[str, bool]]:
    whole = toml.parse(text)
    project, poetry = whole.get("project", {}), whole.get("tool", {}).get("poetry", {})
    yield from _named(project.get("dependencies", []), False)
    yield from _named(poetry.get("dependencies", {}), False)
    yield from _named(poetry.get("dev-dependencies", {}), True)
    for name, wanted in project.get("optional-dependencies", {}).items():
        yield from _named(wanted, name in _EXTRAS)
    for wanted in whole.get("dependency-groups", {}).values():
        yield from _named(wanted, True)
    for name, group in poetry.get("group", {}).items():
        yield from _named(group.get("dependencies", {}), name in _EXTRAS)


def _named(requirements: Iterable[object], develops: bool) -> Iterator[tuple[str, bool]]:
    for requirement in requirements:
        found = re.match(r"\s*([A-Za-z0-9][\w.-]*)", requirement) if isinstance(requirement, str) else None
        if found:
            yield re.sub(r"[-_.]+", "-", found[1]).lower(), develops
