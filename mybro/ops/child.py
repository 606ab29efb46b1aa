"""A child process with a socket pair: the one base of models, sound and agents' keepers.

The child is a plain subprocess, `python -m MODULE FD`: nothing is forked from a process that has threads,
and a child holds nothing of its parent but one end of a socket pair. When the parent dies, by whatever
means, the kernel closes the other end and the child ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Self

from mybro.errors import ChildError
from mybro.ops.frames import Header, pack, read_frame


class Child:
    """The parent's side. `receive` returns None once the child has ended."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        name: str,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self.name = name

    @classmethod
    async def start(
        cls, module: str, *arguments: str, env: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
    ) -> Self:
        """Start `python -m module FD *arguments` in a session of its own.

        A session of its own keeps the terminal's Ctrl-C from the child: the parent decides when it ends.
        Raises `ChildError` where the process cannot be started.
        """
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", module, str(theirs.fileno()), *arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), *pass_fds), env=env, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            ours.close()
            raise ChildError("child_not_started", f"{module} did not start: {error}") from error
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(process, reader, writer, module)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.returncode

    async def send(self, header: Header, payload: bytes = b"") -> None:
        """Send one frame. Raises `ChildError` where the child has ended."""
        try:
            self._writer.write(pack(header, payload))
            await self._writer.drain()
        except (ConnectionError, RuntimeError) as error:
            raise ChildError("child_ended", f"{self.name} has ended", retryable=True) from error

    async def receive(self) -> tuple[Header, bytes] | None:
        """The child's next frame, or None once it has ended."""
        return await read_frame(self._reader)

    async def wait(self) -> int:
        return await self._process.wait()

    def kill(self) -> None:
        """SIGKILL, to the child's whole process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    async def aclose(self, grace_s: float = 1.0) -> None:
        """Close the socket, which asks the child to end; kill it where it has not after `grace_s`."""
        self._writer.close()
        try:
            await asyncio.wait_for(self._process.wait(), grace_s)
        except TimeoutError:
            self.kill()
            await self._process.wait()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


def parent_socket(argv: Sequence[str]) -> socket.socket:
    """The child's side: the socket whose descriptor is the first argument."""
    sock = socket.socket(fileno=int(argv[1]))
    sock.set_inheritable(False)
    return sock
