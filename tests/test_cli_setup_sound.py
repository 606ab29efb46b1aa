"""`mybro setup` at a terminal, with a microphone: the level check, and the first spoken command."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.ground import ROOT

if TYPE_CHECKING:
    from tests.sound_server import SoundServer

pytest_plugins = ("tests.sound_server",)
pytestmark = pytest.mark.end_to_end

RUN_THE_TESTS = ROOT / "tests/audio/dev/01_piper_joe.flac"
PATIENCE_S = 90.0


class Terminal:
    """mybro at a pseudo-terminal, watched for what it prints."""

    def __init__(self, env: dict[str, str], *arguments: str) -> None:
        self._end, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mybro", *arguments], env=env, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
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
        while self._read():
            pass
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


@pytest.fixture
def env(sound_server: SoundServer, tmp_path: Path) -> dict[str, str]:
    places = {
        "MYBRO_CONFIG_FILE": str(tmp_path / "config.toml"),
        "MYBRO_DATA_DIR": str(tmp_path / "data"),
        "MYBRO_CACHE_DIR": str(tmp_path / "cache"),
    }
    return {**sound_server.env, **places, "TERM": "dumb"}


@pytest.fixture
def room(sound_server: SoundServer) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Sounds in the room, ended with the test."""
    sounds: list[subprocess.Popen[bytes]] = []
    yield sounds
    for sound in sounds:
        sound.kill()
        sound.wait()


def test_a_newcomer_speaks_a_first_command_and_is_understood(
    sound_server: SoundServer, env: dict[str, str], room: list[subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    terminal = Terminal(env, "setup", "--only", "microphone", "--only", "try")
    try:
        if terminal.wait_for("Number of the microphone", "Say something") == "Number of the microphone":
            terminal.type("\n")
            terminal.wait_for("Say something")
        room.append(sound_server.say(RUN_THE_TESTS))
        assert terminal.wait_for("✓", "✗") == "✓", terminal.screen
        terminal.wait_for("Now, please")
        room.append(sound_server.say(RUN_THE_TESTS))
        terminal.wait_for("heard and understood")
        assert terminal.finish() == 0, terminal.screen
    finally:
        terminal.close()
    assert "Ready." in terminal.screen
    steps = json.loads((tmp_path / "data/setup.json").read_text())["steps"]
    assert {name: step["state"] for name, step in steps.items()} == {"microphone": "done", "try": "done"}
