"""A coding session: one warm CLI process to a repository, and its turns, one at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from mybro.clock import Clock
from mybro.errors import ExecutorError
from mybro.executor.claude import faults, prompts, protocol
from mybro.executor.claude.ledger import Ledger
from mybro.executor.claude.messages import (
    CliAsked,
    HookAsked,
    Json,
    Message,
    PermissionAsked,
    Retrying,
    StepBegan,
    TurnEnded,
)
from mybro.executor.claude.permissions import Decision, Deny, Grant
from mybro.executor.claude.plans import Plans
from mybro.executor.claude.process import ClaudeProcess, Setup, arguments
from mybro.executor.claude.purse import Purse
from mybro.executor.claude.sandbox import Held, find_sandbox, hold
from mybro.executor.claude.sandbox_places import state_folder
from mybro.executor.claude.store import SessionStore
from mybro.executor.claude.turn import RunningTurn, Turn, follow
from mybro.executor.strays import Family
from mybro.ops.kept import uninterrupted

_INTERRUPT_S = 0.6
_START_S = 120.0
_DUST_USD = 0.0001

_log = logging.getLogger(__name__)


class Session:
    """Lives on after errors: a process that died or was ended is replaced, and goes on where it was."""

    def __init__(self, repo: Path, setup: Setup, clock: Clock, store: SessionStore) -> None:
        self.repo = repo
        self.plans = Plans(state_folder(setup.env))
        self.last = Turn()
        self._setup = setup
        self._clock = clock
        self._ledger = Ledger(repo, store, Purse(setup.budget_usd, setup.day), clock, setup.model)
        self._granted: float | None = None
        """What the process itself would still spend: it looks after each step only, the ledger before it."""
        self._process: ClaudeProcess | None = None
        self._held: Held | None = None
        self._family: Family | None = None
        self._turn: RunningTurn | None = None
        self._starting = asyncio.Lock()

    @property
    def id(self) -> str | None:
        """The CLI's own name of the session; None before its first turn."""
        return self._ledger.session

    @property
    def family(self) -> Family | None:
        return self._family

    @property
    def pid(self) -> int | None:
        """The running CLI's process, if one runs."""
        return self._process.pid if self._process is not None and self._process.alive else None

    async def warm(self) -> None:
        """Have a process that waits for a prompt. Raises `ExecutorError` where there can be none."""
        async with self._starting:
            if self.pid is not None:
                return
            await self._drop()
            try:
                await self._start(self.id)
            except faults.LostSessionError:
                self._ledger.remember(None)
                await self._start(None)

    async def turn(self, prompt: str, on_message: Callable[[Message], Awaitable[None]]) -> Turn:
        """Send a prompt; messages go to `on_message` in order until its result is there.

        When this is cancelled, or `on_message` raises, the turn is interrupted and what its tools started
        is dead before the exception leaves. Raises `TurnError`; the next turn goes on in the same session.
        """
        self.last = Turn()
        left = self._ledger.open()
        try:
            if left is not None and self._granted is not None and self._granted < left - _DUST_USD:
                await self._drop()  # its own limit is fixed, and is yesterday's
            turn = await self._attempt(prompt, on_message)
            if turn is None:  # it had died while it idled, and never saw the prompt
                turn = await self._attempt(prompt, on_message)
            if turn is None:
                raise faults.died("")
            return await self._judge(turn)
        finally:
            self._ledger.close()

    async def _attempt(
        self, prompt: str, on_message: Callable[[Message], Awaitable[None]]
    ) -> RunningTurn | None:
        """Bring a prompt to its result; None where the process ended without having taken it."""
        await self.warm()
        process = self._process
        if process is None:
            return None
        if self._family is None:
            self._family = await asyncio.to_thread(Family.of, process.kept)
        known = self._ledger.told
        instructions = await asyncio.to_thread(self._setup.instructions)
        told = self._ledger.begin(prompt, instructions, await process.count())
        turn = self._turn = RunningTurn(self._clock, self._setup.tool_silence_s)
        try:
            await process.tell(protocol.prompt(told, turn.uuid))
            await self._follow(process, turn, on_message)
        except faults.TurnError:
            if not process.alive and not turn.taken:
                return None
            raise
        finally:
            if not turn.result.done():
                await uninterrupted(self._abort(process, turn))
            elif turn.queued:
                await uninterrupted(self._kill(process))
            if not turn.taken:
                self._ledger.told = known
            turn.cost_usd += self._ledger.abandon()
            self.last = turn.outcome("", self.id or "")
            self._turn = None
        return turn

    async def add(self, prompt: str) -> str | None:
        """Make a prompt part of the running turn; its uuid, or None where no turn takes any."""
        turn, process = self._turn, self._process
        if turn is None or process is None or turn.aborted or turn.result.done() or not turn.taken:
            return None
        added = turn.add()
        await process.tell(protocol.prompt(prompt, added))
        return added

    async def reply(self, request: str, decision: Decision) -> None:
        """Answer a permission question of the running turn."""
        if isinstance(decision, Grant):
            await self._reply(request, protocol.allow(request, decision.arguments))
        else:
            await self._reply(request, protocol.deny(request, decision.why))

    async def _reply(self, request: str, message: Json) -> None:
        if self._turn is not None:
            self._turn.answered(request)
        if self._process is not None:
            await self._process.tell(message)

    async def aclose(self) -> None:
        """End the process, in order and within about a second; the session can be resumed later."""
        await uninterrupted(self._drop())
        self._ledger.leave()

    async def _start(self, resume: str | None) -> None:
        setup = self._setup
        instructions = await asyncio.to_thread(setup.instructions)
        if resume is None:
            self._ledger.told = prompts.digest(instructions)  # one that is resumed keeps its first ones
        left = self._granted = self._ledger.ceiling
        argv = arguments(
            setup.program, system_prompt=instructions, trusted=setup.trusted, model=setup.model,
            resume=resume, budget_usd=left, servers=setup.servers,
        )  # fmt: skip
        env = setup.env
        if (kind := await asyncio.to_thread(find_sandbox, setup.sandbox)) is not None:
            self._held = held = await asyncio.to_thread(hold, kind, argv, env, self.repo)
            argv, env = held.argv, held.env
        try:
            process = await ClaudeProcess.start(argv, cwd=self.repo, env=env, on_message=self._receive)
        except ExecutorError as error:
            raise faults.missing(setup.program) if error.code == "command_not_found" else error from None
        self._process = process
        try:
            async with asyncio.timeout(_START_S):
                told = await process.initialize(budgeted=left is not None)
                if told is None:
                    raise faults.not_started(process.complaints)
                self._ledger.list_models(told.body.get("models"))
        except TimeoutError:
            await self._drop()
            raise faults.silent(_START_S) from None
        except BaseException:
            await uninterrupted(self._drop())
            raise

    async def _drop(self) -> None:
        process, self._process, self._family = self._process, None, None
        if process is not None:
            await process.aclose()
        held, self._held = self._held, None
        if held is not None:
            await asyncio.to_thread(held.close)

    async def _receive(self, message: Message) -> None:
        """Take one message from the process, whether a turn runs or not."""
        turn = self._turn
        if isinstance(message, TurnEnded):
            self._account(message, turn)
        over = self._ledger.ask(message) if isinstance(message, HookAsked) else self._ledger.take(message)
        if turn is not None and isinstance(message, StepBegan):
            self.last = turn.outcome("", self._ledger.named or "").then(self._ledger.seen)
        if over is not None and turn is not None:
            turn.over_budget(over)  # and what the CLI asked is not answered: it is interrupted there
        elif isinstance(message, CliAsked):
            await self._reply(message.request, protocol.answer(message))
        if turn is None or turn.result.done() or turn.aborted:
            if isinstance(message, PermissionAsked):
                await self.reply(message.request, Deny("No job is running."))
        else:
            turn.note(message)
            await turn.messages.put(message)
        if turn and isinstance(message, TurnEnded) and not turn.result.done() and turn.settles(message):
            turn.result.set_result(message)

    async def _follow(
        self, process: ClaudeProcess, turn: RunningTurn, on_message: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Hand on messages until the turn's result; raises where it does not come."""

        async def each(message: Message) -> None:
            if isinstance(message, Retrying) and message.status in faults.SIGN_IN_STATUS:
                raise faults.signed_out()
            await on_message(message)

        silent_s = await follow(turn, {turn.over, turn.result, process.ended}, each)
        if turn.over.done():
            raise turn.over.result()
        if silent_s is not None:
            raise faults.silent(silent_s)
        if not turn.result.done():
            raise faults.died(process.complaints)

    async def _abort(self, process: ClaudeProcess, turn: RunningTurn) -> None:
        """Interrupt the turn and end what its tools started; a CLI that does not react is ended too."""
        turn.aborted = True
        if turn.queued:
            await self._kill(process)
            return
        while not turn.messages.empty():
            turn.messages.get_nowait()
        # At the same time: a busy CLI reacts late, and what its tools started writes on until it does.
        await asyncio.gather(self._interrupt(process, turn), self._sweep())
        if turn.result.done() and process.alive:
            survivors = await self._sweep()
            if survivors:
                _log.warning("%d processes of a stopped job cannot be killed", len(survivors))
        else:
            await self._drop()

    async def _kill(self, process: ClaudeProcess) -> None:
        """End a CLI that would go on with a prompt that waits, whatever it is told."""
        process.kept.kill()
        await self._drop()

    async def _interrupt(self, process: ClaudeProcess, turn: RunningTurn) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_INTERRUPT_S):
                await process.request("interrupt")
                ends: set[asyncio.Future[Any]] = {turn.result, process.ended}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)

    async def _sweep(self) -> tuple[int, ...]:
        """End what tools started; returns what lives on."""
        family = self._family
        return await asyncio.to_thread(family.kill) if family is not None else ()

    async def _judge(self, turn: RunningTurn) -> Turn:
        result = turn.result.result()
        if not result.is_error:
            self.last = turn.outcome("\n\n".join(turn.texts), result.session)
            return self.last
        over = faults.is_over_budget(result)
        error = self._ledger.empty() if over else faults.of_result(result, turn.api_error)
        if error.code in ("claude_signed_out", "budget_spent"):
            await self._drop()  # a process that started without credentials or money gets neither later
        raise error

    def _account(self, result: TurnEnded, turn: RunningTurn | None) -> None:
        cost = self._ledger.settle(result)
        if self._granted is not None:
            self._granted -= cost
        if turn is not None:
            turn.count(result, cost)
