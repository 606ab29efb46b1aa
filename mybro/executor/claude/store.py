"""Which session belongs to a repository, so that it is resumed after a restart."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from mybro.executor.checkpoint.lock import FileLock


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is remembered of a session."""

    session: str
    spent_usd: float = 0.0
    """All that the session has cost so far."""
    next_usd: float = 0.0
    """What its next model step is going to cost."""
    told: str = ""
    """Of the instructions that it knows, their digest."""
    fixed: float = 0.0
    """Of what its last step began with, the tokens of all but the conversation; 0.0 where nobody counted."""
    counter_usd: float = 0.0
    """What the agent's own counter stood at, where it has one."""


@dataclass(frozen=True, slots=True)
class FirstStep:
    """What the last new session with a setting of the model began with."""

    model: str
    """That answered."""
    tokens: float
    """What it took in beside its instructions and the prompt, as so many uncached tokens."""
    usd: float = 0.0
    """What these cost, of an agent that tells no prices."""


_MOST_FILES = 2000
_FIRST_STEPS = "first-steps"
_MOST_MODELS = 50


class SessionStore(Protocol):
    """Where session ids are kept."""

    def load(self, repo: Path) -> Remembered | None:
        """The repository's session, if there is one."""
        ...

    def save(self, repo: Path, session: Remembered | None) -> None:
        """Remember it; None forgets."""
        ...

    def release(self, repo: Path) -> None:
        """It is not used any more, here."""
        ...

    def first_step(self, model: str, seen: FirstStep | None = None) -> FirstStep | None:
        """How new sessions begin with this setting of the model, if that was seen ever; `seen`: now."""
        ...


class FileSessionStore:
    """One small file to a repository, below `folder`.

    A session is one program's at a time, for the CLI lets two go on in it without knowing of each other:
    where another has it, there is none, and what begins instead is not remembered while that one lives.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[Path, FileLock] = {}

    def release(self, repo: Path) -> None:
        lock = self._locks.pop(self._file(repo), None)
        if lock is not None:
            lock.release()

    def _claim(self, repo: Path) -> bool:
        """Have it for this program alone; also where no lock can be made, since nothing is written then."""
        file = self._file(repo)
        lock = self._locks.setdefault(file, FileLock(file.with_suffix(".lock")))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return lock.held or lock.acquire()
        except OSError:
            return True

    def _file(self, repo: Path) -> Path:
        return self._folder / f"{hashlib.sha256(os.fsencode(repo.resolve())).hexdigest()[:24]}.json"

    def load(self, repo: Path) -> Remembered | None:
        """Also of a repository that was moved here, whose session knows it by its earlier place."""
        if not self._claim(repo):
            return None
        found = self._read(self._file(repo))
        return found if found is not None else self._moved(repo)

    def _moved(self, repo: Path) -> Remembered | None:
        mark = _mark(repo)
        for file in sorted(self._folder.glob("*.json"))[:_MOST_FILES] if mark else ():
            try:
                raw = json.loads(file.read_text())
                if raw["mark"] == mark and not Path(raw["repo"]).exists():
                    return self._read(file)
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return None

    @staticmethod
    def _read(file: Path) -> Remembered | None:
        try:
            raw = json.loads(file.read_text())
            next_usd = float(raw.get("next_usd") or 0.0)
            spent, told = float(raw["spent_usd"]), str(raw.get("told") or "")
            fixed, counter = float(raw.get("fixed") or 0.0), float(raw.get("counter_usd") or 0.0)
            return Remembered(str(raw["session"]), spent, next_usd, told, fixed, counter)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def save(self, repo: Path, session: Remembered | None) -> None:
        """Without effect where the disk is full or read-only: the session then starts anew next time."""
        if not self._claim(repo):
            return
        file = self._file(repo)
        with contextlib.suppress(OSError):
            if session is None:
                file.unlink(missing_ok=True)
                return
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(file, {"repo": str(repo.resolve()), "mark": _mark(repo), **asdict(session)})

    def first_step(self, model: str, seen: FirstStep | None = None) -> FirstStep | None:
        """Of two that are noted at the same time one may be lost: the next session notes it again."""
        file = self._folder / _FIRST_STEPS
        try:
            known = json.loads(file.read_text())
            found = {str(name): FirstStep(str(at[0]), *map(float, at[1:3])) for name, at in known.items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            found = {}
        if seen is None:
            return found.get(model)
        kept = [(name, step) for name, step in found.items() if name != model][1 - _MOST_MODELS :]
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(file, {name: [step.model, step.tokens, step.usd] for name, step in [*kept, (model, seen)]})
        return seen


def _write(file: Path, content: dict[str, Any]) -> None:
    fresh = file.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(content))
    fresh.replace(file)


def _mark(repo: Path) -> str:
    """By which a folder is known where it is moved to on the same disk; empty for one that is not there.

    Two numbers, since that of a folder which is gone may be given to another one.
    """
    try:
        top, inside = repo.stat(), (repo / ".git").stat()
    except OSError:
        return ""
    return f"{top.st_dev}:{top.st_ino}:{inside.st_ino}"
