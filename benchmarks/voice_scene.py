"""One arrangement at work: a repository, a session in it, and sound that is fed to it as it is spoken."""

from __future__ import annotations

import json
import os
import queue
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

from benchmarks.voice_clips import Clip, room
from mybro.events import SAMPLE_RATE

CACHE = Path(__file__).parents[1] / ".cache" / "voice"
_BLOCK = SAMPLE_RATE // 50
_SOURCE = "user_id = 1\n\n\ndef show():\n    return user_id\n"
_SHIM = '#!/bin/sh\necho "$(date +%s%N) {name} $*" >> {marks}\nexec {real} "$@"\n'
_PYTHON = '#!/bin/sh\necho "$(date +%s%N) python $*" >> {marks}\nexit 0\n'
_CHECKPOINTS = ("git -C ", "git version")
"""What checkpoints begin outside with; everything else is an action's."""


@dataclass
class Told:
    """One event of a session, and when it was, in nanoseconds since 1970."""

    name: str
    at: int
    fields: dict[str, Any] = field(default_factory=dict)


class Scene:
    """A repository with programs in reach that tell when they are started."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.repo = place / "repo"
        self.marks = place / "marks"
        self.marks.touch()
        (self.repo / "tests").mkdir(parents=True)
        (self.repo / ".gitignore").write_text(".venv\n")
        (self.repo / "tests" / "test_it.py").write_text("def test_it():\n    pass\n")
        (self.repo / "pyproject.toml").write_text("[project]\nname = 'it'\nversion = '1'\n")
        git = shutil.which("git") or "git"
        self._program(place / "bin" / "git", _SHIM.format(name="git", marks=self.marks, real=git))
        self._program(self.repo / ".venv" / "bin" / "python", _PYTHON.format(marks=self.marks))
        agent = Path(__file__).with_name("voice_agent.py")
        self.env = {
            "PATH": f"{place / 'bin'}:{os.environ['PATH']}", "HOME": str(place / "home"), "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "B", "GIT_AUTHOR_EMAIL": "b@localhost",
            "GIT_COMMITTER_NAME": "B", "GIT_COMMITTER_EMAIL": "b@localhost",
            "MYBRO_CACHE_DIR": str(CACHE), "MYBRO_EXECUTOR__AGENT": "acp", "MYBRO_EXECUTOR__SANDBOX": "off",
            "MYBRO_EXECUTOR__ACP_COMMAND": f"{sys.executable} {agent} {self.marks}",
            "MYBRO_SPEAK__NOTIFY": "false", "MYBRO_BRAIN__PROVIDER": "none",
        }  # fmt: skip
        (place / "home").mkdir()
        self.reset()
        for command in ("init -q", "add .", "commit -q -m begin"):
            subprocess.run(["git", *command.split()], cwd=self.repo, env=self.env, check=True)

    def _program(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def reset(self) -> int:
        """Begin anew: something to rename, something to commit. Returns when, in nanoseconds since 1970."""
        (self.repo / "main.py").write_text(_SOURCE)
        with (self.repo / "notes.txt").open("a") as notes:
            notes.write("one more line\n")
        time.sleep(0.02)
        return time.time_ns()

    def effects(self, since: int) -> list[int]:
        """When something happened outside after `since`, in order."""
        rows = [line.split(" ", 1) for line in self.marks.read_text().splitlines()]
        found = [int(at) for at, what in rows if not what.startswith(_CHECKPOINTS)]
        if (self.repo / "main.py").read_text() != _SOURCE:
            found.append((self.repo / "main.py").stat().st_mtime_ns)
        return sorted(at for at in found if at >= since)


class Over(NamedTuple):
    """The last sample of speech of a clip."""

    at: int
    """When it was over, in nanoseconds since 1970."""
    sample: int
    """Its index in all the sound that was fed."""


class Ear:
    """Sound into a process, at the speed of speech; a quiet room while nobody speaks."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self._wanted: queue.Queue[tuple[Clip, float, queue.Queue[Over]]] = queue.Queue()
        self._noise = room(SAMPLE_RATE, 5).tobytes()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def speak(self, clip: Clip, after_s: float) -> queue.Queue[Over]:
        """Play a clip; what is returned is told when its last sample of speech is over."""
        over: queue.Queue[Over] = queue.Queue()
        self._wanted.put((clip, time.monotonic() + after_s, over))
        return over

    def close(self) -> None:
        self._ending.set()
        self._thread.join(timeout=1)

    def _feed(self) -> None:
        began, sent = time.monotonic(), 0
        pcm, last, over, waiting = b"", -1, None, None
        while not self._ending.is_set():
            if waiting is None and not pcm and not self._wanted.empty():
                waiting = self._wanted.get()
            if waiting is not None and time.monotonic() >= waiting[1]:
                clip, _, over = waiting
                pcm, last, waiting = clip.pcm.tobytes(), clip.last, None
            block, pcm = (pcm[: 2 * _BLOCK], pcm[2 * _BLOCK :]) if pcm else (self._noise[: 2 * _BLOCK], b"")
            block += self._noise[: 2 * _BLOCK - len(block)]
            sent += _BLOCK
            # A block can be had when its last sample has been spoken.
            due = began + sent / SAMPLE_RATE
            time.sleep(max(due - time.monotonic(), 0))
            try:
                self._sink.write(block)
                self._sink.flush()
            except OSError:
                return
            if over is not None:
                if last < _BLOCK:
                    late = (_BLOCK - 1 - last) / SAMPLE_RATE
                    at = time.time_ns() - int((time.monotonic() - due + late) * 1e9)
                    over.put(Over(at, sent - _BLOCK + last))
                    over = None
                last -= _BLOCK


class Process:
    """A child that tells JSON lines."""

    def __init__(self, command: Sequence[str], scene: Scene, cwd: Path) -> None:
        self.process = subprocess.Popen(
            command, cwd=cwd, env=scene.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=(scene.place / f"errors-{id(self)}").open("wb"), start_new_session=True,
        )  # fmt: skip
        self.told: list[Told] = []
        self.ready = threading.Event()
        self.other: Process | None = None
        """Is handed every text that this one hears."""
        self._epoch = 1 << 63
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def stdin(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    def busy(self) -> bool:
        """Whether a job is at work."""
        ends = {
            t.fields["job"] for t in list(self.told) if t.name in ("JobFinished", "JobFailed", "JobStopped")
        }
        return any(t.name == "JobStarted" and t.fields["job"] not in ends for t in list(self.told))

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=8)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            now = time.time_ns()
            if not line.startswith(b"{"):
                self.ready.set()
                continue
            fields = json.loads(line)
            name = fields.get("event", "Heard")
            if name == "LevelMeasured":
                continue
            if name in ("ready", "ListeningStarted"):
                self.ready.set()
            if name == "Heard":
                self.told.append(Told(name, fields["at"], fields))
                if self.other is not None:
                    self.other.stdin.write(fields["text"].encode() + b"\n")
                    self.other.stdin.flush()
                continue
            # The quickest line tells best when the session's clock began.
            self._epoch = min(self._epoch, now - int(fields["wall_ms"] * 1e6))
            self.told.append(Told(name, self._epoch + int(fields["wall_ms"] * 1e6), fields))
