"""Where a running session can be reached from other processes of the same person: unix sockets in a folder.

Lines of JSON, both ways. The session greets with `{"mybro": VERSION, "protocol": 1, "pid": …, "repo": …}`; a
request is `{"id": …, "do": …}` with what it needs, and its reply, in whatever order, `{"id": …, "ok": {…}}`
or `{"id": …, "error": {"code", "message", "hint"}}`.

A session has two sockets: the person's, in a folder that sandboxed agents cannot look into, and the agents',
through which they speak and ask, and give no orders. `SOCKET_VARIABLE` names the latter to what it starts.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mybro.errors import ChildError
from mybro.ops import knock
from mybro.ops.knock import CONNECT_S, MAX_LINE_BYTES, PROTOCOL, SOCKET_VARIABLE

if TYPE_CHECKING:
    import asyncio

__all__ = [
    "CONNECT_S",
    "MAX_LINE_BYTES",
    "PROTOCOL",
    "SOCKET_VARIABLE",
    "Json",
    "Line",
    "agents_socket",
    "ask_once",
    "folder",
    "own_socket",
    "reach",
    "sessions",
]

Json = dict[str, Any]


def folder() -> Path:
    """The folder of this person's sockets, which nobody else may enter; made where it is missing."""
    place = knock.folder()
    if place is None:
        raise _no_folder()
    return Path(place)


def own_socket() -> Path:
    """Where this process, if it is a session, is reached. Raises `ChildError` no_rendezvous."""
    return folder() / f"{os.getpid()}.sock"


def agents_socket() -> Path:
    """Where the agents of this process, if it is a session, reach it. Raises `ChildError` no_rendezvous."""
    # Late: it brings half the standard library with it.
    from tempfile import gettempdir

    for place in (f"{gettempdir()}/mybro-agents-{os.getuid()}", f"/tmp/mybro-agents-{os.getuid()}"):  # noqa: S108
        if knock.is_usable(place):
            return Path(place) / f"{os.getpid()}.sock"
    raise _no_folder()


def sessions() -> list[Path]:
    """The sockets of sessions, the newest first; some may be dead."""
    return [Path(path) for path in knock.sockets()]


class Line:
    """A client's connection to a session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, greeting: Json) -> None:
        self._reader, self._writer = reader, writer
        self._numbers = itertools.count(1)
        self.greeting = greeting

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Connect to a session. Raises `ChildError`: no_session, other_protocol."""
        # Late: commands that only knock would spend half their time on it.
        import asyncio

        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_unix_connection(path, limit=MAX_LINE_BYTES)
                greeting = json.loads(await reader.readline())
        except (OSError, TimeoutError, ValueError) as error:
            raise _no_session() from error
        if greeting.get("protocol") != PROTOCOL:
            writer.close()
            raise _other_protocol(greeting)
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
    for path in _candidates():
        try:
            line = await Line.open(path)
        except ChildError as error:
            _pass_over(path, error)
            continue
        if repo is None or line.greeting.get("repo") == str(repo):
            return line
        await line.aclose()
    raise _no_session()


def ask_once(do: str, repo: Path | None = None, **fields: Any) -> Json:
    """`reach` and one request, for a command that does nothing else. Blocks. Raises `ChildError`."""
    for path in _candidates():
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                greeting, lines = _knock(sock, path)
            except ChildError as error:
                _pass_over(path, error)
                continue
            if repo is not None and greeting.get("repo") != str(repo):
                continue
            try:
                sock.sendall(json.dumps({"id": 1, "do": do, **fields}).encode() + b"\n")
                # What is asked may take its time, such as ending all work.
                sock.settimeout(None)
                reply: Json = json.loads(lines.readline())
            except (OSError, ValueError) as error:
                raise _no_session() from error
        if problem := reply.get("error"):
            raise ChildError(problem["code"], problem["message"], hint=problem.get("hint", ""))
        return dict(reply["ok"])
    raise _no_session()


def _knock(sock: socket.socket, path: Path) -> tuple[Json, Any]:
    """A session's greeting, and its lines from then on. Raises `ChildError`."""
    sock.settimeout(CONNECT_S)
    try:
        sock.connect(os.fspath(path))
        lines = sock.makefile("rb")
        greeting: Json = json.loads(lines.readline(MAX_LINE_BYTES))
    except (OSError, ValueError) as error:
        raise _no_session() from error
    if greeting.get("protocol") != PROTOCOL:
        lines.close()
        raise _other_protocol(greeting)
    return greeting, lines


def _candidates() -> list[Path]:
    named = os.environ.get(SOCKET_VARIABLE)
    return [Path(named)] if named else sessions()


def _no_folder() -> ChildError:
    return ChildError("no_rendezvous", "no folder here can be used for a session's socket")


def _pass_over(path: Path, error: ChildError) -> None:
    """Go on to the next; the socket of a session that is gone is removed. Raises other errors again."""
    if error.code != "no_session":
        raise error
    if SOCKET_VARIABLE not in os.environ:
        path.unlink(missing_ok=True)


def _other_protocol(greeting: Json) -> ChildError:
    message = f"the running session is of mybro {greeting.get('mybro')}, which speaks otherwise"
    return ChildError("other_protocol", message, hint="Start it again")


def _no_session() -> ChildError:
    return ChildError("no_session", "no session of mybro is running here", hint="Start one: mybro run")
