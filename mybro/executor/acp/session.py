"""A conversation with an agent about one repository: one warm process, and its turns, one at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from mybro.clock import Clock
from mybro.errors import ExecutorError
from mybro.executor import strays
from mybro.executor.acp import faults
from mybro.executor.acp.connection import CANCELLED, INTERNAL, NOT_FOUND, Connection, GoneError, RpcError
from mybro.executor.acp.costs import Costs
from mybro.executor.acp.opening import Opened, Setup, open_session, part
from mybro.executor.acp.shelter import login_variables, own_places
from mybro.executor.acp.turn import CANCEL, AcpTurn
from mybro.executor.claude.faults import TurnError
from mybro.executor.claude.ledger import Ledger
from mybro.executor.claude.messages import Json, Message
from mybro.executor.claude.permissions import Decision
from mybro.executor.claude.plans import Plans
from mybro.executor.claude.purse import Purse
from mybro.executor.claude.sandbox import Held, find_sandbox, hold
from mybro.executor.claude.sandbox_places import state_folder
from mybro.executor.claude.store import SessionStore
from mybro.executor.claude.turn import Turn, follow
from mybro.executor.strays import Family
from mybro.ops.kept import uninterrupted

_INTERRUPT_S = 0.6
_START_S = 120.0
_BROKEN = frozenset({INTERNAL, NOT_FOUND})
"""Errors after which an agent may no longer have its session, or the process behind it."""


class AcpSession:
    """Lives on after errors: an agent that died is started again, and takes up its session if it can."""

    def __init__(self, repo: Path, setup: Setup, clock: Clock, store: SessionStore) -> None:
        self.repo = repo
        self.plans = Plans(state_folder(setup.env))
        self.last = Turn()
        self._setup = setup
        self._clock = clock
        self._ledger = Ledger(repo, store, Purse(setup.budget_usd, setup.day), clock, setup.model)
        self._costs = Costs(self._ledger.first_step())
        self._connection: Connection | None = None
        self._held: Held | None = None
        self._opened = Opened("", fresh=True, lasting=False)
        self._family: Family | None = None
        self._turn: AcpTurn | None = None
        self._starting = asyncio.Lock()

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
        self.last = Turn()
        self._ledger.open()
        try:
            return await self._taken(prompt, on_message)
        finally:
            self._ledger.close()

    async def _taken(self, prompt: str, on_message: Callable[[Message], Awaitable[None]]) -> Turn:
        for _ in range(2):  # the first may meet an agent that had died while it idled
            await self.warm()
            self._ledger.begin_again(self._costs.next_usd)
            self._costs.begin()
            turn = self._turn = AcpTurn(self._clock, self._setup.tool_silence_s)
            said = ""
            try:
                await self._attempt(turn, prompt, on_message)
                said = turn.text.strip()
            except TurnError as error:
                if error.code == "agent_died" and not turn.taken:
                    continue
                raise
            finally:
                self._turn = None
                self.last = self._account(turn, said)
            return self.last
        raise faults.died()

    async def reply(self, request: str, decision: Decision) -> None:
        """Answer a permission question of the running turn."""
        if self._turn is not None:
            self._turn.decided(request, decision)

    async def aclose(self) -> None:
        """End the agent, in order and within about a second."""
        await uninterrupted(self._drop())
        self._ledger.leave()

    # ------------------------------------------------------------------------ the agent

    async def _start(self) -> None:
        setup = self._setup
        argv, env = list(setup.argv), setup.env
        if (kind := await asyncio.to_thread(find_sandbox, setup.sandbox)) is not None:
            state, logins = own_places(argv, env), login_variables(env)
            self._held = held = await asyncio.to_thread(hold, kind, argv, env, self.repo, state, logins)
            argv, env = held.argv, dict(held.env)
        try:
            connection = await Connection.start(
                argv, cwd=self.repo, env=env, on_notice=self._notice, serve=self._serve
            )
        except ExecutorError as error:
            raise faults.missing(setup.argv[0]) if error.code == "command_not_found" else error from None
        self._connection = connection
        self._costs.open(self._ledger.counter_usd, fresh=False)
        last = self._ledger.session
        try:
            async with asyncio.timeout(_START_S):
                self._opened = await open_session(
                    connection, self.repo, last, trusted=setup.trusted, model=setup.model
                )
        except BaseException as error:
            problem = _beginning(error, garbled=connection.bad_lines > 0)
            held_back = self._held is not None
            await uninterrupted(self._drop())
            if problem is None:
                raise
            raise (faults.in_sandbox(problem) if held_back else problem) from None
        if self._opened.fresh:
            self._costs.open(0.0, fresh=True)
            self._ledger.remember(None)
            self._ledger.told = ""

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
        known = self._ledger.told
        news = self._ledger.news(await asyncio.to_thread(self._setup.instructions))
        blocks = [{"type": "text", "text": text} for text in (news, prompt) if text]
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
            if not turn.taken:
                self._ledger.told = known
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

        async def each(message: Message) -> None:
            await on_message(message)
            costs, session = self._costs, self._opened.id
            turn.cost_usd = costs.seen_usd
            self.last = turn.outcome("", session)
            seen, coming, at_most = turn.cost_usd, costs.next_usd, not costs.is_sure
            if problem := self._ledger.running(seen, coming, session=session, at_most=at_most):
                raise problem

        if (silent_s := await follow(turn, {end}, each)) is not None:
            raise faults.silent(silent_s)

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
            if (first := self._costs.take(update)) is not None:
                self._ledger.first_step(first)
            self._ledger.counter_usd = self._costs.counter_usd
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

    def _account(self, turn: AcpTurn, text: str) -> Turn:
        turn.cost_usd = self._costs.end()
        if turn.taken:
            self._ledger.pay(self._opened.id, turn.cost_usd)
        return turn.outcome(text, self._opened.id)


def _beginning(error: BaseException, *, garbled: bool) -> TurnError | None:
    """What to say of an agent that has not begun; None for what is no fault of its own."""
    match error:
        case RpcError():
            return faults.of_error(error)
        case GoneError() | TimeoutError() if garbled:
            return faults.not_acp()
        case GoneError():
            return faults.died()
        case TimeoutError():
            return faults.silent(_START_S)
    return None
