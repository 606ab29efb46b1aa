"""An agent's process that talks in lines: a keeper over it, and nothing of it left when it is closed."""

from __future__ import annotations

import abc
import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from mybro.errors import ChildError, ExecutorError
from mybro.ops.kept import Kept

MAX_LINE_BYTES = 64 * 1024 * 1024
"""A file that is written is one line."""

_STDERR_LINES = 20
_EOF_GRACE_S = 0.4


async def keep(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Kept:
    """Start an agent under a keeper, with pipes on all sides. Raises `ExecutorError`."""
    pipe = asyncio.subprocess.PIPE
    try:
        return await Kept.start(argv, cwd=cwd, env=env, stdin=pipe, stderr=pipe, limit=MAX_LINE_BYTES)
    except ChildError as error:
        raise ExecutorError(error.code, error.message, hint=error.hint) from error


class LineProcess(abc.ABC):
    """The lines of its standard output go to `take`; one that is too long ends it."""

    def __init__(self, kept: Kept) -> None:
        """Begins to read: a subclass calls this last."""
        self.kept = kept
        self._complaints: deque[str] = deque(maxlen=_STDERR_LINES)
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._overhear())]
        self.ended = asyncio.create_task(self._end())
        """Done once the process has ended and its last line was handled."""

    @abc.abstractmethod
    async def take(self, line: bytes) -> None:
        """Handle one line; they come in order, one at a time."""

    @property
    def pid(self) -> int:
        return self.kept.pid

    @property
    def alive(self) -> bool:
        return not self.kept.ended and not self.ended.done()

    @property
    def complaints(self) -> str:
        """The last lines of the standard error."""
        return "\n".join(self._complaints)

    async def send(self, line: bytes) -> None:
        """Send one line; without effect where the process has ended, which is told by `ended`."""
        stdin = self.kept.stdin
        if stdin is not None and self.alive:
            with contextlib.suppress(ConnectionError):
                stdin.write(line)
                await stdin.drain()

    async def aclose(self) -> None:
        """End it: input closed, SIGTERM, SIGKILL, each if the one before did not do; at most about a second.

        Returns when the whole tree is dead.
        """
        if self.alive and self.kept.stdin is not None:
            self.kept.stdin.close()
            await asyncio.wait({self.ended}, timeout=_EOF_GRACE_S)
        if self.alive:
            self.kept.terminate()
        await self.kept.wait()
        await asyncio.wait({self.ended})

    async def _listen(self) -> None:
        stdout = self.kept.stdout
        try:
            while stdout is not None and (line := await stdout.readline()):
                await self.take(line)
        except ValueError:  # longer than any line may be: what follows cannot be read either
            self.kept.kill()

    async def _overhear(self) -> None:
        stderr = self.kept.stderr
        while stderr is not None and (part := await stderr.read(1 << 16)):
            self._complaints.extend(part.decode("utf-8", "replace").splitlines()[-_STDERR_LINES:])

    async def _end(self) -> int:
        ended = await self.kept.wait()
        await asyncio.wait(self._tasks, timeout=5.0)
        for task in self._tasks:
            task.cancel()
        await self.kept.aclose()
        return ended.returncode
