"""The account of one turn while it runs: what it waits for, what it costs, how long it has been silent."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mybro.clock import Clock
from mybro.events import Outcome
from mybro.executor.claude.messages import (
    Followed,
    Message,
    PermissionAsked,
    PermissionWithdrawn,
    Said,
    ToolEnded,
    ToolUsed,
    TurnEnded,
)

MODEL_SILENCE_S = 300.0
"""How long a model may give no sign of life, thoughts included, while no tool runs."""

_QUEUE = 1024
_READ = ("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of one prompt."""

    text: str = ""
    session: str = ""
    cost_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def costs(self) -> Outcome:
        """What of it counts where it has no other outcome."""
        return Outcome(
            "", cost_usd=self.cost_usd, input_tokens=self.input_tokens, output_tokens=self.output_tokens,
            session=self.session or None,
        )  # fmt: skip

    def then(self, more: Turn) -> Turn:
        """Both turns as one."""
        return Turn(
            "\n\n".join(filter(None, (self.text, more.text))), more.session or self.session,
            self.cost_usd + more.cost_usd,
            self.input_tokens + more.input_tokens, self.output_tokens + more.output_tokens,
        )  # fmt: skip


class RunningTurn:
    """One prompt on its way to a result."""

    def __init__(self, clock: Clock, tool_silence_s: float) -> None:
        self.uuid = str(uuid.uuid4())
        self.queued: set[str] = set()
        """Prompts that were added and that the CLI has not taken up: they would run after an interrupt."""
        self.texts: list[str] = []
        """What the results said."""
        self._unsettled = {self.uuid}
        self.messages: asyncio.Queue[Message] = asyncio.Queue(_QUEUE)
        self.result: asyncio.Future[TurnEnded] = asyncio.get_running_loop().create_future()
        self.over: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        """Why it may cost no more."""
        self.aborted = False
        """Whether nobody wants its messages any more."""
        self.taken = False
        """Whether the CLI has seen the prompt."""
        self.api_error = ""
        self.cost_usd = 0.0
        self.input_tokens = 0
        self.output_tokens = 0
        self._clock = clock
        self._tool_silence_s = tool_silence_s
        self._last_sign = clock.now()
        self._tools: set[str] = set()
        self._questions: set[str] = set()

    def add(self) -> str:
        """One more prompt belongs to the turn; returns its uuid."""
        added = str(uuid.uuid4())
        self._unsettled.add(added)
        self.queued.add(added)
        return added

    def settles(self, result: TurnEnded) -> bool:
        """Take in a result; whether it is this turn's last. A CLI that names no prompts has had one only.

        An error is the last one whatever waits; so is any after the turn has been aborted.
        """
        mine = not result.prompts or bool(self._unsettled & set(result.prompts))
        self._unsettled -= set(result.prompts or self._unsettled)
        if mine and result.text and not result.is_error:
            self.texts.append(result.text)
        return mine and (not self._unsettled or result.is_error or self.aborted)

    def note(self, message: Message) -> None:
        """Keep account of what the turn waits for."""
        if isinstance(message, Followed):
            if message.state != "queued":
                self.queued.discard(message.prompt)
            if message.prompt != self.uuid:
                return  # the end of a prompt before this one, or one that was added
        self.taken = True
        self._last_sign = self._clock.now()
        match message:
            case ToolUsed():
                self._tools.add(message.id)
            case ToolEnded():
                self._tools.discard(message.id)
            case PermissionAsked():
                self._questions.add(message.request)
            case PermissionWithdrawn():
                self._questions.discard(message.request)
            case Said(error=error) if error:
                self.api_error = error
            case _:
                pass

    def over_budget(self, why: Exception) -> None:
        """It may cost no more."""
        if not self.over.done():
            self.over.set_result(why)

    def outcome(self, text: str, session: str) -> Turn:
        """What came of it, so far."""
        return Turn(text, session, self.cost_usd, self.input_tokens, self.output_tokens)

    def answered(self, request: str) -> None:
        """A question was answered: what follows is waited for afresh."""
        self._questions.discard(request)
        self._last_sign = self._clock.now()

    def count(self, result: TurnEnded, cost_usd: float) -> None:
        """Add a result's cost; a turn may see more results than its own."""
        self.cost_usd += cost_usd
        for model in (result.usage or {}).values():
            self.input_tokens += sum(int(model.get(name) or 0) for name in _READ)
            self.output_tokens += int(model.get("outputTokens") or 0)

    async def silence(self) -> float:
        """Return once the turn has been silent for too long, with how long that was, in seconds.

        A question to a person has a time limit of its own.
        """
        while True:
            limit = self._tool_silence_s if self._tools else min(self._tool_silence_s, MODEL_SILENCE_S)
            quiet = self._clock.now() - self._last_sign
            if self._questions:
                quiet = 0.0
            if quiet >= limit:
                return limit
            await self._clock.sleep(limit - quiet)


async def follow(
    turn: RunningTurn, ends: set[asyncio.Future[Any]], on_message: Callable[[Message], Awaitable[None]]
) -> float | None:
    """Hand on a turn's messages, all that are there, until one of `ends` is done.

    Where the turn has been silent for too long instead, returns how long, in seconds.
    """
    silence = asyncio.create_task(turn.silence())
    getting = asyncio.create_task(turn.messages.get())
    try:
        while True:
            await asyncio.wait({getting, silence, *ends}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                message = getting.result()
                getting = asyncio.create_task(turn.messages.get())
                await on_message(message)
            elif any(end.done() for end in ends):
                return None
            else:
                return silence.result()
    finally:
        silence.cancel()
        getting.cancel()
