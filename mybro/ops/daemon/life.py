"""One process of the session: begun, read, told to go on, ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Self

from mybro.errors import ChildError

GRACE_S = 20.0
"""Less than the service managers give."""
STANDS_BY = "mybro: stands by"
"""What a session says that is ready to take over, and waits for a line on standard input."""
_LONGEST_LINE = 500
_REASONS = ("mybro: ", "Fatal Python error: ")
"""How the lines begin that say why a session ends."""

log = logging.getLogger("mybro.daemon")


class Life:
    """From `begin` to `close`."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self.pid = child.pid
        self.reason = ""
        """What the session itself said of its end."""
        self.stands_by = asyncio.Event()
        self._reading = asyncio.create_task(self._read(child.stderr))
        self.ending = asyncio.create_task(child.wait())

    @classmethod
    async def begin(cls, command: Sequence[str], env: Mapping[str, str]) -> Self:
        """Raises `ChildError` where the command cannot be started."""
        try:
            child = await asyncio.create_subprocess_exec(
                *command, env=env, stdin=asyncio.subprocess.PIPE,
                # What is shown there may hold what somebody said.
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise ChildError("child_not_started", f"{command[0]} did not start: {error}") from error
        log.info("started process %d", child.pid)
        return cls(child)

    def go(self) -> None:
        """Have a session that stands by take over."""
        if self._child.stdin is not None:
            self._child.stdin.write(b"go\n")

    async def end(self) -> None:
        """Ask it to end in order, and kill it where it does not."""
        with contextlib.suppress(ProcessLookupError):
            self._child.terminate()
        await asyncio.wait({self.ending}, timeout=GRACE_S)
        if not self.ending.done():
            log.warning("process %d did not end in time", self.pid)
            with contextlib.suppress(ProcessLookupError):
                self._child.kill()

    async def status(self) -> int:
        """Its exit status, once it has ended and what it said is read."""
        status = await self.ending
        # A grandchild that lives on may hold the pipe open.
        await asyncio.wait({self._reading}, timeout=1.0)
        return status

    async def close(self) -> None:
        """Let go of it; one that lives is killed."""
        self._reading.cancel()
        if self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._child.kill()
            await self._child.wait()
        if self._child.stdin is not None:
            self._child.stdin.close()

    async def _read(self, stream: asyncio.StreamReader | None) -> None:
        """Log what the session complains of; lines of any length."""
        rest = b""
        while stream is not None and (part := await stream.read(1 << 14)):
            *lines, rest = (rest + part).split(b"\n")
            rest = rest[:_LONGEST_LINE]
            for line in lines:
                self._hear(line)
        self._hear(rest)

    def _hear(self, line: bytes) -> None:
        text = line.decode(errors="replace").strip()[:_LONGEST_LINE]
        if text == STANDS_BY:
            self.stands_by.set()
        elif text:
            if text.startswith(_REASONS) and not self.reason:
                self.reason = text.removeprefix("mybro: ")
            log.info("session: %s", text)
