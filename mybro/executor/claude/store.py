"""Which session belongs to a repository, so that it is resumed after a restart."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of a session."""

    session: str
    spent_usd: float = 0.0
    """All that the session has cost so far."""


class SessionStore(Protocol):
    """Where session ids are kept."""

    def load(self, repo: Path) -> Remembered | None:
        """The repository's session, if there is one."""
        ...

    def save(self, repo: Path, session: Remembered | None) -> None:
        """Remember it; None forgets."""
        ...


class FileSessionStore:
    """One small file to a repository, below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _file(self, repo: Path) -> Path:
        return self._folder / f"{hashlib.sha256(os.fsencode(repo.resolve())).hexdigest()[:24]}.json"

    def load(self, repo: Path) -> Remembered | None:
        try:
            raw = json.loads(self._file(repo).read_text())
            return Remembered(str(raw["session"]), float(raw["spent_usd"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, repo: Path, session: Remembered | None) -> None:
        """Without effect where the disk is full or read-only: the session then starts anew next time."""
        file = self._file(repo)
        with contextlib.suppress(OSError):
            if session is None:
                file.unlink(missing_ok=True)
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = file.with_suffix(f".{os.getpid()}")
            fresh.write_text(json.dumps({"repo": str(repo), **asdict(session)}))
            fresh.replace(file)
