"""What an agent's commands leave running: found, named and ended, while the agent itself lives on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import psutil

from mybro.ops.kept import Kept
from mybro.ops.processes import descendants, kill_tree

_NAME_CHARS = 40
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Family:
    """An agent's processes."""

    kept: Kept
    spared: frozenset[psutil.Process]
    """The agent, and what ran beside it before its first turn, such as the user's own tool servers."""

    @classmethod
    def of(cls, kept: Kept) -> Family:
        """What runs now, to be spared later. Blocks."""
        found: set[psutil.Process] = set()
        with contextlib.suppress(psutil.NoSuchProcess):
            found = {psutil.Process(kept.pid), *descendants(kept.pid)}
        with contextlib.suppress(psutil.NoSuchProcess):
            found.add(psutil.Process(kept.keeper_pid))
        return cls(kept, frozenset(found))

    def strays(self) -> list[psutil.Process]:
        """What jobs started and what still runs of it. Blocks."""
        # From the keeper on: what has detached itself hangs there, also with an environment of its own.
        found = descendants(self.kept.keeper_pid, self.kept.token)
        return [process for process in found if process not in self.spared]

    def kill(self) -> tuple[int, ...]:
        """End all that jobs started; returns the numbers of what lives on. Blocks."""
        return kill_tree(self.kept.keeper_pid, marker=self.kept.token, spare=self.spared)


async def end(family: Family) -> tuple[str, ...]:
    """End what is left running; names it as one would: "python3 -m http.server"."""
    if family.kept.ended:
        return ()
    return await asyncio.to_thread(_end, family)


def _end(family: Family) -> tuple[str, ...]:
    strays = family.strays()
    if not strays:
        return ()
    names = _names(strays)
    survivors = family.kill()
    if survivors:
        _log.warning("%d processes of a stopped job cannot be killed", len(survivors))
    return names


def _names(strays: Sequence[psutil.Process]) -> tuple[str, ...]:
    """Each program once; of a shell and what it runs, what it runs."""
    lines: dict[int, list[str]] = {}
    parents: set[int] = set()
    for process in strays:
        with contextlib.suppress(psutil.Error), process.oneshot():
            lines[process.pid] = process.cmdline()
            parents.add(process.ppid())
    named = [
        _name(line)
        for pid, line in lines.items()
        if line and not (pid in parents and PurePath(line[0]).name in _SHELLS)
    ]
    return tuple(dict.fromkeys(named)) or ("a process",)


def _name(line: Sequence[str]) -> str:
    program = PurePath(line[0]).name.lstrip("-")
    words = [program]
    for word in line[1:]:
        short = PurePath(word).name if word.startswith("/") else word
        if len(" ".join([*words, short])) > _NAME_CHARS or not short.isprintable():
            break
        words.append(short)
    return " ".join(words)
