"""Does checkpoint work in processes of their own, and kills them when it is told to.

    python -m tests.executor_child

Each line of input is "OPERATION<tab>ROOT<tab>REPO<tab>SECONDS": start the operation, SIGKILL it after that
time; the line of output is "killed" or "done". SECONDS of 0 lets it finish and gives the time it took.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import psutil

from mybro.executor.checkpoint import CheckpointStore, History
from tests.fakes.executor import Shaker


def operate(operation: str, root: Path, repo: Path) -> None:
    history = History(CheckpointStore(root, repo))
    history.claim()
    if operation == "undo":
        history.undo()
    elif operation == "redo":
        history.redo()
    elif operation == "job":
        step = history.begin("a job")
        Shaker(repo, random.Random(5), git=(repo / ".git").exists()).shake(8)
        history.finish(step)
    history.release()


def run(operation: str, root: Path, repo: Path, seconds: float) -> str:
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            operate(operation, root, repo)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    if seconds:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    while any(_session(process) == pid for process in psutil.process_iter()):
        time.sleep(0.005)  # a git that was under way still ends by itself
    if os.WIFSIGNALED(status):
        return "killed"
    return f"{time.monotonic() - began:.4f}" if not seconds and status == 0 else f"done {status}"


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid) if process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, psutil.Error):
        return None


def main() -> None:
    for line in sys.stdin:
        operation, root, repo, seconds = line.rstrip("\n").split("\t")
        sys.stdout.write(run(operation, Path(root), Path(repo), float(seconds)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
