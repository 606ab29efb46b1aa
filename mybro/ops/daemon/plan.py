"""What the system is told to run, and the one shape that its service managers have."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

LABEL = "dev.mybro.daemon"
STOP_S = 30
"""The system kills what has not ended by then."""
_LISTED = ("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")

Step = Literal["probe", "install", "start", "stop", "uninstall", "state"]
"""Probe: whether there is such a manager for this person at all; the file is written before install."""
State = Literal["absent", "stopped", "running", "failed"]


class Command(NamedTuple):
    """One command line."""

    words: tuple[str, ...]
    may_fail: bool = False
    """It only prepares: what it takes away may not be there."""
    tries: int = 1
    """What was taken away before it may need a moment to be gone."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One daemon."""

    repo: Path
    home: Path
    log: Path
    """What it writes before it has a log of its own; absolute."""
    microphone: bool = False
    """Whether it hears with this machine's microphone, not only with the page's."""
    environment: Mapping[str, str] = field(default_factory=dict)
    python: Path = Path(sys.executable)

    def command(self, under: str) -> tuple[str, ...]:
        """What a manager of that name runs."""
        return (
            str(self.python), "-P", "-m", "mybro", "daemon", "run", "--repo", str(self.repo),
            "--under", under, *(["--microphone"] if self.microphone else []),
        )  # fmt: skip


class Manager(Protocol):
    """A system's service manager: what is written and what is run; `Daemon` does the writing and running."""

    name: str
    path: Path
    """Of the service's file."""

    def content(self, plan: Plan) -> bytes: ...

    def commands(self, step: Step) -> list[Command]:
        """What to run, in turn."""
        ...

    def state(self, status: int, output: str) -> State:
        """What the exit status and the output of the step "state" tell of a service that is installed."""
        ...


def environment(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What a daemon needs of the terminal that installs it: where programs are, and whose files they are.

    No key and no token: a service's file can be read by every program of the person. A session started by
    the system has nearly no PATH, and would find neither git nor the coding agent.
    """
    home = env.get("HOME", str(Path.home()))
    listed = [*env.get("PATH", "").split(os.pathsep), f"{home}/.local/bin", *_LISTED]
    path = [part for part in dict.fromkeys(listed) if part.startswith("/")]
    kept = {
        name: env[name]
        for name in (
            "LANG",
            "MYBRO_DATA_DIR",
            "MYBRO_CONFIG_FILE",
            "MYBRO_CACHE_DIR",
            "XDG_DATA_HOME",
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
        )
        if name in env
    }
    return {"PATH": os.pathsep.join(path), **kept}
