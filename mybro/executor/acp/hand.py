"""The hand that lets any agent that speaks the Agent Client Protocol do tasks and answer questions."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from mybro.clock import Clock
from mybro.config import ExecutorSettings, data_dir
from mybro.executor.acp import faults
from mybro.executor.acp.opening import Setup
from mybro.executor.acp.session import AcpSession
from mybro.executor.claude import prompts
from mybro.executor.claude.permissions import Ask
from mybro.executor.claude.process import environment
from mybro.executor.claude.purse import day_budget
from mybro.executor.claude.questions import Questions
from mybro.executor.claude.sandbox import find_sandbox
from mybro.executor.claude.store import FileSessionStore, SessionStore
from mybro.executor.coding import CodingHand
from mybro.executor.hand import Job

_UNHELD = (
    "No sandbox works here, so this agent can change any of your files unasked. Shall it work? Yes or no?"
)
_UNHELD_DETAIL = (
    "The Agent Client Protocol leaves it to an agent what it asks about. On Linux, bubblewrap or Landlock"
    " would hold it (executor.sandbox)."
)


class AcpHand(CodingHand):
    """Each session is a process of the agent that `executor.acp_command` starts."""

    def __init__(
        self,
        settings: ExecutorSettings,
        clock: Clock,
        *,
        env: Mapping[str, str] | None = None,
        store: SessionStore | None = None,
    ) -> None:
        """As of `ClaudeHand`; the default store is one to each command, for no agent knows another's ids."""
        super().__init__(settings, clock)
        self._env = env
        command = hashlib.sha256(os.fsencode(settings.acp_command or "")).hexdigest()[:12]
        self._store = store or FileSessionStore(data_dir() / "sessions" / f"acp-{command}")
        self._admitted: set[Path] = set()

    def new_session(self, repo: Path) -> AcpSession:
        argv = command_line(self._settings, self._env)
        trusted = self.trusts(repo)
        setup = Setup(
            argv=argv,
            env=environment(self._env),
            instructions=lambda: prompts.system_prompt(
                repo, trusted, asks=False, rules=self._settings.rules != "off"
            ),
            trusted=trusted,
            budget_usd=self._settings.budget_usd,
            day=day_budget(self._settings.budget_day_usd, data_dir() / "spent"),
            tool_silence_s=self._settings.turn_timeout_s,
            sandbox=self._settings.sandbox,
            model=self._settings.model,
        )
        return AcpSession(repo, setup, self._clock, self._store)

    async def admit(self, job: Job, questions: Questions) -> None:
        """An agent that nothing holds, and that asks only if it likes to, works after a yes: once for each
        repository.
        """
        if job.repo in self._admitted or "claude" in Path(command_line(self._settings, self._env)[0]).name:
            return  # Claude Code's agent is made to ask before each use of a tool
        if self._settings.sandbox != "off" and await asyncio.to_thread(find_sandbox, "auto") is None:
            answer = await questions.permission(Ask(_UNHELD, _UNHELD_DETAIL, "destructive"))
            if not answer.yes:
                raise faults.unheld()
        self._admitted.add(job.repo)


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
