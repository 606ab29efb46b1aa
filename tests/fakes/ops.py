"""A process that will not go easily: `python -m tests.fakes.ops KIND FILE` writes to FILE for a minute.

KIND is plain, setsid, double_fork, term_ignoring, busy (without a pause), bare (detached, with an empty
environment), forking (a chain of processes, each of which forks and exits) or fleeing (such a chain, each in
a session of its own).
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

KINDS = ("plain", "setsid", "double_fork", "term_ignoring", "busy", "forking")
"""What is found on every platform."""
QUICK = ("fleeing",) if sys.platform == "linux" else ()
"""What is found where the process table is read fast; "bare" needs a subreaper."""

LIFE_S = 60
GENERATION_S = 0.005
"""How long each of a forking chain lives after it has written."""
PATIENCE_S = 60


def main(kind: str, file: str, *_: str) -> None:
    chain = kind in ("forking", "fleeing")
    if chain and os.fork():
        time.sleep(LIFE_S)
    if kind in ("setsid", "double_fork", "bare"):
        detach(kind, file)
    if kind == "term_ignoring":
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    with open(file, "a", buffering=1) as out:  # noqa: PTH123 - the lines are to be seen as they are written
        end = time.monotonic() + LIFE_S
        while time.monotonic() < end:
            out.write(f"{os.getpid()}\n")
            if kind != "busy":
                time.sleep(GENERATION_S if chain else 0.001)
            if chain and os.fork():
                os._exit(0)
            if kind == "fleeing":
                os.setsid()


def detach(kind: str, file: str) -> None:
    if os.fork():
        time.sleep(LIFE_S)
    os.setsid()
    if kind != "setsid" and os.fork():
        os._exit(0)
    if kind == "bare":
        os.execve(sys.executable, [sys.executable, "-I", __file__, "plain", file], {})  # noqa: S606


def writers(file: Path) -> list[psutil.Process]:
    """The living processes that wrote to the file most lately; waits until there is one."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for line in reversed(file.read_text().split()[-3:] if file.exists() else []):
            try:
                return [psutil.Process(int(line))]
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.001)
    raise AssertionError(f"nothing writes to {file.name}")


def written(file: Path) -> bool:
    """Whether more is written."""
    before = file.stat().st_size
    return soon(lambda: file.stat().st_size > before)


def soon(holds: Callable[[], bool]) -> bool:
    """Whether something comes true; waits for it, because a busy machine may give others no time for long."""
    deadline = time.monotonic() + PATIENCE_S
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return held


def silent(file: Path, seconds: float = 0.15) -> bool:
    """Whether nothing is written for a while."""
    before = file.stat().st_size
    time.sleep(seconds)
    return file.stat().st_size == before


if __name__ == "__main__":
    main(*sys.argv[1:])
