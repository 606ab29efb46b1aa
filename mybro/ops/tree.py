"""A command with everything that it starts: run it, bound it, leave nothing of it behind."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mybro.clock import Clock, MonotonicClock
from mybro.ops.kept import Kept
from mybro.ops.processes import MARKER, descendants, freeze, kill_tree, thaw

__all__ = ["MARKER", "CommandResult", "descendants", "freeze", "kill_tree", "run_command", "thaw"]

_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What came of a command."""

    returncode: int
    """The exit status, negative for a signal."""
    lines: tuple[str, ...]
    """The last lines of its output and errors, in the order of arrival, without line ends."""
    dropped: int
    """How many lines before those were not kept."""
    timed_out: bool
    """Whether it was ended for having run too long."""
    seconds: float

    @property
    def output(self) -> str:
        return "\n".join(self.lines)


async def run_command(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
    on_line: Callable[[str], Awaitable[None]] | None = None,
    keep_lines: int = 2000,
    max_line_chars: int = 4000,
    clock: Clock | None = None,
) -> CommandResult:
    """Run a command to its end, with its input closed, output and errors merged.

    `env` replaces the environment (default: this process's own). `on_line` gets each line as it comes, cut
    to `max_line_chars`, ANSI codes as they are; a slow `on_line` slows the command, and what it raises ends
    the command and is raised here. A carriage return within a line overwrites, as on a terminal. Once the
    command has exited, what it left running in the background is killed too.

    After `timeout_s` seconds on `clock`, or when the calling task is cancelled, the whole process tree is
    killed, detached descendants included, before this returns (`timed_out`) or `CancelledError` leaves. The
    tree dies as well when this program is killed.

    Raises `ChildError` where the command cannot be started: code "command_not_found" where there is no
    such program, "command_not_started" otherwise.
    """
    began = time.monotonic()
    kept = await Kept.start(argv, cwd=cwd, env=os.environ if env is None else env)
    tail: deque[str] = deque(maxlen=keep_lines)
    seen = 0

    async def work() -> None:
        nonlocal seen
        async for line in _lines(kept.stdout, max_line_chars):
            seen += 1
            tail.append(line)
            if on_line is not None:
                await on_line(line)
        await kept.wait()

    working = asyncio.create_task(work())
    expiring = asyncio.create_task(_expire(clock or MonotonicClock(), timeout_s))
    try:
        await asyncio.wait({working, expiring}, return_when=asyncio.FIRST_COMPLETED)
        timed_out = not working.done()
        if not timed_out:
            working.result()
    finally:
        working.cancel()
        expiring.cancel()
        ended = await kept.aclose()
        await asyncio.gather(working, expiring, return_exceptions=True)
    return CommandResult(ended.returncode, tuple(tail), seen - len(tail), timed_out, time.monotonic() - began)


async def _expire(clock: Clock, seconds: float | None) -> None:
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await clock.sleep(seconds)


async def _lines(stream: asyncio.StreamReader | None, limit: int) -> AsyncIterator[str]:
    """Lines of any length, each cut to `limit` characters; holds no more than a chunk and a line."""
    held = b""
    while stream is not None and (chunk := await stream.read(_CHUNK_BYTES)):
        *whole, held = (held + chunk).split(b"\n")
        for line in whole:
            yield _text(line, limit)
        held = held[: 4 * limit]
    if held:
        yield _text(held, limit)


def _text(line: bytes, limit: int) -> str:
    return line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")[:limit]
