"""Where a running session can be reached from other processes of the same person: unix sockets in a folder.

Lines of JSON, both ways. The session greets with `{"mybro": VERSION, "protocol": 1, "pid": …, "repo": …}`; a
request is `{"id": …, "do": …}` with what it needs, and its reply, in whatever order, `{"id": …, "ok": {…}}`
or `{"id": …, "error": {"code", "message", "hint"}}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Self

from mybro.errors import ChildError

PROTOCOL = 1
SOCKET_VARIABLE = "MYBRO_SOCKET"
"""Tells the programs that a session starts which session that is."""
MAX_LINE_BYTES = 1 << 20
CONNECT_S = 2.0
_LONGEST_PATH = 100
"""Bytes that the path of a unix socket may have: 104 on macOS, with a 0 at the end."""
_LONGEST_NAME = len("/4194304.sock")

Json = dict[str, Any]


def folder() -> Path:
    """The folder of this person's sockets, which nobody else may enter; made where it is missing."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    places = [Path(runtime) / "mybro"] if runtime else []
    places += [Path(tempfile.gettempdir()) / f"mybro-{os.getuid()}", Path(f"/tmp/mybro-{os.getuid()}")]  # noqa: S108
    for place in places:
        if len(os.fsencode(place)) < _LONGEST_PATH - _LONGEST_NAME and _is_usable(place):
            return place
    raise ChildError("no_rendezvous", f"{places[-1]} cannot be used for a session's socket")


def _is_usable(place: Path) -> bool:
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = place.lstat()
    except OSError:
        return False
    return status.st_uid == os.getuid() and not status.st_mode & 0o077


def own_socket() -> Path:
    """Where this process, if it is a session, is reached. Raises `ChildError` no_rendezvous."""
    return folder() / f"{os.getpid()}.sock"


def sessions() -> list[Path]:
    """The sockets of sessions, the newest first; some may be dead."""
    found = [(path.stat().st_mtime, path) for path in folder().glob("*.sock") if path.exists()]
    return [path for _, path in sorted(found, reverse=True)]


class Line:
    """A client's connection to a session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: Json) -> None:
        self._reader, self._writer = reader, writer
        self._numbers = itertools.count(1)
        self.greeting = greeting

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Connect to a session. Raises `ChildError`: no_session, other_protocol."""
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_unix_connection(path, limit=MAX_LINE_BYTES)
                greeting = json.loads(await reader.readline())
        except (OSError, TimeoutError, ValueError) as error:
            raise _no_session() from error
        if greeting.get("protocol") != PROTOCOL:
            writer.close()
            raise ChildError(
                "other_protocol",
                f"the running session is of mybro {greeting.get('mybro')}, which speaks otherwise",
                hint="Start it again",
            )
        return cls(reader, writer, greeting)

    async def ask(self, do: str, **fields: Any) -> Json:
        """Send one request and wait for its reply. Raises `ChildError`, also for what the session refuses."""
        number = next(self._numbers)
        self._writer.write(json.dumps({"id": number, "do": do, **fields}).encode() + b"\n")
        try:
            await self._writer.drain()
            while line := await self._reader.readline():
                reply: Json = json.loads(line)
                if reply.get("id") != number:
                    continue
                if error := reply.get("error"):
                    raise ChildError(error["code"], error["message"], hint=error.get("hint", ""))
                return dict(reply["ok"])
        except (OSError, ValueError) as error:
            raise _no_session() from error
        raise _no_session()

    async def aclose(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def reach(repo: Path | None = None) -> Line:
    """A line to the session that `SOCKET_VARIABLE` names, or to the newest, if need be of this repository.

    Raises `ChildError` no_session. Sockets that nobody serves any more are removed.
    """
    named = os.environ.get(SOCKET_VARIABLE)
    for path in [Path(named)] if named else sessions():
        try:
            line = await Line.open(path)
        except ChildError as error:
            if error.code != "no_session":
                raise
            if not named:
                path.unlink(missing_ok=True)
            continue
        if repo is None or line.greeting.get("repo") == str(repo):
            return line
        await line.aclose()
    raise _no_session()


def _no_session() -> ChildError:
    return ChildError("no_session", "no session of mybro is running here", hint="Start one: mybro run")
