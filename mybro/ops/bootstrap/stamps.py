"""Stamps: what a finished step was made from, so that it is done again only when that has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def digest(files: Iterable[Path], *facts: object) -> str:
    """SHA-256 over the contents of `files` and over `facts`."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    total.update(json.dumps(facts, sort_keys=True, default=str).encode())
    return total.hexdigest()


class Stamp:
    """A file that says what a step was made from, and which files it must have left."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def fresh(self, key: str) -> bool:
        """Whether the step was finished with this key and what it left is still there."""
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
            return told["key"] == key and all(Path(left).exists() for left in told["left"])
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def clear(self) -> None:
        """Forget the step: called before it starts, so that an interrupted one is done again."""
        self._file.unlink(missing_ok=True)

    def write(self, key: str, left: Iterable[Path] = ()) -> None:
        """Note the finished step, whole or not at all."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps({"key": key, "left": [str(path) for path in left]}), encoding="utf-8")
        part.replace(self._file)
