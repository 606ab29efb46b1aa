"""The live view in a real terminal, which changes its width."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.requirements import need
from tests.terminal_scene import until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parent.parent
PLAY = """
import sys, time
from mybro.terminal import choose_view
from tests.terminal_scene import scene
view = choose_view(place="shop")
for envelope in scene():
    view.show(envelope)
    time.sleep(0.001)
print(sys.stdin.readline(), end="")
view.close()
print("THE END")
"""


class Tmux:
    """One window of a real terminal."""

    def __init__(self, folder: Path, width: int) -> None:
        self._socket = f"mybro-{uuid4().hex[:8]}"
        self._environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm-256color", "LANG": "C.UTF-8",
            "TMUX_TMPDIR": str(folder),
        }  # fmt: skip
        script = folder / "play.py"
        script.write_text(PLAY)
        play = f"cd {ROOT} && PYTHONPATH={ROOT} {sys.executable} {script}; cat"
        self("new-session", "-d", "-x", str(width), "-y", "50", play)

    def __call__(self, *command: str) -> str:
        done = subprocess.run(
            ["tmux", "-f", "/dev/null", "-L", self._socket, *command],
            env=self._environment, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        return done.stdout

    @property
    def text(self) -> str:
        return self("capture-pane", "-p", "-S", "-100")


@pytest.fixture
def tmux(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    need(shutil.which("tmux"), "tmux: install it with the system's package manager")
    made = Tmux(tmp_path, request.param)
    yield made
    made("kill-server")


def _fills(tmux: Tmux, width: int) -> bool:
    return any(len(row) == width and row.startswith("╭─ mybro") for row in tmux.text.splitlines())


@pytest.mark.parametrize("tmux", [60, 140], indirect=True)
def test_a_real_terminal_keeps_the_history_and_survives_a_change_of_width(tmux: Tmux) -> None:
    until(lambda: "and then show me the" in tmux.text)
    for width in ("90", "61", "100"):
        tmux("resize-window", "-x", width, "-y", "50")
        until(functools.partial(_fills, tmux, int(width)))
        # Time passes in the job, so that it is drawn again; what an earlier width left would stay.
        time.sleep(0.5)
        until(lambda: tmux.text.count("╭─ mybro") == tmux.text.count("╰") == 1)
    tmux("send-keys", "Enter")
    until(lambda: "THE END" in tmux.text)
    text = tmux.text
    assert "╭─ mybro" not in text and "hearing you" not in text
    for words in ("❯ Run the tests.", "❯ Push it.", "♪ Left alone."):
        assert text.count(words) == 1
    assert tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"
