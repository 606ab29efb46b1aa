"""A hunt for a family of processes: each look finds its members, and hits them as soon as they are seen.

A look ends only when a listing of all processes holds none that was gone, or dead, by the time it was looked
at: whoever is gone may have left a child that the listing does not hold. So a chain that forks and exits
either is met alive, or makes the look go on; each further listing looks at newcomers only, which takes less
time than most programs need to fork.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import psutil

from mybro.ops import process_table
from mybro.ops.process_table import Entry, Identity

_LISTINGS = 100
"""In one look. After so many it is over, but not settled."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look showed."""

    living: tuple[Entry, ...]
    """Members as they were before they were hit; without those spared and the calling process."""
    settled: bool
    """Whether nobody can have been overlooked."""
    news: bool
    """Whether somebody was sent another signal than before."""


def nothing() -> None:
    """There is nobody to bury."""


class Hunt:
    """Everything that lives below the roots or carries the marker, as far as looks have found it."""

    def __init__(
        self,
        roots: Iterable[psutil.Process],
        marker: tuple[str, str] | None,
        spared: Iterable[psutil.Process] = (),
        bury: Callable[[], None] = nothing,
    ) -> None:
        """`marker`: an environment variable and one of its slash-separated words. `bury` is called in each
        look: a caller who is the parent of many dead ones has to, or every look takes longer.
        """
        self._marker = marker
        self._spared = set(map(_identity, spared))
        self._bury = bury
        self._members: dict[int, Identity] = {e[0]: e for e in map(_identity, roots) if e is not None}
        self._told: dict[Identity, signal.Signals] = {}
        """The last signal that each was sent."""

    def look(self, hit: signal.Signals | None = None) -> Sight:
        """Find who lives, and send each a signal."""
        self._bury()
        seen: dict[int, Entry] = {}
        struck: set[Identity] = set()
        settled = self._list(seen, struck, hit)
        self._extend(seen)
        living = [entry for entry in seen.values() if self._is_prey(entry)]
        news = hit is not None and any(self._told.get(entry.identity) != hit for entry in living)
        if hit is not None:
            for entry in living:
                if entry.identity not in struck:
                    self._strike(entry, hit)
            self._strike_groups(seen.values(), living, hit)
            self._told |= {entry.identity: hit for entry in living}
        return Sight(tuple(living), settled, news)

    def _list(self, seen: dict[int, Entry], struck: set[Identity], hit: signal.Signals | None) -> bool:
        looked: set[int] = set()
        for _ in range(_LISTINGS):
            # The youngest first, for they flee.
            fresh = sorted(set(process_table.pids()) - looked, reverse=True)
            looked.update(fresh)
            lost = False
            for pid in fresh:
                entry = process_table.entry(pid)
                if entry is None or entry.dead:
                    lost = True
                    continue
                seen[pid] = entry
                if self._is_known(entry) or self._is_marked(entry) or self._is_child(entry):
                    self._members[pid] = entry.identity
                    if hit is not None and self._is_prey(entry):
                        self._strike(entry, hit)
                        struck.add(entry.identity)
            if not lost:
                return True
        return False

    def _extend(self, seen: dict[int, Entry]) -> None:
        """Add what is below members in what was seen."""
        below: dict[int, list[Entry]] = {}
        for entry in seen.values():
            below.setdefault(entry.parent, []).append(entry)
        waiting = [entry for entry in seen.values() if self._is_known(entry)]
        while waiting:
            for child in below.get(waiting.pop().pid, ()):
                if not self._is_known(child):
                    self._members[child.pid] = child.identity
                    waiting.append(child)

    def _is_known(self, entry: Entry) -> bool:
        return self._members.get(entry.pid) == entry.identity

    def _is_marked(self, entry: Entry) -> bool:
        if self._marker is None:
            return False
        name, word = self._marker
        return word in process_table.variable(entry.pid, name).split("/")

    def _is_child(self, entry: Entry) -> bool:
        """Whether its parent is a member, and not a newcomer that was given a dead member's number."""
        if entry.parent not in self._members:
            return False
        parent = process_table.entry(entry.parent)
        return parent is not None and self._is_known(parent)

    def _is_prey(self, entry: Entry) -> bool:
        return (
            self._is_known(entry)
            and entry.identity not in self._spared
            and entry.pid not in (0, 1, os.getpid())
        )

    def _strike(self, entry: Entry, number: signal.Signals) -> None:
        if number == signal.SIGSTOP and entry.stopped:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(entry.pid, number)

    def _strike_groups(self, seen: Iterable[Entry], living: list[Entry], number: signal.Signals) -> None:
        """Groups of members only: one signal reaches all of a group at once, also who is being born."""
        prey = {entry.identity for entry in living}
        foreign = {entry.group for entry in seen if entry.identity not in prey} | {os.getpgrp(), 0, 1}
        for group in {entry.group for entry in living} - foreign:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)


def processes(entries: Iterable[Entry]) -> set[psutil.Process]:
    """Those of them that still live, for callers who keep them."""
    found = set()
    for entry in entries:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(entry.pid)
            if _identity(process) == entry.identity:
                found.add(process)
    return found


def _identity(process: psutil.Process) -> Identity | None:
    entry = process_table.entry(process.pid)
    return entry.identity if entry is not None and process.is_running() else None
