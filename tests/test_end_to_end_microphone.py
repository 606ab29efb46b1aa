"""Sound played into a real sound server becomes work: `mybro run` as a person uses it."""

from __future__ import annotations

import json
import os
import pty
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.program import RECORDINGS, command, environment, processes_with
from tests.projects import home, shop

if TYPE_CHECKING:
    # At run time it is a plugin, whose asserts pytest rewrites before anybody imports it.
    from tests.sound_server import SoundServer

__all__ = ["home", "shop"]
pytest_plugins = ("tests.sound_server",)
pytestmark = pytest.mark.end_to_end

RUN_THE_TESTS = RECORDINGS / "01_piper_joe.flac"
LIMIT_S = 60
TRIES = 3
"""A busy machine may break a sound up now and then: never three times in a row."""


class Running:
    """`mybro run --json` at a sound server's microphone; `keys` types into its terminal."""

    def __init__(self, server: SoundServer, repo: Path, home: Path, *options: str) -> None:
        shutil.copy(Path(server.env["HOME"]) / ".asoundrc", home)
        env = environment(home, **{**server.env, "HOME": str(home), "MYBRO_BRAIN__PROVIDER": "none"})
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command("run", "--json", "--no-voice", *options), cwd=repo, env=env, stdin=theirs,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._lines: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def wait_for(self, name: str, is_it: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The next event of this name; `queue.Empty` where none comes."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            event = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            if event["event"] == name and is_it(event):
                return event

    def type(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def close(self) -> int:
        """Its exit status, a stop by Ctrl-C if need be."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        status = self.process.wait(LIMIT_S)
        os.close(self._ours)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return status

    def _read(self) -> None:
        assert self.process.stdout is not None
        try:
            for line in self.process.stdout:
                self._lines.put(json.loads(line))
        except ValueError:
            return


def heard(running: Running, server: SoundServer, *, tap: bool = False) -> dict[str, Any]:
    """Say "run the tests" until it is understood; the intent."""
    for number in range(TRIES):
        if tap:
            running.type(b" ")
            running.wait_for("TalkPressed")
            if number == 0:
                running.wait_for("SourceOpened")
        server.say(RUN_THE_TESTS).wait(LIMIT_S)
        if tap:
            running.type(b" ")
        said = running.wait_for("Transcript", lambda event: bool(event["final"]))
        intent: dict[str, Any] = running.wait_for("Intent")["intent"]
        if "tests" in said["text"].lower():
            return intent
    raise AssertionError(said)


def test_what_is_said_hands_free_is_done(sound_server: SoundServer, shop: Path, home: Path) -> None:
    running = Running(sound_server, shop, home, "--hands-free")
    try:
        running.wait_for("Ready")
        running.wait_for("SourceOpened")
        assert heard(running, sound_server)["action"] == "test"
        assert "1 failed" in running.wait_for("JobFinished")["outcome"]["summary"]
    finally:
        running.close()
    assert processes_with(home) == []


def test_a_tap_opens_the_microphone_and_another_ends_the_turn(
    sound_server: SoundServer, shop: Path, home: Path
) -> None:
    running = Running(sound_server, shop, home)
    try:
        assert running.wait_for("Ready")["invitation"].startswith("press space")
        assert heard(running, sound_server, tap=True)["action"] == "test"
        running.wait_for("JobFinished")
        running.type(b"q")
        assert running.process.wait(LIMIT_S) == 0
    finally:
        running.close()
    assert processes_with(home) == []
