"""The keeper: a small parent process that lets nothing of a command outlive it.

`python -m mybro.ops.keeper FD` is started by `mybro.ops.kept` with the pipes that are meant for the command;
the command inherits them and the keeper lets go of them, so nothing is copied. FD is one end of a socket
pair, the owner holds the other.

- Owner to keeper: first the JSON line `{"argv": […], "cwd": …, "env": {…}, "token": …}`, then one byte per
  wish: INTERRUPT, TERMINATE (SIGTERM, a grace, SIGKILL) or KILL. The end of the stream, which comes when
  the owner closes it or dies by whatever means, is KILL.
- Keeper to owner: the JSON line `{"pid": …}` once the command runs, or `{"errno": …, "path": …}` where it
  cannot, then `{"exit": …, "survivors": […]}` (negative: a signal) once all is dead; then the keeper ends.

On Linux the keeper is the subreaper of all that the command starts, so that what detaches itself stays below
it, and the command dies with a keeper that is killed (PR_SET_PDEATHSIG). What the command itself had started
then is left to the owner, who finds it by its marker; where keeper and owner are killed in the same moment,
it lives on. macOS has neither call: there the process tree and the marker do all of this.

The command runs at a lower priority than its owner, see `mybro.ops.priority`.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from mybro.ops.priority import Shares, give_way

INTERRUPT, TERMINATE, KILL = b"i", b"t", b"k"
GRACE_S = 0.5
"""Between SIGTERM and SIGKILL when the owner asks to TERMINATE."""

_SHARES_S = 0.5
"""How often to look for new sessions that take a share of the processor."""

_END_S = 3.0
"""For those to go who flee from being killed."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main(argv: Sequence[str]) -> int:
    owner = socket.socket(fileno=int(argv[1]))
    owner.set_inheritable(False)
    woken = _catch_signals()
    request = _receive(owner)
    if request is None:
        return 0
    prctl = _prctl()
    prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        # Held to the end: a Popen that is dropped waits for its process, and so takes the status from us.
        command = _spawn(request, prctl)
    except OSError as error:
        _tell(owner, {"errno": error.errno or errno.EIO, "path": str(error.filename)})
        return 0
    child = command.pid
    _release_stdio()
    _tell(owner, {"pid": child})
    # Loaded while the command starts: it is there by the time it is needed in a hurry.
    from mybro.ops.processes import kill_tree

    burial = _Burial(child)
    grace_s = _watch(owner, child, woken, burial)
    survivors = kill_tree(os.getpid(), marker=request["token"], grace_s=grace_s, bury=burial)
    deadline = time.monotonic() + _END_S
    # Of a subreaper's children the system knows whether there are any: nothing is overlooked here.
    while not (burial.complete or survivors) and time.monotonic() < deadline:
        survivors = kill_tree(os.getpid(), marker=request["token"], bury=burial)
        burial()
    # A command that does not die even of SIGKILL counts as killed.
    status = int(signal.SIGKILL) if burial.status is None else burial.status
    _tell(owner, {"exit": os.waitstatus_to_exitcode(status), "survivors": survivors})
    return 0


def _receive(owner: socket.socket) -> dict[str, Any] | None:
    line = bytearray()
    while not line.endswith(b"\n"):
        part = owner.recv(1 << 16)
        if not part:
            return None
        line += part
    request: dict[str, Any] = json.loads(line)
    return request


def _catch_signals() -> int:
    """Make SIGCHLD readable on the descriptor returned, and bear what a terminal sends to everybody.

    Handlers rather than SIG_IGN, which the command would inherit: a handler becomes the default at exec.
    """
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, lambda *_: None)
    return woken


def _prctl() -> Callable[[int, int], int]:
    if sys.platform == "linux":
        function = ctypes.CDLL(None).prctl
        function.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
        return lambda option, value: int(function(option, value, 0, 0, 0))
    else:  # noqa: RET505 - type checkers skip a branch of another platform, not what follows it
        return lambda *_: 0


def _spawn(request: dict[str, Any], prctl: Callable[[int, int], int]) -> subprocess.Popen[bytes]:
    keeper = os.getpid()

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(1)
        give_way()

    # One thread only, so that code between fork and exec is safe.
    return subprocess.Popen(
        request["argv"], cwd=request["cwd"], env=request["env"],
        start_new_session=True, preexec_fn=prepare,  # noqa: PLW1509
    )  # fmt: skip


def _release_stdio() -> None:
    """Only the command holds its pipes, so that their ends are seen."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def _watch(owner: socket.socket, child: int, woken: int, burial: _Burial) -> float:
    """Wait for the command's end or the owner's wish; gives the grace for what is left."""
    shares = Shares(os.getpid())
    while True:
        select.select([owner.fileno(), woken], [], [], _SHARES_S if shares.matter else None)
        if shares.matter:
            shares.lower()
        with contextlib.suppress(BlockingIOError):
            os.read(woken, 4096)
        burial()
        if burial.status is not None:
            return 0.0
        if not select.select([owner], [], [], 0)[0]:
            continue
        try:
            wishes = owner.recv(64)
        except ConnectionError:
            wishes = b""
        if not wishes or KILL in wishes:
            return 0.0
        if TERMINATE in wishes:
            return GRACE_S
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGINT)


class _Burial:
    """Buries whoever has died, adopted orphans too."""

    def __init__(self, child: int) -> None:
        self._child = child
        self.status: int | None = None
        """The command's, once it was among them."""
        self.complete = False
        """Whether there is nobody left, dead or alive."""

    def __call__(self) -> None:
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == self._child:
                    self.status = status
        except ChildProcessError:
            self.complete = True


def _tell(owner: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        owner.sendall(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv))
