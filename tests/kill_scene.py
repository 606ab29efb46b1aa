"""A daemon under load, a network that can be cut, and watchers who must miss nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from mybro.ops.rendezvous import Line
from mybro.server.tokens import Tokens
from tests.program import run, start

LIMIT_S = 90
SECRET = "a secret for the tests that is long enough"
LIVES = 2
"""So often a session may be killed before its supervisor stops: two restarts an hour after a SIGKILL."""


class Network:
    """A way to the daemon that can be cut: every connection breaks, and none comes about."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while part := await source.read(1 << 16):
                    sink.write(part)
                    await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, back), pump(there, writer))
        self._open -= {writer, back}


class Desk:
    """`mybro daemon run` in a repository, started again as a service manager does it."""

    def __init__(self, home: Path, repo: Path, port: int, proxied: int) -> None:
        self.home, self.repo, self.port = home, repo, port
        runtime = home / "run"
        runtime.mkdir(mode=0o700, parents=True)
        self.data = home / "data"
        self.env = {
            "MYBRO_BRAIN__PROVIDER": "none", "MYBRO_TRANSCRIBE__MODEL": "tiny.en", "LANG": "C.UTF-8",
            "MYBRO_TRANSCRIBE__BACKEND": "faster-whisper", "MYBRO_SERVER__PORT": str(port),
            "MYBRO_SERVER__ALLOWED_HOSTS": json.dumps([f"127.0.0.1:{proxied}"]),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "MYBRO_SERVER__LOGS_PORT": "0",
            "MYBRO_SERVER__JWT_SECRET": SECRET, "XDG_RUNTIME_DIR": str(runtime),
            "MYBRO_DATA_DIR": str(self.data),
            "GIT_COMMITTER_NAME": "T", "GIT_COMMITTER_EMAIL": "t@localhost",
        }  # fmt: skip
        self.supervisor: subprocess.Popen[str] | None = None
        self.lives = 0

    def mybro(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run(*words, home=self.home, cwd=self.repo, env=self.env)

    def token(self) -> str:
        """A program's, from the register that the daemon reads."""
        self.data.mkdir(parents=True)
        tokens = Tokens(SECRET, self.data / "tokens.db")
        made, _ = tokens.issue("act", 1)
        tokens.close()
        return made

    async def page(self) -> str:
        """The page's address, as the running session tells it to its owner."""
        line = await Line.open(Path(self.env["XDG_RUNTIME_DIR"]) / "mybro" / f"{self.session().pid}.sock")
        try:
            return str((await line.ask("page"))["page"])
        finally:
            await line.aclose()

    def start(self) -> None:
        self.supervisor = start("daemon", "run", home=self.home, cwd=self.repo, env=self.env)
        self.lives = LIVES

    def record(self) -> dict[str, Any]:
        try:
            told: dict[str, Any] = json.loads((self.data / "daemon.json").read_text())
        except (OSError, ValueError):
            return {}
        return told

    def session(self) -> psutil.Process:
        return psutil.Process(self.record()["child"])

    def recogniser(self) -> psutil.Process | None:
        return next(
            (
                child for child in self.session().children(recursive=True)
                if "mybro.transcribe.worker" in child.cmdline()
            ),
            None,
        )  # fmt: skip

    def close(self) -> None:
        if self.supervisor is not None:
            if self.supervisor.poll() is None:
                self.supervisor.send_signal(signal.SIGTERM)
            self.supervisor.communicate(timeout=LIMIT_S)

    def kill_supervisor(self) -> None:
        """Its session ends with it; a service manager starts both again."""
        assert self.supervisor is not None
        child = self.session()
        self.supervisor.kill()
        self.supervisor.communicate(timeout=LIMIT_S)
        with contextlib.suppress(psutil.NoSuchProcess):
            child.wait(LIMIT_S)
        self.start()

    def kill_session(self) -> None:
        """Twice in a supervisor's life; the third time the supervisor goes, as it would stay stopped."""
        if not self.lives:
            self.kill_supervisor()
            return
        self.lives -= 1
        os.kill(self.session().pid, signal.SIGKILL)

    async def until_up(self, client: httpx.AsyncClient, former: int | None) -> None:
        """Until another session than the former one answers."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                if self.record().get("child") not in (None, former):
                    with contextlib.suppress(httpx.HTTPError):
                        if (await client.get("/v1/status")).status_code == 200:
                            return
                assert self.supervisor is not None
                assert self.supervisor.poll() is None, self.record()
                await asyncio.sleep(0.05)


class Watcher:
    """Follows the events over any number of connections and sessions, and misses none."""

    def __init__(self, port: int, token: str) -> None:
        self._address = f"ws://127.0.0.1:{port}/v1/events"
        self._headers = {"Authorization": f"Bearer {token}"}
        self.session, self.seq, self.came = "", 0, 0
        self.faults: list[str] = []
        self.recorded: set[str] = set()
        """What the sessions said to be on disk."""
        self._typed: dict[int, str] = {}

    async def run(self) -> None:
        while True:
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                await self._once()
            await asyncio.sleep(0.05)

    async def _once(self) -> None:
        query = f"?after={self.seq}&session={self.session}"
        async with connect(self._address + query, additional_headers=self._headers, open_timeout=5) as socket:
            async for raw in socket:
                self._take(json.loads(raw))

    def _take(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "Hello":
                if event["session"] != self.session:
                    self.session, self.seq, self._typed = event["session"], 0, {}
                return
            case "Heartbeat":
                return
            case "Missed":
                self.faults.append(f"missed {event}")
                return
            case "Typed":
                self._typed[event["turn"]] = event["text"]
            case "Recorded" if event["turn"] in self._typed:
                self.recorded.add(self._typed[event["turn"]])
        if event["seq"] != self.seq + 1:
            self.faults.append(f"{self.seq} is followed by {event['seq']}")
        self.seq = event["seq"]
        self.came += 1


def committing(repo: Path, runs: Path) -> None:
    """Commits here take their time, and each writes down that it was begun."""
    hook = repo / ".git" / "hooks" / "commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\nhead -n1 "$1" >> "{runs}"\nsleep 0.8\n')
    hook.chmod(0o755)


def browsers() -> Iterator[psutil.Process]:
    """The browsers that this process has started, without their parts."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            words = child.cmdline()
            if "chromium" in " ".join(words[:1]) and not any(word.startswith("--type=") for word in words):
                yield child
