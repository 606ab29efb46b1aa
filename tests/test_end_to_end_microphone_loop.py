"""mybro hears its own loudspeaker: it lets itself finish, and a person who speaks over it is heard."""

from __future__ import annotations

import itertools
import json
import os
import pty
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mybro.events import SAMPLE_RATE
from tests.audio_tools import Pcm, write_wav
from tests.program import RECORDINGS, command, environment
from tests.projects import home, shop
from tests.requirements import need

if TYPE_CHECKING:
    # At run time it is a plugin, whose asserts pytest rewrites before anybody imports it.
    from tests.sound_server import SoundServer

__all__ = ["home", "shop"]
pytest_plugins = ("tests.sound_server",)
pytestmark = pytest.mark.end_to_end

LIMIT_S = 60
PERSON = RECORDINGS / "06_piper_joe.flac"
"""Three seconds of another voice than mybro's."""
LONG = "what can I say"
"""Answered with many seconds of speech."""


class Loop:
    """`mybro run --hands-free` whose microphone is the loudspeaker's monitor; it speaks with espeak-ng."""

    def __init__(self, server: SoundServer, repo: Path, home: Path) -> None:
        shutil.copy(Path(server.env["HOME"]) / ".asoundrc", home)
        self._env = environment(
            home, **{**server.env, "HOME": str(home), "PULSE_SOURCE": "vspk.monitor",
                     "MYBRO_BRAIN__PROVIDER": "none", "MYBRO_SPEAK__BACKEND": "espeak"},
        )  # fmt: skip
        self._repo = repo
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command("run", "--json", "--hands-free"), cwd=repo, env=self._env, stdin=theirs,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._lines: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def until(self, name: str, seconds: float = LIMIT_S) -> list[dict[str, Any]]:
        """Everything up to the next event of this name; `queue.Empty` where none comes."""
        deadline, seen = time.monotonic() + seconds, []
        while True:
            seen.append(self._lines.get(timeout=max(0.0, deadline - time.monotonic())))
            if seen[-1]["event"] == name:
                return seen

    def ask(self, sentence: str) -> None:
        """Type a sentence from another terminal."""
        said = subprocess.run(
            command("say", "--session", sentence), cwd=self._repo, env=self._env, capture_output=True,
            timeout=LIMIT_S,
        )  # fmt: skip
        assert said.returncode == 0, said

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(LIMIT_S)
        os.close(self._ours)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        try:
            for line in self.process.stdout:
                self._lines.put(json.loads(line))
        except ValueError:
            return


@pytest.fixture
def loop(sound_server: SoundServer, shop: Path, home: Path) -> Iterator[Loop]:
    need(shutil.which("espeak-ng") is not None, "espeak-ng (Linux: apt-get install espeak-ng)")
    running = Loop(sound_server, shop, home)
    try:
        running.until("SourceOpened")
        yield running
    finally:
        running.close()


def cough(seconds: float = 0.35, seed: int = 5) -> Pcm:
    """A burst of breath, coloured as a mouth does, that dies away; no word in it."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    breath = np.convolve(
        rng.standard_normal(len(t)), np.sin(2 * np.pi * 900 * t[:80]) * np.hanning(80), "same"
    )
    shaped = breath * np.minimum(t / 0.01, 1) * np.exp(-t / 0.09)
    return np.asarray(0.5 * shaped / np.abs(shaped).max() * 32767, np.int16)


def slam(seed: int = 6) -> Pcm:
    """A door: a low thud and a crack."""
    rng = np.random.default_rng(seed)
    t = np.arange(SAMPLE_RATE // 3) / SAMPLE_RATE
    crack = rng.standard_normal(len(t)) * np.exp(-t / 0.015)
    thud = np.sin(2 * np.pi * 70 * t) * np.exp(-t / 0.08)
    return np.asarray(0.35 * (0.5 * crack + 2 * thud) * 12000, np.int16)


def play(server: SoundServer, sound: Path) -> subprocess.Popen[bytes]:
    """Into the air that the microphone hears."""
    return subprocess.Popen(
        ["paplay", "--device=vspk", "--latency-msec=50", str(sound)], env=server.env
    )  # fmt: skip


def test_it_does_not_interrupt_itself_nor_does_a_cough_and_a_person_does(
    loop: Loop, sound_server: SoundServer, tmp_path: Path
) -> None:
    loop.ask(LONG)
    loop.until("SayStarted")
    alone = loop.until("SayFinished")
    assert [event for event in alone if event["event"] in ("SpeechStarted", "SpeechSustained")] == []
    assert alone[-1]["interrupted"] is False

    noises = [write_wav(tmp_path / f"{made.__name__}.wav", made()) for made in (cough, slam)]
    loop.ask(LONG)
    loop.until("SayStarted")
    for noise in noises:
        time.sleep(1.2)
        play(sound_server, noise).wait(LIMIT_S)
    assert loop.until("SayFinished")[-1]["interrupted"] is False, "no word was said"

    loop.ask(LONG)
    loop.until("SayStarted")
    time.sleep(1.5)
    for number in itertools.count():
        person = play(sound_server, PERSON)
        try:
            loop.until("SpeechSustained", seconds=5.0)
            break
        except queue.Empty:
            assert number == 0, "a busy machine may break a sound up once"
        finally:
            person.wait(LIMIT_S)
