"""Find, freeze and end a process with everything below it, also what hides from its process group.

A process is known by its number and its start time together, so that a number which the system gave to a
newcomer is not hit. What left the tree (a double fork) is found by an environment variable that every
descendant inherits. Who forks meanwhile is hunted until nobody can have been overlooked: `mybro.ops.hunt`.

Not found: what left the tree and also emptied its environment, where no subreaper (`mybro.ops.keeper`, Linux)
caught it; and on macOS a detached process that runs one of Apple's protected programs, whose environment
nobody may read.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Set

import psutil

from mybro.ops.hunt import Hunt, Sight, nothing, processes
from mybro.ops.process_table import Entry, Identity

MARKER = "MYBRO_JOB"
"""The environment variable; its value is a slash-separated list of tokens, the innermost job's last."""

Root = psutil.Process | int | None
"""The top of a tree. A number is safe only while it cannot have been given to another process: use it for
a child that was not yet waited for, and a `psutil.Process` made in time for anything else."""

_CALM = 2
"""Looks in a row that show nothing new: what moved to another parent during one is found by the next."""
_FREEZE_S = 2.0
_DISK_S = 0.3
"""How long a write under way is waited for; a parent of a child that was frozen too early waits on."""
_HOLD_S = 0.5
"""For all to be told to stop before they are killed."""
_KILL_S = 2.5


def descendants(root: Root, marker: str | None = None) -> list[psutil.Process]:
    """What lives below `root`, without itself, and what carries the token `marker`, by number."""
    roots = _roots(root)
    return sorted(processes(_hunt(roots, marker, spared=roots).look().living), key=lambda p: p.pid)


def freeze(root: Root, marker: str | None = None) -> frozenset[psutil.Process]:
    """SIGSTOP everything that `descendants` finds, until nothing new turns up; undo it with `thaw`.

    `root` itself goes on, so that a keeper can still end what is frozen below it. Gives what was not at
    rest before. Blocks, for two seconds at most.
    """
    roots = _roots(root)
    found: dict[Identity, Entry] = {}
    rested: set[Identity] | None = None
    for sight in _hold(_hunt(roots, marker, spared=roots), _FREEZE_S, still=True):
        if rested is None:
            rested = {entry.identity for entry in sight.living if entry.stopped}
        found |= {entry.identity: entry for entry in sight.living if entry.identity not in rested}
    return frozenset(processes(found.values()))


def thaw(frozen: Iterable[psutil.Process]) -> None:
    """Let frozen processes go on."""
    for process in frozen:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGCONT)


def kill_tree(
    root: Root,
    *,
    marker: str | None = None,
    grace_s: float = 0.0,
    spare: Set[psutil.Process] = frozenset(),
    bury: Callable[[], None] = nothing,
) -> tuple[int, ...]:
    """End `root` (unless it is the caller), everything below it and everything marked; blocks.

    Those in `spare` are left alone, what is below them is not. All are frozen first, so that none forks
    away meanwhile. With `grace_s` they then get SIGTERM and that many seconds before SIGKILL. `bury` is
    called often, see `Hunt`. Returns the numbers of those that live on: empty unless the system refuses,
    after at most `grace_s` and some four seconds.
    """
    hunt = _hunt(_roots(root), marker, spare, bury)
    deque(_hold(hunt, _HOLD_S), maxlen=0)
    if grace_s > 0:
        hunt.look(signal.SIGTERM)
        hunt.look(signal.SIGCONT)
        if not _until_dead(hunt, None, grace_s):
            return ()
        deque(_hold(hunt, _HOLD_S), maxlen=0)
    return tuple(sorted(entry.pid for entry in _until_dead(hunt, signal.SIGKILL, _KILL_S)))


def _roots(root: Root) -> set[psutil.Process]:
    try:
        return set() if root is None else {psutil.Process(root) if isinstance(root, int) else root}
    except psutil.NoSuchProcess:
        return set()


def _hunt(
    roots: Set[psutil.Process],
    marker: str | None,
    spared: Iterable[psutil.Process] = (),
    bury: Callable[[], None] = nothing,
) -> Hunt:
    return Hunt(roots, None if marker is None else (MARKER, marker), spared, bury)


def _hold(hunt: Hunt, seconds: float, *, still: bool = False) -> Iterator[Sight]:
    """Tell all to stop until there is nobody new, or, if `still`, nobody moves; gives what each look shows.

    Who was told forks no more, even where it has no processor to stop on yet.
    """
    began = time.monotonic()
    calm = 0
    while calm < _CALM:
        sight = hunt.look(signal.SIGSTOP)
        yield sight
        passed = time.monotonic() - began
        if passed >= seconds:
            break
        moving = still and any(
            not (entry.stopped or (entry.waits and passed > _DISK_S)) for entry in sight.living
        )
        calm = calm + 1 if sight.settled and not sight.news and not moving else 0
        if not calm:
            time.sleep(0.001)


def _until_dead(hunt: Hunt, hit: signal.Signals | None, seconds: float) -> tuple[Entry, ...]:
    """Look until none lives or the time is over; gives who lives then."""
    deadline = time.monotonic() + seconds
    calm = 0
    while True:
        sight = hunt.look(hit)
        calm = calm + 1 if sight.settled and not sight.living else 0
        if calm == _CALM or time.monotonic() >= deadline:
            return sight.living
        if not calm:
            time.sleep(0.002)
