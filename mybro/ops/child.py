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

STDERR_TAIL_BYTES = 4096


class Child:
    """The parent's side. `receive` returns None once the child has ended."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        name: str,
        complaints: _Tail,
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._complaints = complaints
        self._gone = False
        self.name = name

    @classmethod
    async def start(
        cls, module: str, *arguments: str, env: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
    ) -> Self:
        """Start `python -m module FD *arguments` in a session of its own.

        A session of its own keeps the terminal's Ctrl-C from the child: the parent decides when it ends.
        What it writes to its standard error does not reach the terminal: see `complaints`.
        Raises `ChildError` where the process cannot be started.
        """
        ours, theirs = socket.socketpair()
        complaints, errors = _Tail.open()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", module, str(theirs.fileno()), *arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=errors,
                pass_fds=(theirs.fileno(), *pass_fds), env=env, start_new_session=True,
            )  # fmt: skip
        except BaseException as error:
            ours.close()
            complaints.close()
            if isinstance(error, OSError):
                raise ChildError("child_not_started", f"{module} did not start: {error}") from error
            raise
        finally:
            theirs.close()
            os.close(errors)
        try:
            reader, writer = await asyncio.open_connection(sock=ours)
        except BaseException:
            process.kill()
            ours.close()
            complaints.close()
            from mybro.ops.kept import uninterrupted

            await uninterrupted(process.wait())
            raise
        return cls(process, reader, writer, module, complaints)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.returncode

    @property
    def complaints(self) -> str:
        """The end of what the child wrote to its standard error."""
        return self._complaints.text()

    def post(self, header: Header, payload: bytes = b"") -> None:
        """Send one small frame without waiting; a child that has ended does not get it."""
        if not self._writer.is_closing():
            self._writer.write(pack(header, payload))

    async def send(self, header: Header, payload: bytes = b"") -> None:
        """Send one frame. Raises `ChildError` where the child has ended."""
        frame = pack(header, payload)
        try:
            self._writer.write(frame)
            await self._writer.drain()
        except (ConnectionError, RuntimeError) as error:
            raise ChildError("child_ended", f"{self.name} has ended", retryable=True) from error

    async def receive(self) -> tuple[Header, bytes] | None:
        """The child's next frame, or None once it has ended.

        Raises `ChildError` for bytes that are no frame: the child is then of no more use.
        """
        try:
            return await read_frame(self._reader)
        except ValueError as error:
            raise ChildError("child_garbled", f"{self.name} sent what cannot be read: {error}") from error

    async def wait(self) -> int:
        return await self._process.wait()

    def kill(self) -> None:
        """SIGKILL, to the child's whole process group (also to what it left behind, until `aclose`)."""
        if not self._gone:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    async def aclose(self, grace_s: float = 1.0) -> None:
        """Close the socket, which asks the child to end; kill it where it has not after `grace_s`."""
        self._writer.close()
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace_s)
        finally:
            if self._process.returncode is None:
                self.kill()
            await self._process.wait()
            # Later its number may belong to somebody else.
            self._gone = True
            self._complaints.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()


class _Tail:
    """The last bytes from a pipe, read as they come, so that its writer never blocks."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        self._last = b""
        self._loop = asyncio.get_running_loop()
        os.set_blocking(descriptor, False)
        self._loop.add_reader(descriptor, self._read)

    @classmethod
    def open(cls) -> tuple[_Tail, int]:
        """A tail, and the descriptor to write to."""
        ours, theirs = os.pipe()
        return cls(ours), theirs

    def text(self) -> str:
        self._read()
        return self._last.decode(errors="replace").strip()

    def close(self) -> None:
        self._read()
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self) -> None:
        while self._descriptor is not None:
            try:
                part = os.read(self._descriptor, 1 << 16)
            except BlockingIOError:
                return
            if not part:
                self._loop.remove_reader(self._descriptor)
                os.close(self._descriptor)
                self._descriptor = None
            self._last = (self._last + part)[-STDERR_TAIL_BYTES:]


def parent_socket(argv: Sequence[str]) -> socket.socket:
    """The child's side: the socket whose descriptor is the first argument."""
    sock = socket.socket(fileno=int(argv[1]))
    sock.set_inheritable(False)
    return sock
