"""Has a command give way on a busy machine, so that the word that is to stop it is heard in time."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NICENESS = 10

_AUTOGROUP = Path("/proc/sys/kernel/sched_autogroup_enabled")


def give_way() -> None:
    """Lower the calling process's priority, and so that of all that it starts."""
    with contextlib.suppress(OSError):
        os.nice(NICENESS)


class Shares:
    """The processor's shares of a command's sessions.

    Where Linux gives every session an equal share (autogroups), niceness counts only inside of one. A share
    has a niceness of its own, which a new session does not inherit: so `lower` is to be called now and then.
    """

    def __init__(self, root: int) -> None:
        """`root`: the process below which all sessions are lowered, its own excepted."""
        self._root = root
        self._lowered: set[int] = set()
        self.matter = _read(_AUTOGROUP).strip() == "1"
        """Whether there is anything to lower."""

    def lower(self) -> None:
        """Lower what is new. Cheap: no look at the whole process table."""
        found = set(_below(self._root))
        self._lowered &= found
        for pid in found - self._lowered:
            group = Path(f"/proc/{pid}/autogroup")
            if _read(group).endswith(f" {NICENESS}\n"):
                self._lowered.add(pid)
                continue
            # Refused where many are lowered at once; then the next call does it.
            with contextlib.suppress(OSError):
                group.write_text(str(NICENESS))


def _below(root: int) -> list[int]:
    found: list[int] = []
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        inner = [int(word) for word in _read(Path(f"/proc/{pid}/task/{pid}/children")).split()]
        found += inner
        waiting += inner
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
