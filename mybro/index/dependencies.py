"""The packages that a repository names as its dependencies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mybro.ops import toml

_NAME = re.compile(r"[A-Za-z0-9@][\w.\-/@]*")
_GO = re.compile(r"^\s*(?:require\s+)?([\w.\-]+\.[\w./\-]+)\s+v\d", re.MULTILINE)


def dependencies(root: Path) -> list[str]:
    """Names from the manifests at the top; a manifest that cannot be read counts as empty."""
    found: list[str] = []
    for name, read in _READERS.items():
        try:
            found += read((root / name).read_text("utf-8"))
        except (OSError, ValueError, TypeError, AttributeError):
            continue
    return sorted({name for name in found if len(name) > 1})


def _python(text: str) -> Iterator[str]:
    data = toml.parse(text)
    project = data.get("project", {})
    groups = [*project.get("optional-dependencies", {}).values(), *data.get("dependency-groups", {}).values()]
    for wanted in [*project.get("dependencies", []), *(one for group in groups for one in group)]:
        if isinstance(wanted, str) and (match := _NAME.match(wanted)):
            yield match[0]
    yield from data.get("tool", {}).get("poetry", {}).get("dependencies", {})


def _requirements(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not line.startswith(("-", "#")) and (match := _NAME.match(line.strip())):
            yield match[0]


def _node(text: str) -> Iterator[str]:
    data: dict[str, Any] = json.loads(text)
    for group in ("dependencies", "devDependencies", "peerDependencies"):
        yield from (name.rpartition("/")[2] for name in data.get(group, {}))


def _rust(text: str) -> Iterator[str]:
    data = toml.parse(text)
    for group in ("dependencies", "dev-dependencies", "build-dependencies"):
        yield from data.get(group, {})
    yield from data.get("workspace", {}).get("dependencies", {})


def _go(text: str) -> Iterator[str]:
    yield from (match[1].rpartition("/")[2] for match in _GO.finditer(text))


_READERS = {
    "pyproject.toml": _python, "requirements.txt": _requirements, "package.json": _node, "Cargo.toml": _rust,
    "go.mod": _go,
}  # fmt: skip
