"""Running `mybro` as a person does: a process of its own, with a home and an environment of its own."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

RECORDINGS = Path(__file__).parent / "audio" / "dev"
PATIENCE_S = 90.0


def measured() -> dict[str, str]:
    """What a child has to be told, for what it runs to be counted by the coverage of this run."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}


@functools.cache
def runtime(home: Path) -> str:
    """Where the sessions of one home are found: `mybro stop` there reaches no other, and no other them.

    A home's own path is too long for that of a unix socket.
    """
    place = tempfile.mkdtemp(prefix="mybro-test-", dir="/tmp")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return place


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment that has nothing of this machine's but its programs (and the coverage of this run)."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb",
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@localhost",
        "GIT_COMMITTER_NAME": "T", "GIT_COMMITTER_EMAIL": "t@localhost",
        "XDG_RUNTIME_DIR": runtime(home),
        "MYBRO_EXECUTOR__CLAUDE_PATH": "/nonexistent/claude", "MYBRO_SPEAK__NOTIFY": "false",
        **measured(), **more,
    }  # fmt: skip


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "mybro", *map(str, arguments)]


def run(
    *arguments: str | Path, home: Path, cwd: Path, env: Mapping[str, str] | None = None, stdin: bytes = b"",
    timeout_s: float = 120,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run `mybro` to its end."""
    done = subprocess.run(
        command(*arguments), cwd=cwd, env=environment(home, **(env or {})), input=stdin,
        capture_output=True, timeout=timeout_s,
    )  # fmt: skip
    text = (done.stdout.decode(), done.stderr.decode())
    return subprocess.CompletedProcess(done.args, done.returncode, *text)


def start(
    *arguments: str | Path, home: Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start `mybro`; its lines come through `stdout`."""
    return subprocess.Popen(
        command(*arguments), cwd=cwd, env=environment(home, **(env or {})), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


class Terminal:
    """mybro at a pseudo-terminal, watched for what it prints."""

    def __init__(self, env: dict[str, str], *arguments: str) -> None:
        self._end, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command(*arguments), env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )  # fmt: skip
        os.close(theirs)
        self.screen = ""
        self._seen = 0

    def wait_for(self, *texts: str) -> str:
        """Until one of the texts is printed after what was waited for last; which one that was."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            for text in texts:
                if text in self.screen[self._seen :]:
                    self._seen = self.screen.index(text, self._seen) + len(text)
                    return text
            assert time.monotonic() < deadline, f"waited for {texts}:\n{self.screen}"
            assert self._read(), f"ended before {texts}:\n{self.screen}"

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def finish(self) -> int:
        """Read to the end, and return the exit status."""
        deadline = time.monotonic() + PATIENCE_S
        while self._read():
            assert time.monotonic() < deadline, self.screen
        return self.process.wait(timeout=PATIENCE_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._end)

    def _read(self) -> bool:
        """Take what is there within a moment; False at the end."""
        ready, _, _ = select.select([self._end], [], [], 0.2)
        if ready:
            # Linux reports the other end's closing as an error.
            with contextlib.suppress(OSError):
                data = os.read(self._end, 4096)
                self.screen += data.decode(errors="replace")
                return bool(data)
            return False
        return True


def lines(output: str) -> list[dict[str, Any]]:
    """JSON lines as objects."""
    return [json.loads(line) for line in output.splitlines()]


def of(name: str, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in objects if item["event"] == name]


def processes_with(home: Path) -> list[psutil.Process]:
    """Every living process whose environment has this home: whatever a session left behind."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
