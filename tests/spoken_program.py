"""`mybro run` that hears sound as it is spoken: a test talks, and knows when each word was over."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tests.claude_api import ScriptedServer, bash, text
from tests.program import command, environment
from tests.stop_scene import Child, Watcher

RECORDINGS = Path(__file__).parent / "audio"
TASK = RECORDINGS / "create_hello.flac"
TASK_WORDS = "prints hello"
STOP = tuple(RECORDINGS / "dev" / f"02_{voice}.flac" for voice in ("piper_joe", "flite_slt"))

RATE = 16_000
_BLOCK = RATE // 50
_SILENCE = bytes(2 * _BLOCK)


class SpokenTo:
    """A session at the speed of speech; silence is heard while nobody speaks."""

    def __init__(self, repo: Path, home: Path, env: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command("run", "--audio", "-", "--realtime", "--json", "--no-voice"), cwd=repo,
            env=environment(home, **env), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self.told: list[dict[str, Any]] = []
        self._said: queue.Queue[tuple[bytes, int, queue.Queue[float]]] = queue.Queue()
        self._ending = threading.Event()
        self._more = threading.Condition()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._feed, self._read)]
        for thread in self._threads:
            thread.start()

    def say(self, recording: Path) -> float:
        """Play a recording; returns when its last word is over, with when that was, on `time.monotonic`."""
        sound, rate = soundfile.read(recording, dtype="int16")
        assert rate == RATE
        over: queue.Queue[float] = queue.Queue()
        self._said.put((sound.tobytes(), end_of_speech(sound), over))
        return over.get(timeout=60)

    def wait_for(
        self, event: str, where: Callable[[dict[str, Any]], bool] = lambda _: True, since: int = 0
    ) -> dict[str, Any]:
        """The first event of this name after the first `since` events; fails after a minute."""
        deadline = time.monotonic() + 90
        with self._more:
            while True:
                for item in self.told[since:]:
                    if item["event"] == event and where(item):
                        return item
                if not self._threads[1].is_alive() or time.monotonic() > deadline:
                    names = [item["event"] for item in self.told[since:] if item["event"] != "LevelMeasured"]
                    raise AssertionError(f"no {event} in {names}")
                self._more.wait(1)

    def close(self) -> str:
        """End the session in order; returns what it complained of."""
        self._ending.set()
        for thread in self._threads:
            thread.join(60)
        assert self.process.stderr is not None and self.process.stdout is not None
        errors = self.process.stderr.read().decode()
        self.process.wait(60)
        self.process.stderr.close()
        self.process.stdout.close()
        return errors

    def _feed(self) -> None:
        pipe = self.process.stdin
        assert pipe is not None
        began, block = time.monotonic(), 0
        sound, at, end, over = b"", 0, 0, None
        try:
            while not self._ending.is_set():
                if at >= len(sound):
                    sound, at = b"", 0
                    if not self._said.empty():
                        sound, end, over = self._said.get()
                part = sound[at : at + 2 * _BLOCK]
                at += 2 * _BLOCK
                block += 1
                time.sleep(max(0.0, began + block * _BLOCK / RATE - time.monotonic()))
                pipe.write(part + _SILENCE[len(part) :])
                pipe.flush()
                if over is not None and at // 2 >= end:
                    over.put(time.monotonic())
                    over = None
            pipe.close()
        except BrokenPipeError:
            pass

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._more:
                self.told.append(json.loads(line))
                self._more.notify_all()
        with self._more:
            self._more.notify_all()


@contextmanager
def speaking_to(repo: Path, home: Path, env: Mapping[str, str]) -> Iterator[SpokenTo]:
    session = SpokenTo(repo, home, env)
    try:
        yield session
    finally:
        session.close()


def stop_by_voice(
    session: SpokenTo, api: ScriptedServer, watcher: Watcher, child: Child, recording: Path = STOP[0]
) -> None:
    """Have a coding session start a child by a spoken task, see it write, and say stop."""
    since = len(session.told)
    api.when(TASK_WORDS, [bash(child.command), text("It ended.")])
    session.say(TASK)
    session.wait_for("JobStarted", since=since)
    watcher.begin(child)
    child.wait_for_writing()
    watcher.stopped(child, session.say(recording))
    session.wait_for("JobStopped", since=since)


def end_of_speech(sound: np.ndarray[Any, np.dtype[np.int16]]) -> int:
    """The sample after which a recording is silent: 26 dB below its loudest 10 ms."""
    step = RATE // 100
    loud = [
        float(np.sqrt(np.mean(np.square(sound[at : at + step].astype(np.float64)))))
        for at in range(0, len(sound), step)
    ]
    last = max(index for index, level in enumerate(loud) if level > max(loud) / 20)
    return min((last + 1) * step, len(sound))
