"""Who is at the other end of a local socket."""

from __future__ import annotations

import os
import socket
import struct
import sys

import psutil

from mybro.ops import process_table

_KEEPER = "mybro.ops.keeper"
_SOL_LOCAL, _LOCAL_PEERPID = 0, 2
"""See unix(4) and <sys/un.h> of macOS."""


def is_kept(peer: socket.socket) -> bool:
    """Whether a unix socket's other end is below a keeper of this process; who is gone counts as such.

    On Linux nobody gets out from below a keeper, a subreaper. On macOS a process whose parent ended does.
    """
    pid = _pid(peer)
    entry = process_table.entry(pid)
    if entry is None:
        return True
    while entry is not None and entry.parent > 1:
        if entry.parent == os.getpid():
            return _is_keeper(entry.pid)
        entry = process_table.entry(entry.parent)
    return False


def _pid(peer: socket.socket) -> int:
    if sys.platform == "linux":
        credentials = struct.Struct("3i")
        pid, _, _ = credentials.unpack(
            peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
        )
    else:
        (pid,) = struct.unpack("i", peer.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID, struct.calcsize("i")))
    return int(pid)


def _is_keeper(pid: int) -> bool:
    try:
        return _KEEPER in psutil.Process(pid).cmdline()
    except psutil.Error:
        return True
