"""The hand that lets the user's own Claude Code CLI do tasks and answer questions."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from mybro.clock import Clock
from mybro.config import ExecutorSettings, data_dir
from mybro.executor.claude import faults, prompts
from mybro.executor.claude.process import Setup, environment
from mybro.executor.claude.purse import day_budget
from mybro.executor.claude.session import Session
from mybro.executor.claude.status import find_claude
from mybro.executor.claude.store import FileSessionStore, SessionStore
from mybro.executor.coding import CodingHand
from mybro.ops.rendezvous import SOCKET_VARIABLE


class ClaudeHand(CodingHand):
    """Each session is a CLI that talks stream-json."""

    def __init__(
        self,
        settings: ExecutorSettings,
        clock: Clock,
        *,
        env: Mapping[str, str] | None = None,
        store: SessionStore | None = None,
    ) -> None:
        """`env` is the environment to start from (default: this process's own); `store` keeps session ids
        (default: files in the data directory).
        """
        super().__init__(settings, clock)
        self._env = env
        self._store = store or FileSessionStore(data_dir() / "sessions")

    def new_session(self, repo: Path) -> Session:
        program = find_claude(self._settings, self._env)
        if program is None:
            raise faults.missing(self._settings.claude_path or "claude")
        trusted = self.trusts(repo)
        setup = Setup(
            program=program,
            env=environment(self._env),
            instructions=lambda: prompts.system_prompt(repo, trusted, rules=self._settings.rules != "off"),
            model=self._settings.model,
            trusted=trusted,
            budget_usd=self._settings.budget_usd,
            day=day_budget(self._settings.budget_day_usd, data_dir() / "spent"),
            servers=own_tools(os.environ if self._env is None else self._env),
            tool_silence_s=self._settings.turn_timeout_s,
            sandbox=self._settings.sandbox,
        )
        return Session(repo, setup, self._clock, self._store)


def own_tools(env: Mapping[str, str]) -> str | None:
    """How the CLI starts the tools with which an agent speaks and asks; None where nobody would hear it."""
    socket = env.get(SOCKET_VARIABLE)
    if socket is None or importlib.util.find_spec("mcp") is None:
        return None
    server = {
        "command": sys.executable,
        "args": ["-P", "-m", "mybro", "mcp"],
        "env": {SOCKET_VARIABLE: socket},
    }
    return json.dumps({"mcpServers": {"mybro": server}})
