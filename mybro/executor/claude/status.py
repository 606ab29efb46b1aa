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
from mybro.executor.claude import faults, protocol
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

_PROBE = (
    "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose",
    "--setting-sources", "user",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClaudeStatus:
    """What is known of the CLI."""

    path: str | None
    version: str = ""
    signed_in: bool | None = None
    """None where the CLI does not say."""
    problem: Problem | None = None
    """What stands in the way; None where it can be used."""


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
    settings: ExecutorSettings, env: Mapping[str, str] | None = None, timeout_s: float = 15.0
) -> ClaudeStatus:
    """Start the CLI, ask who it is, and let it end: half a second, no network, nothing spent. Blocks."""
    path = find_claude(settings, env)
    if path is None:
        return ClaudeStatus(None, problem=faults.missing(settings.claude_path or "claude").problem)
    hello = protocol.line(protocol.control("check", "initialize"))
    try:
        answer = subprocess.run(
            [path, *_PROBE], input=hello, env=environment(env), cwd=Path.home().anchor,
            capture_output=True, timeout=timeout_s, check=False, start_new_session=True,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ClaudeStatus(path, problem=_broken(path))
    for line in answer.stdout.splitlines():
        status = _read(path, line)
        if status is not None:
            return status
    return ClaudeStatus(path, problem=_broken(path))


def _read(path: str, line: bytes) -> ClaudeStatus | None:
    try:
        raw = json.loads(line)
        body = raw["response"]["response"] if raw["type"] == "control_response" else None
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(body, dict):
        return None
    version = str(body.get("claude_code_version") or "")
    signed_in = _signed_in(body.get("account") or {})
    if version and _numbers(version) < MINIMUM_VERSION:
        least = ".".join(map(str, MINIMUM_VERSION))
        problem = Problem(
            "claude_too_old", f"Claude Code {version} is too old; {least} is the least that works",
            "Run `npm install -g @anthropic-ai/claude-code`",
        )  # fmt: skip
        return ClaudeStatus(path, version, signed_in, problem)
    return ClaudeStatus(path, version, signed_in, faults.signed_out().problem if signed_in is False else None)


def _signed_in(account: dict[str, object]) -> bool | None:
    if account.get("apiProvider", "firstParty") != "firstParty":
        return None
    token, key = account.get("tokenSource"), account.get("apiKeySource")
    if token is None and key is None:
        return None
    return token not in (None, "none") or key not in (None, "none")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _broken(path: str) -> Problem:
    return Problem(
        "claude_broken", f"{path} does not answer as Claude Code", faults.GET_CLAUDE, retryable=True
    )
