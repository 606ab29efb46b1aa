"""Find, freeze and end a process with everything below it, also what hides from its process group.

A process is known by its number and its start time together (`psutil.Process` compares both), so that a
number which the system gave to a newcomer is never hit. What left the tree (a double fork) is found by an
environment variable that every descendant inherits.

Not found: what left the tree and also emptied its environment, where no subreaper (`mybro.ops.keeper`, Linux)
caught it; on macOS a detached process that runs one of Apple's protected programs, whose environment nobody
may read; and a chain that forks, exits and changes its session faster than processes can be listed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Set
from typing import NamedTuple

import psutil

MARKER = "MYBRO_JOB"
"""The environment variable; its value is a slash-separated list of tokens, the innermost job's last."""

Root = psutil.Process | int | None
"""The top of a tree. A number is safe only while it cannot have been given to another process: use it for
a child that was not yet waited for, and a `psutil.Process` made in time for anything else."""

_FREEZE_ROUNDS = 60
_RESTLESS_ROUNDS = 6
_DISK_ROUNDS = 30
"""Looks for which a write under way is waited for; a parent of a child that was frozen too early waits on."""
_KILL_ROUNDS = 5
_KILL_WAIT_S = 0.5
_DEAD = frozenset({psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD})
_QUIET = frozenset({psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP, psutil.STATUS_DISK_SLEEP})


def descendants(root: Root, marker: str | None = None) -> list[psutil.Process]:
    """What lives below `root`, without itself, and what carries the token `marker`, by number."""
    roots = _roots(root)
    return sorted(_look(roots, marker).family.keys() - roots, key=lambda p: p.pid)


def freeze(root: Root, marker: str | None = None) -> frozenset[psutil.Process]:
    """SIGSTOP everything that `descendants` finds, until nothing new turns up; undo it with `thaw`.

    `root` itself goes on, so that a keeper can still end what is frozen below it.
    """
    return frozenset(_freeze(_roots(root), marker, spared=_roots(root), disk_rounds=_DISK_ROUNDS))


def thaw(processes: Iterable[psutil.Process]) -> None:
    """Let frozen processes go on."""
    _signal(processes, signal.SIGCONT)


def kill_tree(
    root: Root,
    *,
    marker: str | None = None,
    grace_s: float = 0.0,
    spare: Set[psutil.Process] = frozenset(),
) -> tuple[int, ...]:
    """End `root` (unless it is the caller), everything below it and everything marked; blocks.

    Those in `spare` are left alone, what is below them is not. All are frozen first, so that none forks
    away meanwhile. With `grace_s` they then get SIGTERM and that many seconds before SIGKILL. Returns the
    numbers of those that live on: empty unless the system refuses, after at most `grace_s` and some three
    seconds.
    """
    roots = _roots(root)
    known = roots | _freeze(roots, marker, spare)
    if grace_s > 0:
        _signal(known - spare, signal.SIGTERM)
        _signal(known - spare, signal.SIGCONT)
        known |= _wait_dead(known, marker, spare, grace_s).family.keys()
        known |= _freeze(known, marker, spare)
    left = _look(known, marker, spare)
    for _ in range(_KILL_ROUNDS):
        known |= left.family.keys()
        _signal(known - spare, signal.SIGKILL, left.groups)
        left = _wait_dead(known, marker, spare, _KILL_WAIT_S)
        if not left.family:
            break
    return tuple(sorted(p.pid for p in left.family))


def _roots(root: Root) -> set[psutil.Process]:
    try:
        return set() if root is None else {psutil.Process(root) if isinstance(root, int) else root}
    except psutil.NoSuchProcess:
        return set()


class _Sight(NamedTuple):
    """What one look at the process table showed."""

    family: dict[psutil.Process, str]
    """Living members and their states, without the calling process."""
    groups: set[int]
    """Process groups that consist of members only: one signal reaches all of a group at the same moment,
    also a member that is being born."""
    restless: bool
    """Whether somebody vanished between being listed and being looked at, perhaps leaving a child."""


def _look(
    known: Set[psutil.Process], marker: str | None, spared: Set[psutil.Process] = frozenset()
) -> _Sight:
    """Look for those known, what is below them and what is marked; the youngest first, for they flee."""
    below: dict[int, list[psutil.Process]] = {}
    states: dict[psutil.Process, tuple[str, int]] = {}
    found: list[psutil.Process] = []
    restless = False
    for pid in sorted(psutil.pids(), reverse=True):
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                ppid, status = process.ppid(), process.status()
            if process in known or (marker is not None and status not in _DEAD and _marked(process, marker)):
                found.append(process)
            states[process] = status, os.getpgid(pid)
            below.setdefault(ppid, []).append(process)
        except (psutil.NoSuchProcess, ProcessLookupError):
            restless = True
        except (psutil.Error, OSError):
            continue
    members = {p for p in found if p in states}
    while found:
        for child in below.get(found.pop().pid, ()):
            if child not in members:
                members.add(child)
                found.append(child)
    members -= spared
    living = {p: state for p, state in states.items() if state[0] not in _DEAD}
    family = {p: state for p, state in living.items() if p in members and p.pid != os.getpid()}
    foreign = {group for p, (_, group) in living.items() if p not in family} | {os.getpgrp(), 0}
    groups = {group for _, group in family.values()} - foreign
    return _Sight({p: status for p, (status, _) in family.items()}, groups, restless)


def _marked(process: psutil.Process, marker: str) -> bool:
    try:
        return marker in process.environ().get(MARKER, "").split("/")
    except (psutil.AccessDenied, psutil.ZombieProcess, PermissionError):
        return False


def _freeze(
    roots: Set[psutil.Process],
    marker: str | None,
    spared: Set[psutil.Process] = frozenset(),
    disk_rounds: int = 0,
) -> set[psutil.Process]:
    """A stop takes effect a moment after it is sent, and a fork under way completes: hence the rounds."""
    stopped: set[psutil.Process] = set()
    calm = 0
    for number in range(_FREEZE_ROUNDS):
        sight = _look(roots | stopped, marker, spared)
        # Who waits for a disk, or for a child that it has just forked, stops once that is over: if told to.
        patient = number < disk_rounds
        moving = {
            p
            for p, status in sight.family.items()
            if status not in _QUIET or (status == psutil.STATUS_DISK_SLEEP and (patient or p not in stopped))
        }
        calm = 0 if moving else calm + 1
        if calm and (calm >= _RESTLESS_ROUNDS or not sight.restless):
            break
        _signal(moving, signal.SIGSTOP, sight.groups)
        stopped |= sight.family.keys()
        time.sleep(0.001)
    return stopped


def _wait_dead(
    known: Set[psutil.Process], marker: str | None, spared: Set[psutil.Process], seconds: float
) -> _Sight:
    """Look until none lives or the time is over; gives the last sight."""
    deadline = time.monotonic() + seconds
    restless = 0
    while True:
        sight = _look(known, marker, spared)
        known = known | sight.family.keys()
        restless = restless + 1 if sight.restless else 0
        if not sight.family and (not sight.restless or restless >= _RESTLESS_ROUNDS):
            return sight
        if time.monotonic() >= deadline:
            return sight
        time.sleep(0.002)


def _signal(processes: Iterable[psutil.Process], number: signal.Signals, groups: Iterable[int] = ()) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
    for process in processes:
        if process.pid != os.getpid():
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                process.send_signal(number)
