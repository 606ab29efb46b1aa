"""A conversation with an agent about one repository: one warm process, and its turns, one at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from mybro.clock import Clock
from mybro.errors import ExecutorError
from mybro.executor import strays
from mybro.executor.acp import faults
from mybro.executor.acp.connection import CANCELLED, INTERNAL, NOT_FOUND, Connection, GoneError, RpcError
from mybro.executor.acp.opening import Opened, Setup, open_session, part
from mybro.executor.acp.turn import CANCEL, AcpTurn
from mybro.executor.claude.faults import TurnError
from mybro.executor.claude.messages import Json, Message
from mybro.executor.claude.permissions import Decision
from mybro.executor.claude.purse import Purse
from mybro.executor.claude.sandbox import Held, find_sandbox, hold
from mybro.executor.claude.store import Remembered, SessionStore
from mybro.executor.claude.turn import Turn
from mybro.executor.strays import Family
from mybro.ops.kept import uninterrupted

_INTERRUPT_S = 0.6
_START_S = 60.0
_BROKEN = frozenset({INTERNAL, NOT_FOUND})
"""Errors after which an agent may no longer have its session, or the process behind it."""


class AcpSession:
    """Lives on after errors: an agent that died is started again, and takes up its session if it can."""

    def __init__(self, repo: Path, setup: Setup, clock: Clock, store: SessionStore) -> None:
        self.repo = repo
        self._setup = setup
        self._clock = clock
        self._store = store
        self._remembered = store.load(repo)
        self._purse = Purse(setup.budget_usd, setup.day)
        self._left: float | None = None
        """What the turn may spend."""
        self._connection: Connection | None = None
        self._held: Held | None = None
        self._opened = Opened("", fresh=True, lasting=False)
        self._noted = False
        """Whether the session has had the note."""
        self._counter_usd = 0.0
        self._family: Family | None = None
        self._turn: AcpTurn | None = None
        self._starting = asyncio.Lock()

    @property
    def spent_usd(self) -> float:
        return self._remembered.spent_usd if self._remembered else 0.0

    @property
    def family(self) -> Family | None:
        return self._family

    @property
    def pid(self) -> int | None:
        """Of the agent, if it runs."""
        return self._connection.pid if self._connection is not None and self._connection.alive else None

    async def warm(self) -> None:
        """Have an agent that waits for a prompt. Raises `ExecutorError` where there can be none."""
        async with self._starting:
            if self.pid is None:
                await self._drop()
                await self._start()

    async def turn(self, prompt: str, on_message: Callable[[Message], Awaitable[None]]) -> Turn:
        """Send a prompt; messages go to `on_message` in order until the agent has ended its turn.

        When this is cancelled, or `on_message` raises, the turn is cancelled and what its tools started is
        dead before the exception leaves. Raises `TurnError`; the next turn goes on in the same session.
        """
        self._left = self._purse.open(self.spent_usd)
        try:
            return await self._taken(prompt, on_message)
        finally:
            self._purse.close()

    async def _taken(self, prompt: str, on_message: Callable[[Message], Awaitable[None]]) -> Turn:
        for _ in range(2):  # the first may meet an agent that had died while it idled
            await self.warm()
            turn = self._turn = AcpTurn(self._clock, self._setup.tool_silence_s)
            try:
                await self._attempt(turn, prompt, on_message)
                return self._account(turn, turn.text.strip())
            except TurnError as error:
                if error.code == "agent_died" and not turn.taken:
                    continue
                error.turn = self._account(turn, "")
                raise
            except asyncio.CancelledError:
                self._account(turn, "")
                raise
            finally:
                self._turn = None
        raise faults.died()

    async def reply(self, request: str, decision: Decision) -> None:
        """Answer a permission question of the running turn."""
        if self._turn is not None:
            self._turn.decided(request, decision)

    async def aclose(self) -> None:
        """End the agent, in order and within about a second."""
        await uninterrupted(self._drop())

    # ------------------------------------------------------------------------ the agent

    async def _start(self) -> None:
        setup = self._setup
        argv, env = list(setup.argv), setup.env
        if (kind := await asyncio.to_thread(find_sandbox, setup.sandbox)) is not None:
            self._held = held = await asyncio.to_thread(hold, kind, argv, env, self.repo)
            argv, env = held.argv, dict(held.env)
        try:
            connection = await Connection.start(
                argv, cwd=self.repo, env=env, on_notice=self._notice, serve=self._serve
            )
        except ExecutorError as error:
            raise faults.missing(setup.argv[0]) if error.code == "command_not_found" else error from None
        self._connection, self._counter_usd = connection, self.spent_usd
        last = self._remembered.session if self._remembered else None
        try:
            async with asyncio.timeout(_START_S):
                self._opened = await open_session(
                    connection, self.repo, last, trusted=setup.trusted, model=setup.model
                )
        except BaseException as error:
            garbled = connection.bad_lines > 0
            await uninterrupted(self._drop())
            match error:
                case RpcError():
                    raise faults.of_error(error) from None
                case GoneError() | TimeoutError() if garbled:
                    raise faults.not_acp() from None
                case GoneError():
                    raise faults.died() from None
                case TimeoutError():
                    raise faults.silent(_START_S) from None
            raise
        self._noted = not self._opened.fresh
        if self._opened.fresh:
            self._counter_usd = 0.0
            self._remember(None)

    async def _drop(self) -> None:
        connection, self._connection, self._family = self._connection, None, None
        if connection is not None:
            await connection.aclose()
        held, self._held = self._held, None
        if held is not None:
            await asyncio.to_thread(held.close)

    # ------------------------------------------------------------------------ the turn

    async def _attempt(
        self, turn: AcpTurn, prompt: str, on_message: Callable[[Message], Awaitable[None]]
    ) -> None:
        connection = self._connection
        if connection is None:
            raise faults.died()
        if self._family is None:
            self._family = await asyncio.to_thread(Family.of, connection.kept)
        words = [prompt] if self._noted else [self._setup.note, prompt]
        blocks = [{"type": "text", "text": text} for text in words]
        asking = connection.request("session/prompt", {"sessionId": self._opened.id, "prompt": blocks})
        end = asyncio.create_task(asking)
        try:
            await self._follow(turn, end, on_message)
            told = await end
        except GoneError:
            raise (faults.not_acp() if connection.bad_lines else faults.died()) from None
        except RpcError as error:
            if error.code in _BROKEN:
                await uninterrupted(self._drop())
            raise faults.of_error(error) from None
        finally:
            turn.abort()
            if not end.done():
                await uninterrupted(self._abort(connection, end))
        turn.count_tokens(part(told, "usage"))
        trouble = faults.of_stop(told.get("stopReason"))
        if trouble is not None:
            raise trouble

    async def _follow(
        self, turn: AcpTurn, end: asyncio.Task[Json], on_message: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Hand on messages until the agent's turn has ended; raises where it does not."""
        silence = asyncio.create_task(turn.silence())
        getting = asyncio.create_task(turn.messages.get())
        try:
            while True:
                waiting: set[asyncio.Future[Any]] = {getting, end, silence}
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if getting.done():
                    message = getting.result()
                    getting = asyncio.create_task(turn.messages.get())
                    await on_message(message)
                    if self._left is not None and turn.cost_usd >= self._left:
                        raise self._purse.empty(self.spent_usd + turn.cost_usd)
                elif end.done():
                    return
                else:
                    raise faults.silent(silence.result())
        finally:
            silence.cancel()
            getting.cancel()

    async def _abort(self, connection: Connection, end: asyncio.Task[Json]) -> None:
        """Cancel the turn and end what its tools started; an agent that does not react is ended too."""
        # At the same time: a busy agent reacts late, and what its tools started writes on until it does.
        _, ended = await asyncio.gather(self._cancel(connection, end), self._end_strays())
        if not end.done():
            connection.kept.kill()
            await self._drop()
        elif (await self._end_strays() or ended) and self._opened.lasting:
            # What was killed may have been a part of the agent: it is started again when it is needed.
            await self._drop()
        await asyncio.gather(end, return_exceptions=True)

    async def _cancel(self, connection: Connection, end: asyncio.Task[Json]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_INTERRUPT_S):
                await connection.notify("session/cancel", {"sessionId": self._opened.id})
                await asyncio.wait({end})

    async def _end_strays(self) -> bool:
        """Kill what the turn's tools have started; whether there was anything."""
        return self._family is not None and bool(await strays.end(self._family))

    # ------------------------------------------------------------------------ what the agent sends

    async def _notice(self, method: str, params: Json) -> None:
        """What is told outside a turn is dropped, such as the history of a session taken up again."""
        if method != "session/update":
            return
        update, turn = part(params, "update"), self._turn
        if update.get("sessionUpdate") == "usage_update":
            self._pay(part(update, "cost"))
        if turn is not None and params.get("sessionId") == self._opened.id:
            await turn.update(update)

    async def _serve(self, method: str, params: Json) -> Json:
        turn = self._turn
        if turn is not None and not turn.aborted and params.get("sessionId") == self._opened.id:
            return await turn.serve(method, params)
        if method == "session/request_permission":
            return CANCEL
        raise RpcError(CANCELLED, "no prompt is being answered")

    # ------------------------------------------------------------------------ cost

    def _pay(self, cost: Json) -> None:
        """Take in the agent's counter. It should add up over the session's life, yet may begin at nothing
        with a new process: then it is smaller than what is known already, and all of it is new.
        """
        amount = cost.get("amount")
        if cost.get("currency") != "USD" or not isinstance(amount, int | float) or not amount >= 0:
            return  # also what is no number at all (NaN)
        added = amount - self._counter_usd if amount >= self._counter_usd else amount
        self._counter_usd = float(amount)
        if self._turn is not None:
            self._turn.cost_usd += added

    def _account(self, turn: AcpTurn, text: str) -> Turn:
        if turn.taken:
            self._noted = True
            self._purse.spend(turn.cost_usd)
            self._remember(Remembered(self._opened.id, self.spent_usd + turn.cost_usd))
        return Turn(text, self._opened.id, turn.cost_usd, turn.input_tokens, turn.output_tokens)

    def _remember(self, session: Remembered | None) -> None:
        self._remembered = session
        self._store.save(self.repo, session)
