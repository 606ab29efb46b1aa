"""Where the CLI is, and whether it can be used: what `mybro check` asks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mybro.config import ExecutorSettings
from mybro.errors import Problem
from mybro.executor.claude import faults
from mybro.executor.claude.process import environment

MINIMUM_VERSION = (2, 1, 197)
"""The oldest of which the protocol was seen to work."""

_PLACES = (
    "~/.local/bin/claude",
    "~/.claude/local/claude",
    "/opt/homebrew/bin/claude",
    "/usr/local/bin/claude",
)
"""Where installers put it, for programs that start with a short PATH."""


@dataclass(frozen=True, slots=True)
class ClaudeStatus:
    """What is known of the CLI."""

    path: str | None
    version: str = ""
    signed_in: bool | None = None
    """None where the CLI does not say."""
    problem: Problem | None = None
    """What stands in the way; None where it can be used."""

    @property
    def ready(self) -> bool:
        """Whether a task can be given to it."""
        return self.problem is None


def find_claude(settings: ExecutorSettings, env: Mapping[str, str] | None = None) -> str | None:
    """The CLI's path: the setting, else PATH, else where its installers put it."""
    env = os.environ if env is None else env
    if settings.claude_path:
        return shutil.which(str(Path(settings.claude_path).expanduser()), path=env.get("PATH"))
    found = shutil.which("claude", path=env.get("PATH", os.defpath))
    home = Path(env.get("HOME", "~")).expanduser()
    places = (home / place[2:] if place.startswith("~/") else Path(place) for place in _PLACES)
    return found or next((str(place) for place in places if os.access(place, os.X_OK)), None)


def claude_status(
    settings: ExecutorSettings | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float = 10.0,
) -> ClaudeStatus:
    """Ask the CLI for its version and sign-in: under a second, no network, nothing spent. Blocks."""
    settings = settings or ExecutorSettings()
    path = find_claude(settings, env)
    if path is None:
        return ClaudeStatus(None, problem=faults.missing(settings.claude_path or "claude").problem)
    found = re.match(r"(\d+\.\d+\.\d+)", _output([path, "--version"], env, timeout_s))
    if found is None:
        return ClaudeStatus(path, problem=_broken(path))
    version = found[1]
    if tuple(map(int, version.split("."))) < MINIMUM_VERSION:
        return ClaudeStatus(path, version, problem=_too_old(version))
    signed_in = _signed_in(_output([path, "auth", "status", "--json"], env, timeout_s))
    return ClaudeStatus(path, version, signed_in, faults.signed_out().problem if signed_in is False else None)


def _output(argv: list[str], env: Mapping[str, str] | None, timeout_s: float) -> str:
    try:
        done = subprocess.run(
            argv, env=environment(env), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=timeout_s, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _signed_in(told: str) -> bool | None:
    try:
        return bool(json.loads(told)["loggedIn"])
    except (ValueError, KeyError, TypeError):
        return None


def _too_old(version: str) -> Problem:
    least = ".".join(map(str, MINIMUM_VERSION))
    return Problem(
        "claude_too_old", f"Claude Code {version} is too old; {least} is the least that works",
        "Run `npm install -g @anthropic-ai/claude-code`",
    )  # fmt: skip


def _broken(path: str) -> Problem:
    return Problem(
        "claude_broken", f"{path} does not answer as Claude Code", faults.GET_CLAUDE, retryable=True
    )
