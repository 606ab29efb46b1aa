"""The process table, read fast: who forks all the time is gone again before a thorough look is over."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import psutil

Identity = tuple[int, float]
"""A process's number and start time: a number alone may be given to a newcomer."""

_STOPPED = frozenset({psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP})
_DEAD = frozenset({psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD})


@dataclass(frozen=True, slots=True)
class Entry:
    """One process as it was when it was looked at."""

    identity: Identity
    parent: int
    group: int
    stopped: bool
    waits: bool
    """Whether it waits for a disk, or for a child that it has just forked: signals wait as long."""
    dead: bool

    @property
    def pid(self) -> int:
        return self.identity[0]


def pids() -> list[int]:
    """The numbers of all processes."""
    if sys.platform == "linux":
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - in a hurry
    else:  # noqa: RET505 - type checkers skip a branch of another platform, not what follows it
        return psutil.pids()


def entry(pid: int) -> Entry | None:
    """Look at one process; None where there is none, or none that may be looked at."""
    return _from_proc(pid) if sys.platform == "linux" else from_psutil(pid)


def variable(pid: int, name: str) -> str:
    """The value of a variable in the environment that a process was started with; "" where unknown."""
    if sys.platform == "linux":
        for line in _read(f"/proc/{pid}/environ").split(b"\0"):
            if line.startswith(name.encode() + b"="):
                return os.fsdecode(line[len(name) + 1 :])
        return ""
    else:  # noqa: RET505 - as above
        return variable_from_psutil(pid, name)


def _from_proc(pid: int) -> Entry | None:
    # The program's name, in parentheses, may itself hold parentheses and spaces. See proc_pid_stat(5).
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    if len(fields) < 20:
        return None
    state, threads = fields[0], int(fields[17])
    return Entry(
        identity=(pid, float(fields[19])),
        parent=int(fields[1]),
        group=int(fields[2]),
        stopped=state in (b"T", b"t"),
        waits=state == b"D",
        # Whose first thread alone has ended looks like a zombie, too.
        dead=state in (b"Z", b"X", b"x") and threads <= 1,
    )


def from_psutil(pid: int) -> Entry | None:
    """The same on any system, slower."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            status, parent, born = process.status(), process.ppid(), process.create_time()
        group = os.getpgid(pid)
    except (psutil.Error, OSError):
        return None
    return Entry(
        (pid, born), parent, group, status in _STOPPED, status == psutil.STATUS_DISK_SLEEP, status in _DEAD
    )


def variable_from_psutil(pid: int, name: str) -> str:
    """The same on any system, slower."""
    try:
        return psutil.Process(pid).environ().get(name, "")
    except (psutil.Error, OSError):
        return ""


def _read(path: str) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(file, 1 << 16):
            parts.append(part)
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(file)
