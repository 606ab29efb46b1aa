"""The supervisor: keeps one session running, restarts it by cause, and stops with an explanation."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence

from mybro.clock import Clock, MonotonicClock
from mybro.errors import ChildError
from mybro.ops.daemon.record import Record
from mybro.ops.supervision import GAVE_UP, SMALLER_VARIABLE, Decision, Policy

GRACE_S = 20.0
"""Less than the service managers give."""
_LONGEST_LINE = 500
_REASONS = ("mybro: ", "Fatal Python error: ")
"""How the lines begin that say why a session ends."""

log = logging.getLogger("mybro.daemon")

Alert = Callable[[str], Awaitable[None]]


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
    ) -> None:
        """`alert` tells the person now, wherever they are; it must not raise."""
        self._command = tuple(command)
        self._record = record
        self._alert = alert
        self._clock = clock or MonotonicClock()
        self._policy = policy or Policy()
        self._env = env
        self._asked = asyncio.Event()
        self._reason = ""
        """What the session itself said of its end."""

    def stop(self) -> None:
        """End the session in order; `run` then returns 0."""
        self._asked.set()

    async def run(self) -> int:
        """The exit status: 0, or GAVE_UP. Raises `ChildError` where the command cannot be started."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        for number in signals:
            loop.add_signal_handler(number, self.stop)
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
            for number in signals:
                loop.remove_signal_handler(number)
            self._record.update(child=None)

    async def _once(self) -> int:
        """One life of the command: its exit status."""
        self._reason = ""
        try:
            child = await asyncio.create_subprocess_exec(
                *self._command, env=self._variables(), stdin=asyncio.subprocess.PIPE,
                # What is shown there may hold what somebody said.
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise ChildError("child_not_started", f"{self._command[0]} did not start: {error}") from error
        log.info("started process %d", child.pid)
        self._record.update(child=child.pid)
        reading = asyncio.create_task(self._read(child.stderr))
        ending = asyncio.create_task(child.wait())
        asked = asyncio.create_task(self._asked.wait())
        try:
            await asyncio.wait({ending, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                await self._end(child, ending)
            # A grandchild that lives on may hold the pipe open.
            await asyncio.wait({reading}, timeout=1.0)
            return await ending
        finally:
            for task in (reading, asked):
                task.cancel()
            if child.returncode is None:
                child.kill()
                await child.wait()
            if child.stdin is not None:
                child.stdin.close()

    def _variables(self) -> dict[str, str]:
        more = {"PYTHONFAULTHANDLER": "1"}
        if self._policy.debug:
            more["PYTHONDEVMODE"] = "1"
        if self._policy.shrink:
            more[SMALLER_VARIABLE] = str(self._policy.shrink)
        return {**self._env, **more}

    async def _end(self, child: asyncio.subprocess.Process, ending: asyncio.Task[int]) -> None:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        await asyncio.wait({ending}, timeout=GRACE_S)
        if not ending.done():
            log.warning("process %d did not end in time", child.pid)
            with contextlib.suppress(ProcessLookupError):
                child.kill()

    async def _read(self, stream: asyncio.StreamReader | None) -> None:
        """Log what the session complains of; lines of any length."""
        rest = b""
        while stream is not None and (part := await stream.read(1 << 14)):
            *lines, rest = (rest + part).split(b"\n")
            rest = rest[:_LONGEST_LINE]
            for line in lines:
                self._complain(line)
        self._complain(rest)

    def _complain(self, line: bytes) -> None:
        if text := line.decode(errors="replace").strip()[:_LONGEST_LINE]:
            if text.startswith(_REASONS) and not self._reason:
                self._reason = text.removeprefix("mybro: ")
            log.info("session: %s", text)

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
