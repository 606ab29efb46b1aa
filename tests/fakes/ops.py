"""A process that will not go easily: `python -m tests.fakes.ops KIND FILE` writes to FILE for 20 seconds.

KIND is plain, setsid, double_fork, term_ignoring, bare (detached, with an empty environment) or forking.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import psutil

KINDS = ("plain", "setsid", "double_fork", "term_ignoring", "forking")
"""What is found on every platform; "bare" needs a subreaper."""


def main(kind: str, file: str) -> None:
    if kind == "setsid":
        if os.fork():
            time.sleep(20)
        os.setsid()
    elif kind in ("double_fork", "bare"):
        if os.fork():
            time.sleep(20)
        os.setsid()
        if os.fork():
            os._exit(0)
        if kind == "bare":
            os.execve(sys.executable, [sys.executable, "-I", __file__, "plain", file], {})  # noqa: S606
    elif kind == "term_ignoring":
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    with open(file, "a", buffering=1) as out:  # noqa: PTH123 - the lines are to be seen as they are written
        end = time.monotonic() + 20
        while time.monotonic() < end:
            out.write(f"{os.getpid()}\n")
            if kind == "forking" and os.fork():
                os._exit(0)
            time.sleep(0.001)


def writers(file: Path) -> list[psutil.Process]:
    """The living processes that wrote to the file most lately; waits until there is one."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for line in reversed(file.read_text().split() if file.exists() else []):
            try:
                return [psutil.Process(int(line))]
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.01)
    raise AssertionError(f"nothing writes to {file.name}")


def silent(file: Path, seconds: float = 0.15) -> bool:
    """Whether nothing is written for a while."""
    before = file.stat().st_size
    time.sleep(seconds)
    return file.stat().st_size == before


if __name__ == "__main__":
    main(*sys.argv[1:])
