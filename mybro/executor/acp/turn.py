"""One prompt on its way to its end: its messages, its questions, what it costs."""

from __future__ import annotations

import asyncio
import itertools

from mybro.clock import Clock
from mybro.executor.acp import files
from mybro.executor.acp.calls import Calls
from mybro.executor.acp.connection import CANCELLED, INTERNAL, NO_SUCH_METHOD, RpcError
from mybro.executor.claude.messages import Json, Message, PermissionAsked, PermissionWithdrawn, Words
from mybro.executor.claude.permissions import Decision, Deny
from mybro.executor.claude.turn import RunningTurn


class AcpTurn(RunningTurn):
    """What the agent tells and wants while it works on a prompt."""

    def __init__(self, clock: Clock, tool_silence_s: float) -> None:
        super().__init__(clock, tool_silence_s)
        self.text = ""
        """What the agent has said since its last tool call."""
        self._calls = Calls()
        self._numbers = itertools.count(1)
        self._open: dict[str, asyncio.Future[Decision | None]] = {}
        """Questions that are not answered; None is for those that nobody will answer any more."""

    async def update(self, update: Json) -> None:
        """Take in a session update."""
        for message in self._calls.messages(update):
            self.text = self.text + message.text if isinstance(message, Words) else self.text
            await self._put(message)
        if update.get("sessionUpdate") == "tool_call":
            self.text = ""

    def decided(self, request: str, decision: Decision) -> None:
        """Take in the answer to a `PermissionAsked`; one that is not open is ignored."""
        waiting = self._open.get(request)
        if waiting is not None and not waiting.done():
            waiting.set_result(decision)

    def count_tokens(self, usage: Json) -> None:
        """Take in what the end of the prompt tells."""

        def total(*names: str) -> int:
            return sum(value for name in names if isinstance(value := usage.get(name), int))

        self.input_tokens = total("inputTokens", "cachedReadTokens", "cachedWriteTokens")
        self.output_tokens = total("outputTokens")

    def abort(self) -> None:
        """From here on nobody wants its messages, nor will answer its questions."""
        self.aborted = True
        while not self.messages.empty():
            self.messages.get_nowait()
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_result(None)

    # ------------------------------------------------------------------------ what the agent wants

    async def serve(self, method: str, params: Json) -> Json:
        """Do what the agent asks for, if it is allowed. Raises `RpcError`."""
        match method:
            case "session/request_permission":
                return await self._permission(params)
            case "fs/read_text_file":
                await self._need("Read", {"file_path": str(files.path_of(params))})
                return await asyncio.to_thread(files.read, params)
            case "fs/write_text_file":
                content = files.content_of(params)
                await self._need("Write", {"file_path": str(files.path_of(params)), "content": content})
                return await asyncio.to_thread(files.write, params)
        raise RpcError(NO_SUCH_METHOD, "mybro does not do that")

    async def _permission(self, params: Json) -> Json:
        """Allowed once where every use of the call is. The agent's own standing permissions are never used,
        for nobody knows where it would write them.
        """
        asked = params.get("toolCall")
        for tool, arguments in self._calls.get(asked if isinstance(asked, dict) else {}).uses():
            decision = await self._decide(tool, arguments)
            if decision is None:
                return CANCEL
            if isinstance(decision, Deny):
                return _choose(params, "reject_once", "reject_always")
        return _choose(params, "allow_once", "reject_once", "reject_always")

    async def _need(self, tool: str, arguments: Json) -> None:
        """Raise `RpcError` unless it is allowed."""
        decision = await self._decide(tool, arguments)
        if decision is None:
            raise RpcError(CANCELLED, "the prompt was cancelled")
        if isinstance(decision, Deny):
            raise RpcError(INTERNAL, decision.why)

    async def _decide(self, tool: str, arguments: Json) -> Decision | None:
        """Put one use to whoever runs the turn; None where nobody does any more."""
        request = f"acp-{next(self._numbers)}"
        waiting = self._open[request] = asyncio.get_running_loop().create_future()
        try:
            await self._put(PermissionAsked(request, tool, arguments))
            return None if self.aborted else await waiting
        except asyncio.CancelledError:  # the agent no longer wants to know
            await self._put(PermissionWithdrawn(request))
            raise
        finally:
            del self._open[request]
            self.answered(request)

    async def _put(self, message: Message) -> None:
        if not self.aborted:
            self.note(message)
            await self.messages.put(message)


CANCEL: Json = {"outcome": {"outcome": "cancelled"}}
"""The answer to a permission question that nobody will answer."""


def _choose(params: Json, *kinds: str) -> Json:
    """The first option of the first of these kinds that there is; else the question is left unanswered."""
    options = [option for option in params.get("options") or () if isinstance(option, dict)]
    for kind in kinds:
        for option in options:
            if option.get("kind") == kind:
                return {"outcome": {"outcome": "selected", "optionId": option.get("optionId")}}
    return CANCEL
