"""One running CLI: lines out, messages in, and nothing of it left when it is closed."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mybro.executor.claude import context, protocol, tools
from mybro.executor.claude.context import Context
from mybro.executor.claude.messages import ControlReplied, HookAsked, Json, Message
from mybro.executor.claude.protocol import ProtocolError
from mybro.executor.claude.purse import DayBudget
from mybro.executor.lines import LineProcess, keep
from mybro.ops.kept import Kept

_DUST_USD = 0.0001
_COUNT_S = 10.0
_KEPT_INSIDE = (
    "CLAUDE_CODE_USE_", "CLAUDE_CODE_SKIP_", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_MAX_",
    "CLAUDE_CODE_API_KEY_HELPER", "CLAUDE_CODE_CLIENT_",
)  # fmt: skip
"""How to reach a model: of the CLAUDE_CODE_* variables that a surrounding session sets, those to keep."""


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The CLI's environment: the user's, less what a surrounding session of Claude Code put there."""
    env = dict(os.environ if base is None else base)
    if env.pop("CLAUDECODE", None):
        env = {k: v for k, v in env.items() if not k.startswith("CLAUDE_CODE_") or k.startswith(_KEPT_INSIDE)}
    env["DISABLE_AUTOUPDATER"] = "1"
    env["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1"
    # A command in the background would start turns of its own, after its job and its checkpoint.
    env["CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"] = "1"
    # A command is judged as one that starts in the repository.
    env["CLAUDE_BASH_MAINTAIN_PROJECT_WORKING_DIR"] = "1"
    env.setdefault("CLAUDE_CODE_MAX_RETRIES", "6")
    return env


def arguments(
    program: str, *, system_prompt: str, trusted: bool, model: str | None, resume: str | None,
    budget_usd: float | None, servers: str | None = None,
) -> list[str]:  # fmt: skip
    """The command line. Of an untrusted repository no hook, setting or server of its own is used.

    `servers` are tool servers of ours, as the JSON that the CLI takes.
    """
    argv = [
        program, "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose",
        "--include-partial-messages", "--permission-prompt-tool", "stdio", "--permission-mode", "default",
        "--append-system-prompt", system_prompt, "--disallowedTools", ",".join(tools.OFF),
    ]  # fmt: skip
    if not trusted:
        argv += ["--setting-sources", "user"]
    for flag, value in (("--model", model), ("--resume", resume), ("--mcp-config", servers)):
        if value:
            argv += [flag, value]
    if budget_usd is not None and budget_usd > _DUST_USD:  # it does not begin without any
        argv += ["--max-budget-usd", f"{budget_usd:.4f}"]
    return argv


@dataclass(frozen=True, slots=True)
class Setup:
    """How a repository's sessions are started."""

    program: str
    env: Mapping[str, str]
    """The whole environment."""
    instructions: Callable[[], str]
    """As they are now: added to the CLI's own system prompt, and told again where they have changed."""
    model: str | None = None
    trusted: bool = False
    """Whether the repository's own hooks, settings and servers may run."""
    budget_usd: float | None = None
    """What the whole session may cost."""
    day: DayBudget | None = None
    """What all sessions may cost in a day."""
    servers: str | None = None
    """Tool servers of ours, as the JSON that the CLI takes."""
    tool_silence_s: float = 1800.0
    """How long a running tool may give no sign of life."""
    sandbox: Literal["auto", "on", "off"] = "auto"
    """Whether the process is held in a sandbox: where one works, in any case, or never."""


class ClaudeProcess(LineProcess):
    """Messages go to `on_message` in the order in which they come, one at a time."""

    def __init__(self, kept: Kept, on_message: Callable[[Message], Awaitable[None]]) -> None:
        self.bad_lines = 0
        """Lines that were no messages."""
        self._on_message = on_message
        self._numbers = itertools.count(1)
        self._replies: dict[str, asyncio.Future[ControlReplied]] = {}
        self._counts = False
        """Whether it is to count what each step of the session begins with."""
        self._uncounted: dict[str, HookAsked] = {}
        """Steps that wait for that, by the request."""
        super().__init__(kept)

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        on_message: Callable[[Message], Awaitable[None]],
    ) -> ClaudeProcess:
        """Start the CLI under a keeper. Raises `ExecutorError` where it cannot be started."""
        return cls(await keep(argv, cwd=cwd, env=env), on_message)

    async def tell(self, message: Json) -> None:
        """Send one message; without effect where the process has ended, which is told by `ended`."""
        await self.send(protocol.line(message))

    async def request(self, subtype: str, **fields: object) -> ControlReplied | None:
        """Send a control request and wait for the reply; None where the process ends instead."""
        name = self._name()
        reply = self._replies[name] = asyncio.get_running_loop().create_future()
        try:
            await self.tell(protocol.control(name, subtype, **fields))
            await asyncio.wait({reply, self.ended}, return_when=asyncio.FIRST_COMPLETED)
            return reply.result() if reply.done() else None
        finally:
            del self._replies[name]

    async def take(self, line: bytes) -> None:
        try:
            messages = protocol.parse(line)
        except ProtocolError:
            self.bad_lines += 1
            return
        for message in messages:
            await self._take(message)

    async def initialize(self, *, budgeted: bool) -> ControlReplied | None:
        """The first request; where there is a budget, the CLI asks before its model steps, too."""
        hooks = protocol.STEP_HOOKS if budgeted else protocol.HOOKS
        told = await self.request("initialize", hooks=hooks)
        version = told.body.get("claude_code_version") if told is not None else None
        self._counts = budgeted and context.can_count(version)
        return told

    async def count(self) -> Context | None:
        """What the next step begins with, as far as it is known; None where that is not counted."""
        if not self._counts:
            return None
        try:
            async with asyncio.timeout(_COUNT_S):
                told = await self.request(context.REQUEST, **context.FIELDS)
        except TimeoutError:
            told = None
        counted = context.read(told.body) if told is not None else None
        self._counts = counted is not None
        return counted

    async def _take(self, message: Message) -> None:
        match message:
            case ControlReplied(request=name) if name in self._replies:
                if not (waiting := self._replies[name]).done():
                    waiting.set_result(message)
            case ControlReplied(request=name) if name in self._uncounted:
                asked = self._uncounted.pop(name)
                await self._on_message(replace(asked, context=context.read(message.body)))
            case HookAsked(step=True, agent=None) if self._counts:
                self._uncounted[name := self._name()] = message
                await self.tell(protocol.control(name, context.REQUEST, **context.FIELDS))
            case _:
                await self._on_message(message)

    def _name(self) -> str:
        return f"mybro-{next(self._numbers)}"
