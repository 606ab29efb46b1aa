"""Find, freeze and end a process with everything below it, also what hides from its process group.

A process is known by its number and its start time together (`psutil.Process` compares both), so that a
number which the system gave to a newcomer is never hit. What left the tree (a double fork) is found by an
environment variable that every descendant inherits. Not found: what left the tree and also emptied its
environment, where no subreaper (`mybro.ops.keeper`, Linux) caught it; and on macOS a marked process that
runs one of Apple's own protected programs, whose environment nobody may read.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Set

import psutil

MARKER = "MYBRO_JOB"
"""The environment variable; its value is a slash-separated list of tokens, the innermost job's last."""

_FREEZE_ROUNDS = 60
_KILL_ROUNDS = 5
_KILL_WAIT_S = 0.5
_DEAD = frozenset({psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD})
_QUIET = _DEAD | {psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP, psutil.STATUS_DISK_SLEEP}


Root = psutil.Process | int | None
"""The top of a tree. A number is safe only while it cannot have been given to another process: use it for
a child that was not yet waited for, and a `psutil.Process` made in time for anything else."""


def descendants(root: Root, marker: str | None = None) -> list[psutil.Process]:
    """What lives below `root`, without itself, and what carries the token `marker`, by number."""
    roots = _roots(root)
    return sorted(_scan(roots, marker).keys() - roots, key=lambda p: p.pid)


def freeze(root: Root, marker: str | None = None) -> frozenset[psutil.Process]:
    """SIGSTOP everything that `descendants` finds, until nothing new turns up; undo it with `thaw`.

    `root` itself goes on, so that a keeper can still end what is frozen below it.
    """
    return frozenset(_freeze(_roots(root), marker, spared=_roots(root)))


def thaw(processes: Iterable[psutil.Process]) -> None:
    """Let frozen processes go on."""
    _signal(processes, signal.SIGCONT)


def kill_tree(root: Root, *, marker: str | None = None, grace_s: float = 0.0) -> tuple[int, ...]:
    """End `root` (unless it is the caller), everything below it and everything marked; blocks.

    All are frozen first, so that none forks away meanwhile. With `grace_s` they then get SIGTERM and that
    many seconds before SIGKILL. Returns the numbers of those that live on: empty unless the system
    refuses, after at most `grace_s` and some three seconds.
    """
    roots = _roots(root)
    known = roots | _freeze(roots, marker)
    if grace_s > 0:
        _signal(known, signal.SIGTERM)
        _signal(known, signal.SIGCONT)
        _wait_dead(known, marker, grace_s)
        known |= _freeze(known, marker)
    left: set[psutil.Process] = set()
    for _ in range(_KILL_ROUNDS):
        _signal(known, signal.SIGKILL)
        left = _wait_dead(known, marker, _KILL_WAIT_S)
        if not left:
            break
        known |= left
    return tuple(sorted(p.pid for p in left))


def _roots(root: Root) -> set[psutil.Process]:
    try:
        return set() if root is None else {psutil.Process(root) if isinstance(root, int) else root}
    except psutil.NoSuchProcess:
        return set()


def _scan(known: Set[psutil.Process], marker: str | None) -> dict[psutil.Process, str]:
    """Of the machine's living processes: those known, what is below them, what is marked; with status."""
    below: dict[int, list[psutil.Process]] = {}
    status: dict[psutil.Process, str] = {}
    found: list[psutil.Process] = []
    for pid in psutil.pids():
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                below.setdefault(process.ppid(), []).append(process)
                status[process] = process.status()
        except psutil.Error:
            continue
        if process in known or (marker is not None and _is_marked(process, marker)):
            found.append(process)
    family: dict[psutil.Process, str] = {p: status[p] for p in found}
    while found:
        for child in below.get(found.pop().pid, ()):
            if child not in family and child in status:
                family[child] = status[child]
                found.append(child)
    me = os.getpid()
    return {p: s for p, s in family.items() if p.pid != me and s not in _DEAD}


def _is_marked(process: psutil.Process, marker: str) -> bool:
    try:
        return marker in process.environ().get(MARKER, "").split("/")
    except (psutil.Error, OSError):
        return False


def _freeze(
    roots: set[psutil.Process], marker: str | None, spared: Set[psutil.Process] = frozenset()
) -> set[psutil.Process]:
    """A stop takes effect a moment after it is sent, and a fork under way completes: hence the rounds."""
    known = set(roots)
    stopped: set[psutil.Process] = set()
    for _ in range(_FREEZE_ROUNDS):
        found = {p: status for p, status in _scan(known, marker).items() if p not in spared}
        new = found.keys() - stopped
        if not new and all(status in _QUIET for status in found.values()):
            break
        _signal(new or found, signal.SIGSTOP)
        stopped |= new
        known |= new
        time.sleep(0.001)
    return stopped


def _wait_dead(known: set[psutil.Process], marker: str | None, seconds: float) -> set[psutil.Process]:
    deadline = time.monotonic() + seconds
    known = set(known)
    while left := _scan(known, marker).keys():
        known |= left
        if time.monotonic() >= deadline:
            break
        time.sleep(0.005)
    return set(left)


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    me = os.getpid()
    for process in processes:
        if process.pid != me:
            try:
                process.send_signal(number)
            except (psutil.Error, ProcessLookupError):
                continue
