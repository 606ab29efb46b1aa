"""The hand that lets any agent that speaks the Agent Client Protocol do tasks and answer questions."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from mybro.clock import Clock
from mybro.config import ExecutorSettings, data_dir
from mybro.executor.acp import faults
from mybro.executor.acp.opening import Setup
from mybro.executor.acp.session import AcpSession
from mybro.executor.claude import prompts
from mybro.executor.claude.process import environment
from mybro.executor.claude.purse import day_budget
from mybro.executor.claude.store import FileSessionStore, SessionStore
from mybro.executor.coding import CodingHand


class AcpHand(CodingHand):
    """Each session is a process of the agent that `executor.acp_command` starts."""

    def __init__(
        self,
        settings: ExecutorSettings,
        clock: Clock,
        *,
        env: Mapping[str, str] | None = None,
        store: SessionStore | None = None,
        trusts: Callable[[Path], bool] = lambda _: False,
    ) -> None:
        """As of `ClaudeHand`; the default store is one to each command, for no agent knows another's ids."""
        super().__init__(settings, clock)
        self._env = env
        command = hashlib.sha256(os.fsencode(settings.acp_command or "")).hexdigest()[:12]
        self._store = store or FileSessionStore(data_dir() / "sessions" / f"acp-{command}")
        self._trusts = trusts

    def new_session(self, repo: Path) -> AcpSession:
        argv = command_line(self._settings, self._env)
        trusted = self._trusts(repo)
        setup = Setup(
            argv=argv,
            env=environment(self._env),
            note=prompts.system_prompt(repo, trusted, asks=False, rules=self._settings.rules != "off"),
            trusted=trusted,
            budget_usd=self._settings.budget_usd,
            day=day_budget(self._settings.budget_day_usd, data_dir() / "spent"),
            tool_silence_s=self._settings.turn_timeout_s,
            sandbox=sandbox_of(argv, self._settings.sandbox),
            model=self._settings.model,
        )
        return AcpSession(repo, setup, self._clock, self._store)


def sandbox_of(argv: Sequence[str], wanted: Literal["auto", "on", "off"]) -> Literal["auto", "on", "off"]:
    """Left to us, an agent that drives Claude Code is held: it is known where that keeps its state.

    Of what others need to write or to read, the sandbox might keep them.
    """
    return "off" if wanted == "auto" and "claude" not in Path(argv[0]).name.lower() else wanted


def command_line(settings: ExecutorSettings, env: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The agent's program, found, and its arguments. Raises `ExecutorError`."""
    try:
        program, *arguments = shlex.split(settings.acp_command or "")
    except ValueError:
        raise faults.not_set() from None
    path = (os.environ if env is None else env).get("PATH", os.defpath)
    found = shutil.which(str(Path(program).expanduser()), path=path)
    if found is None:
        raise faults.missing(program)
    return (found, *arguments)
