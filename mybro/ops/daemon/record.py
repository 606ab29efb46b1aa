"""What the supervisor leaves for others to read, also after its end; and that there is only one."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from mybro.errors import ChildError


@dataclass(frozen=True, slots=True)
class Told:
    """One life of the supervisor."""

    pid: int = 0
    repo: str = ""
    since: float = 0.0
    """Seconds since the epoch."""
    child: int | None = None
    """The session's process, while there is one."""
    restarts: int = 0
    last: str = ""
    """Why it was restarted last."""
    gave_up: str = ""
    """Why it is not restarted any more."""
    hint: str = ""
    ended: str = ""
    upgrade: str = ""
    """How far the last upgrade has come; empty before the first."""
    can_upgrade: bool = False


class Record:
    """The supervisor's side: holds a lock as long as it lives."""

    def __init__(self, folder: Path, lock: int, told: Told) -> None:
        self._file = folder / "daemon.json"
        self._lock: int | None = lock
        self._told = told
        self.update()

    @classmethod
    def begin(cls, folder: Path, repo: Path) -> Self:
        """Raises `ChildError` daemon_running where another supervisor lives."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / "daemon.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise ChildError(
                "daemon_running", "a daemon is running already", hint="Stop it: mybro daemon stop"
            ) from None
        return cls(folder, lock, Told(os.getpid(), str(repo), time.time()))

    @property
    def restarts(self) -> int:
        return self._told.restarts

    def update(self, **changes: Any) -> None:
        """Write it down; a full disk is no reason to end."""
        self._told = replace(self._told, **changes)
        new = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):
            new.write_text(json.dumps(asdict(self._told)))
            new.chmod(0o600)
            new.replace(self._file)

    def close(self) -> None:
        """Let go. Works twice."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def read(folder: Path) -> tuple[Told | None, bool]:
    """The newest record, if there is one, and whether its supervisor lives."""
    try:
        found = json.loads((folder / "daemon.json").read_text())
        known = {field.name for field in fields(Told)}
        told = Told(**{name: value for name, value in found.items() if name in known})
    except (OSError, ValueError, AttributeError):
        return None, False
    return told, _is_locked(folder / "daemon.lock")


def _is_locked(path: Path) -> bool:
    try:
        lock = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
