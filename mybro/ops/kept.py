"""The owner's side of the keeper: a command of which nothing outlives its owner."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import secrets
import socket
import sys
import weakref
from asyncio.subprocess import Process, SubprocessStreamProtocol
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil

from mybro.errors import ChildError
from mybro.ops import keeper
from mybro.ops.processes import MARKER, freeze, kill_tree

T = TypeVar("T")

_DRAIN_S = 1.0
"""For the last words of a command that has ended, and for its keeper to go."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a kept command ended."""

    returncode: int
    """The exit status, negative for a signal."""
    survivors: tuple[int, ...]
    """Processes that the system would not let die; empty in all ordinary cases."""


class Kept:
    """A running command and its keeper. `stdin`, `stdout` and `stderr` are the command's own pipes."""

    def __init__(
        self,
        process: Process,
        transport: asyncio.SubprocessTransport,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        token: str,
    ) -> None:
        self._process = process
        self._transport = transport
        self._reader = reader
        self._writer = writer
        self._agent: psutil.Process | None = None
        self._end: asyncio.Task[Ended] | None = None
        self.token = token
        """What marks every process of the command, see `mybro.ops.processes.MARKER`."""
        self.pid = 0
        """The command's own process."""

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: int = asyncio.subprocess.DEVNULL,
        stdout: int = asyncio.subprocess.PIPE,
        stderr: int = asyncio.subprocess.STDOUT,
        limit: int = 1 << 16,
    ) -> Self:
        """Start a command under a keeper, in a session of its own.

        `env` is the command's whole environment, to which the marker is added; the keeper has this
        process's own. `limit` is the longest line that `stdout.readline` takes, in bytes.

        Raises `ChildError`: "command_not_found" where there is no such program, else "command_not_started".
        """
        token = secrets.token_hex(8)
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        try:
            # What `create_subprocess_exec` does, which keeps the transport to itself: it has to be closed.
            transport, protocol = await loop.subprocess_exec(
                lambda: SubprocessStreamProtocol(limit=limit, loop=loop),
                sys.executable, "-P", "-m", keeper.__name__, str(theirs.fileno()),
                stdin=stdin, stdout=stdout, stderr=stderr,
                pass_fds=(theirs.fileno(),), start_new_session=True,
            )  # fmt: skip
        except BaseException as error:
            ours.close()
            if isinstance(error, OSError):
                raise ChildError(
                    "command_not_started", f"no keeper started for {argv[0]}: {error}"
                ) from error
            raise
        finally:
            theirs.close()
        process = Process(transport, protocol, loop)
        try:
            reader, writer = await asyncio.open_connection(sock=ours)
        except BaseException:
            ours.close()
            await uninterrupted(_let_go(process, transport))
            raise
        kept = cls(process, transport, reader, writer, token)
        marked = {**env, MARKER: "/".join(filter(None, (env.get(MARKER), token)))}
        try:
            await kept._launch(argv, cwd, marked)
        except BaseException:
            await kept.aclose()
            raise
        return kept

    async def _launch(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        request = {"argv": list(argv), "cwd": str(cwd), "env": dict(env), "token": self.token}
        self._writer.write(json.dumps(request).encode() + b"\n")
        answer = await self._hear()
        if answer is None:
            raise ChildError("command_not_started", f"the keeper of {argv[0]} ended at once", retryable=True)
        if "errno" in answer:
            raise _not_started(argv[0], cwd, answer["errno"], answer["path"])
        self.pid = answer["pid"]
        with contextlib.suppress(psutil.NoSuchProcess):
            self._agent = psutil.Process(self.pid)
        self._end = asyncio.create_task(self._await_end())
        _LIVE[self.token] = self

    @property
    def stdin(self) -> asyncio.StreamWriter | None:
        return self._process.stdin

    @property
    def stdout(self) -> asyncio.StreamReader | None:
        return self._process.stdout

    @property
    def stderr(self) -> asyncio.StreamReader | None:
        return self._process.stderr

    @property
    def keeper_pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._end is None or self._end.done()

    def interrupt(self) -> None:
        """SIGINT, to the command's process group."""
        self._wish(keeper.INTERRUPT)

    def terminate(self) -> None:
        """SIGTERM to the whole tree, SIGKILL to what is left after `keeper.GRACE_S` seconds."""
        self._wish(keeper.TERMINATE)

    def kill(self) -> None:
        """SIGKILL to the whole tree."""
        self._wish(keeper.KILL)

    async def wait(self) -> Ended:
        """Return once the command has ended and everything that it had started is dead."""
        if self._end is None:
            self._end = asyncio.create_task(self._await_end())
        return await asyncio.shield(self._end)

    async def aclose(self) -> Ended:
        """Kill what is left and wait for its death, also while cancelled."""
        return await uninterrupted(self._close())

    async def _close(self) -> Ended:
        with contextlib.suppress(OSError, RuntimeError):  # it has ended already
            self._writer.write_eof()
        ended = await self.wait()
        self._writer.close()
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._drain(), _DRAIN_S)
        await _let_go(self._process, self._transport)
        return ended

    async def _drain(self) -> None:
        """The event loop lets go of a process once its pipes are read to their ends."""
        for stream in filter(None, (self._process.stdout, self._process.stderr)):
            with contextlib.suppress(RuntimeError):  # somebody else reads it to its end
                while await stream.read(1 << 16):
                    pass
        await self._process.wait()

    def _wish(self, wish: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(wish)

    async def _hear(self) -> dict[str, Any] | None:
        try:
            line = await self._reader.readline()
        except ConnectionError:
            return None
        answer: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        return answer

    async def _await_end(self) -> Ended:
        while (answer := await self._hear()) is not None:
            if "exit" in answer:
                return Ended(answer["exit"], tuple(answer["survivors"]))
        # The keeper itself was killed: what is left is this side's to end.
        survivors = await asyncio.to_thread(kill_tree, self._agent, marker=self.token)
        return Ended(-9, survivors)


async def _let_go(process: Process, transport: asyncio.SubprocessTransport) -> None:
    """Close what is open of a process; one that lives, or whose pipes somebody else holds, is not waited for
    any longer.
    """
    if process.stdin is not None and process.stdin.transport.get_write_buffer_size():
        process.stdin.transport.abort()
    transport.close()  # which kills it
    await process.wait()


_LIVE: weakref.WeakValueDictionary[str, Kept] = weakref.WeakValueDictionary()


def freeze_all() -> frozenset[psutil.Process]:
    """Stop every kept command with all that is below it, where it is; undo it with `thaw`. Blocks."""
    # A list made at once: the event loop's thread may start another meanwhile.
    live = [kept for ref in _LIVE.valuerefs() if (kept := ref()) is not None and not kept.ended]
    return frozenset().union(*(freeze(kept.keeper_pid, kept.token) for kept in live))


def _not_started(program: str, cwd: Path, number: int, path: str) -> ChildError:
    if number == errno.ENOENT and path == str(cwd):
        return ChildError("command_not_started", f"there is no folder {cwd}")
    if number in (errno.ENOENT, errno.ENOTDIR):
        return ChildError(
            "command_not_found", f"{program} is not installed", hint=f"Install {program}, or put it on PATH"
        )
    return ChildError("command_not_started", f"{program} did not start: {os.strerror(number)}")


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end, also while cancelled; the cancellation is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    return task.result()
