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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mybro.events import SAMPLE_RATE
from tests.audio_tools import Pcm, noise, write_wav
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
HEARD_S = 10.0
PERSON = RECORDINGS / "06_piper_joe.flac"
"""Three seconds of another voice than mybro's."""
LONG = "what can I say"
"""Answered with some seconds of speech: "Say: run the tests, ..."."""
ROOM_S, ROOM_DBFS = 300.0, -75.0
"""A room is never as silent as a sound server that nobody plays to: of a microphone that delivers only zeros
mybro says so, aloud and between what the test listens for."""
SOUNDING = 500
"""Of 32768: the room is softer, the voice louder."""


class Loop:
    """`mybro run --hands-free` whose microphone is the loudspeaker's monitor; it speaks with espeak-ng."""

    def __init__(self, server: SoundServer, repo: Path, home: Path) -> None:
        shutil.copy(Path(server.env["HOME"]) / ".asoundrc", home)
        self._env = environment(
            home, **{**server.env, "HOME": str(home), "PULSE_SOURCE": "vspk.monitor",
                     "MYBRO_BRAIN__PROVIDER": "none", "MYBRO_SPEAK__BACKEND": "espeak"},
        )  # fmt: skip
        self._repo, self._server = repo, server
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command("run", "--json", "--hands-free"), cwd=repo, env=self._env, stdin=theirs,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._lines: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.events: list[dict[str, Any]] = []
        self.mark = 0
        threading.Thread(target=self._read, daemon=True).start()

    def until(self, is_it: Callable[[dict[str, Any]], object], seconds: float = LIMIT_S) -> dict[str, Any]:
        """The first event like this since `mark`; `queue.Empty` where none comes."""
        deadline, at = time.monotonic() + seconds, self.mark
        while True:
            while at < len(self.events):
                if is_it(self.events[at]):
                    return self.events[at]
                at += 1
            self.events.append(self._lines.get(timeout=max(0.0, deadline - time.monotonic())))

    def speak(self) -> int:
        """Have it speak for some seconds; the number of what it says, once that can be heard."""
        self.mark = len(self.events)
        room = self._server.record_loudspeaker()
        self.ask(LONG)
        said = self.until(lambda e: e["event"] == "SayStarted" and e["text"].startswith("Say:"))
        self.mark = len(self.events)
        deadline = time.monotonic() + LIMIT_S
        while np.count_nonzero(np.abs(room.pcm()) > SOUNDING) < SAMPLE_RATE // 20:
            assert time.monotonic() < deadline, "nothing is heard"
            time.sleep(0.02)
        room.close()
        return int(said["speech"])

    def hear(self, seconds: float) -> None:
        """Until so much more sound was heard, however long it takes on a busy machine."""
        heard = [e["sample"] for e in self.events if e["event"] == "LevelMeasured"]
        self.until(
            lambda e: e["event"] == "LevelMeasured" and e["sample"] > heard[-1] + seconds * SAMPLE_RATE
        )

    def is_interrupted(self, number: int) -> bool:
        """Whether what it says is cut, once it has ended."""
        ended = self.until(lambda e: e["event"] == "SayFinished" and e["speech"] == number)
        return bool(ended["interrupted"])

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
def loop(sound_server: SoundServer, shop: Path, home: Path, tmp_path: Path) -> Iterator[Loop]:
    need(shutil.which("espeak-ng") is not None, "espeak-ng (Linux: apt-get install espeak-ng)")
    quiet = noise(ROOM_S, np.random.default_rng(4), ROOM_DBFS)
    room = play(sound_server, write_wav(tmp_path / "room.wav", quiet))
    running = Loop(sound_server, shop, home)
    try:
        running.until(lambda e: e["event"] == "SourceOpened")
        yield running
    finally:
        running.close()
        room.kill()
        room.wait(LIMIT_S)


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
    alone = loop.speak()
    assert not loop.is_interrupted(alone)
    speech = [e for e in loop.events if e["event"] in ("SpeechStarted", "SpeechSustained", "SourceTroubled")]
    assert speech == []

    noises = [write_wav(tmp_path / f"{made.__name__}.wav", made()) for made in (cough, slam)]
    disturbed = loop.speak()
    for sound in noises:
        loop.hear(1.0)
        play(sound_server, sound).wait(LIMIT_S)
    assert not loop.is_interrupted(disturbed), [e["text"] for e in loop.events if e["event"] == "Transcript"]

    loop.speak()
    loop.hear(1.5)
    loop.mark = len(loop.events)
    for number in itertools.count():
        person = play(sound_server, PERSON)
        try:
            loop.until(lambda e: e["event"] == "SpeechSustained", seconds=HEARD_S)
            break
        except queue.Empty:
            assert number == 0, "a busy machine may break a sound up once"
        finally:
            person.wait(LIMIT_S)
