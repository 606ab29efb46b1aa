"""The supervisor: keeps one session running, restarts it by cause, and stops with an explanation."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from mybro.clock import Clock, MonotonicClock
from mybro.errors import ChildError
from mybro.ops.daemon.life import GRACE_S, Life
from mybro.ops.daemon.record import Record
from mybro.ops.supervision import GAVE_UP, SMALLER_VARIABLE, Decision, Policy

READY_S = 300.0
"""A fresh session may take so long to load everything."""
FIRST = asyncio.FIRST_COMPLETED
LOADING, WAITING, DONE, FAILED = "loading", "waiting for a quiet moment", "done", "failed"
"""What the record says of an upgrade."""

log = logging.getLogger("mybro.daemon")

Alert = Callable[[str], Awaitable[None]]
Leave = Callable[[int], Coroutine[Any, Any, None]]
"""Has the session of that process end once nothing goes on in it. Raises `ChildError` where that is never."""


class Keeper:
    """Runs a command until it ends well, is asked to end, or ends badly too often."""

    def __init__(
        self,
        command: Sequence[str],
        record: Record,
        *,
        alert: Alert,
        clock: Clock | None = None,
        policy: Policy | None = None,
        env: Mapping[str, str] = os.environ,
        standby: tuple[Sequence[str], Leave] | None = None,
    ) -> None:
        """`alert` tells the person now, wherever they are; it must not raise. `standby` is the command of a
        session that gets ready and waits to be told to take over, and how the one before it is had to leave.
        """
        self._command = tuple(command)
        self._record = record
        self._alert = alert
        self._clock = clock or MonotonicClock()
        self._policy = policy or Policy()
        self._env = env
        self._standby = standby
        self._asked = asyncio.Event()
        self._renewing = asyncio.Event()
        self._reason = ""
        """What the session itself said of its end."""

    def stop(self) -> None:
        """End the session in order; `run` then returns 0."""
        self._asked.set()

    def renew(self) -> None:
        """Put a fresh session in the place of the one that runs, at a moment when nothing is lost by it."""
        self._renewing.set()

    async def run(self) -> int:
        """The exit status: 0, or GAVE_UP. Raises `ChildError` where the command cannot be started."""
        loop = asyncio.get_running_loop()
        handlers = dict.fromkeys((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), self.stop)
        handlers[signal.SIGUSR1] = self.renew
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        self._record.update(can_upgrade=True)
        try:
            while not self._asked.is_set():
                status = await self._once()
                decision = self._policy.judge(status, self._clock.now(), asked=self._asked.is_set())
                await self._tell(decision)
                if not decision.restart:
                    return GAVE_UP if decision.alert else 0
                await self._wait(decision.delay_s)
            return 0
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)
            self._record.update(child=None, can_upgrade=False)

    async def _once(self) -> int:
        """One life of the command, or several that take over from one another: the last one's exit status."""
        life = await Life.begin(self._command, self._variables())
        self._record.update(child=life.pid)
        asked = asyncio.create_task(self._asked.wait())
        try:
            while True:
                renewing = asyncio.create_task(self._renewing.wait())
                await asyncio.wait({life.ending, asked, renewing}, return_when=asyncio.FIRST_COMPLETED)
                renewing.cancel()
                if life.ending.done() or asked.done():
                    break
                life = await self._renewed(life, asked)
            if not life.ending.done():
                await life.end()
            status = await life.status()
            self._reason = life.reason
            return status
        finally:
            asked.cancel()
            await life.close()

    async def _renewed(self, life: Life, asked: asyncio.Task[Any]) -> Life:
        """The life to go on with: a fresh one that is ready, or the same where that did not come about."""
        self._renewing.clear()
        if self._standby is None:
            return life
        command, leave = self._standby
        fresh = await Life.begin(command, self._variables())
        try:
            self._record.update(upgrade=LOADING)
            ready = asyncio.create_task(fresh.stands_by.wait())
            await asyncio.wait({ready, fresh.ending, asked}, timeout=READY_S, return_when=FIRST)
            ready.cancel()
            if not ready.done() or fresh.ending.done() or asked.done():
                raise ChildError("not_ready", fresh.reason or "the fresh session did not become ready")
            self._record.update(upgrade=WAITING)
            leaving = asyncio.create_task(leave(life.pid))
            await asyncio.wait({leaving, life.ending, asked}, return_when=FIRST)
            if not life.ending.done():
                if not leaving.done():
                    leaving.cancel()
                    raise ChildError("stopped", "the daemon was stopped")
                leaving.result()
                await asyncio.wait({life.ending, asked}, timeout=GRACE_S, return_when=FIRST)
                if not life.ending.done():
                    await life.end()
            else:
                leaving.cancel()
                await asyncio.gather(leaving, return_exceptions=True)
        except ChildError as error:
            log.warning("it was not upgraded: %s", error.message)
            self._record.update(upgrade=f"{FAILED}: {error.message}")
            await fresh.close()
            return life
        fresh.go()
        log.info("process %d took over from %d", fresh.pid, life.pid)
        self._record.update(child=fresh.pid, upgrade=DONE)
        await life.close()
        return fresh

    def _variables(self) -> dict[str, str]:
        more = {"PYTHONFAULTHANDLER": "1"}
        if self._policy.debug:
            more["PYTHONDEVMODE"] = "1"
        if self._policy.shrink:
            more[SMALLER_VARIABLE] = str(self._policy.shrink)
        return {**self._env, **more}

    async def _tell(self, decision: Decision) -> None:
        if not decision.restart and not decision.alert:
            log.info("ended")
            self._record.update(child=None, ended=decision.why)
            return
        said = f" ({self._reason})" if self._reason else ""
        then = "It is started again" if decision.restart else decision.hint
        level = logging.WARNING if decision.restart else logging.CRITICAL
        log.log(level, "%s%s. %s", decision.why, said, then)
        if decision.restart:
            self._record.update(child=None, restarts=self._record.restarts + 1, last=decision.why + said)
        else:
            self._record.update(child=None, gave_up=decision.why + said, hint=decision.hint)
        if decision.alert:
            await self._alert(f"{decision.why}. {then}")

    async def _wait(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        asked = asyncio.ensure_future(self._asked.wait())
        await asyncio.wait({sleeping, asked}, return_when=asyncio.FIRST_COMPLETED)
        for task in (sleeping, asked):
            task.cancel()
