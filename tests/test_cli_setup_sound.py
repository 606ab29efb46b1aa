"""`mybro setup` at a terminal, with a microphone: the level check, and the first spoken command."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.ground import ROOT
from tests.program import Terminal

if TYPE_CHECKING:
    from tests.sound_server import SoundServer

pytest_plugins = ("tests.sound_server",)
pytestmark = pytest.mark.end_to_end

RUN_THE_TESTS = ROOT / "tests/audio/dev/01_piper_joe.flac"


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
