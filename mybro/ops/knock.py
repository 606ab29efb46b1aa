"""One word to a running session, with nothing imported that such a word does not need: see `rendezvous`."""

from __future__ import annotations

import json
import os
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROTOCOL = 1
SOCKET_VARIABLE = "MYBRO_SOCKET"
MAX_LINE_BYTES = 1 << 20
CONNECT_S = 2.0
_LONGEST_PATH = 100
"""Bytes that the path of a unix socket may have: 104 on macOS, with a 0 at the end."""
_LONGEST_NAME = len("/4194304.sock")


def folder() -> str | None:
    """The folder of this person's sockets, which nobody else may enter; made where it is missing."""
    if (runtime := os.environ.get("XDG_RUNTIME_DIR")) and is_usable(place := f"{runtime}/mybro"):
        return place
    # Late: it brings half the standard library with it.
    from tempfile import gettempdir

    for place in (f"{gettempdir()}/mybro-{os.getuid()}", f"/tmp/mybro-{os.getuid()}"):  # noqa: S108
        if is_usable(place):
            return place
    return None


def is_usable(place: str) -> bool:
    """Whether a folder can be made, or is, this person's alone, and its sockets' paths are short enough."""
    if len(os.fsencode(place)) >= _LONGEST_PATH - _LONGEST_NAME:
        return False
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)  # noqa: PTH103
        status = os.lstat(place)
    except OSError:
        return False
    return status.st_uid == os.getuid() and not status.st_mode & 0o077


def sockets() -> list[str]:
    """Those of sessions, the newest first; some may be dead."""
    place = folder()
    found = []
    for entry in os.scandir(place) if place else ():
        if entry.name.endswith(".sock"):
            try:
                found.append((entry.stat(follow_symlinks=False).st_mtime, entry.path))
            except FileNotFoundError:
                continue  # its session ended just now
    return [path for _, path in sorted(found, reverse=True)]


def ask(do: str, repo: str | None, **fields: Any) -> dict[str, Any] | None:
    """A session's reply: the one that this process belongs to, or the newest, if need be of a repository.

    None where nothing is as it should be: whoever has more time tells what it is.
    """
    named = os.environ.get(SOCKET_VARIABLE)
    for path in [named] if named else sockets():
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(CONNECT_S)
            try:
                line.connect(path)
                lines = line.makefile("rb")
                greeting = json.loads(lines.readline(MAX_LINE_BYTES))
            except (OSError, ValueError):
                continue
            if greeting.get("protocol") != PROTOCOL:
                return None
            if repo is not None and greeting.get("repo") != repo:
                continue
            # From here on it may have been done, so that a second try by others would do it twice.
            line.sendall(json.dumps({"id": 1, "do": do, **fields}).encode() + b"\n")
            line.settimeout(None)
            reply: dict[str, Any] = json.loads(lines.readline() or b'{"error": {"code": "no_session"}}')
            return reply
    return None


def repository(start: str) -> str:
    """The top of the working tree that a folder lies in, or that folder."""
    here = top = os.path.realpath(start)
    while not os.path.exists(f"{here}/.git"):  # noqa: PTH110
        here, before = os.path.dirname(here), here  # noqa: PTH120
        if here == before:
            return top
    return here
