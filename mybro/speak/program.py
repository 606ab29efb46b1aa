"""A synthesizer that is a program of its own: text goes in on its stdin, never onto its command line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator, Sequence

from mybro.errors import SpeakError

_CHUNK_BYTES = 8192


async def output_of(command: Sequence[str], text: str, name: str) -> AsyncGenerator[bytes]:
    """What the program writes to its stdout, as it comes.

    Closing the generator kills the program, with everything it started, and returns when it is dead.
    Raises `SpeakError` where it does not start or ends with a status other than 0.
    """
    process = await start(command, name)
    assert process.stdin is not None and process.stdout is not None  # noqa: S101
    try:
        with contextlib.suppress(ConnectionError):
            process.stdin.write(text.encode())
            await process.stdin.drain()
        process.stdin.close()
        while chunk := await process.stdout.read(_CHUNK_BYTES):
            yield chunk
        status = await process.wait()
    finally:
        await end(process)
    if status != 0:
        raise SpeakError("voice_failed", f"{name} ended with status {status}", retryable=True)


async def start(
    command: Sequence[str], name: str, stderr: int = asyncio.subprocess.DEVNULL
) -> asyncio.subprocess.Process:
    """Start a program in a process group of its own. Raises `SpeakError` where it cannot be started."""
    try:
        return await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=stderr,
            start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise SpeakError("voice_not_started", f"{name} did not start: {error.strerror}") from error


async def end(process: asyncio.subprocess.Process) -> None:
    """Kill the program's group and wait until it is gone; harmless where it already is."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    # A pipe that nobody reads any more would never report its end, and the wait would never return.
    while process.stdout is not None and await process.stdout.read(_CHUNK_BYTES):
        pass
    await process.wait()
