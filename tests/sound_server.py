"""A real sound server for tests: PulseAudio with a silent room of its own.

What is played into the sink `vmic` is what the default microphone hears; what is played to the default
loudspeaker can be recorded from `vspk.monitor`. Use it with `pytest_plugins = ("tests.sound_server",)`,
and import `SoundServer` for type checking only.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.audio_tools import Pcm
from tests.program import measured
from tests.requirements import need

MODULES = """
load-module module-native-protocol-unix
load-module module-null-sink sink_name=vmic rate=48000 channels=1
load-module module-null-sink sink_name=vspk rate=48000 channels=2
set-default-sink vspk
set-default-source vmic.monitor
"""
ALSA = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
KEEP_ALIVE_SINKS = {"vmic": 1, "vspk": 2}
START_S = 30.0


class SoundServer:
    """PulseAudio in a folder of its own. `env` is what a process needs to find it, and nothing more."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        (folder / ".asoundrc").write_text(ALSA)
        (folder / "pulse.pa").write_text(MODULES)
        self.env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(runtime),
            "PULSE_RUNTIME_PATH": str(runtime),
            "LANG": "C.UTF-8",
            **measured(),
        }

    def start(self) -> None:
        """Start the server and wait until it keeps time."""
        self._run(
            "pulseaudio", "--daemonize=no", "--exit-idle-time=-1", "-n", "-F", f"{self._folder}/pulse.pa"
        )
        deadline = time.monotonic() + START_S
        while subprocess.run(["pactl", "info"], env=self.env, capture_output=True).returncode:
            assert time.monotonic() < deadline, "PulseAudio does not answer"
            assert self._processes[0].poll() is None, "PulseAudio has ended"
            time.sleep(0.1)
        # A null sink that nobody plays to renders far ahead, so that later sound begins late.
        for sink, channels in KEEP_ALIVE_SINKS.items():
            self._run(
                "pacat", f"--device={sink}", "--rate=48000", f"--channels={channels}", "--latency-msec=10",
                "/dev/zero",
            )  # fmt: skip
        time.sleep(2.5)

    def stop(self) -> None:
        """End the server, as a crash of it would: everybody connected to it loses the sound."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGKILL)
            process.wait()
        self._processes.clear()
        for stale in (self._folder / "run").iterdir():
            if stale.is_dir():
                shutil.rmtree(stale)
            else:
                stale.unlink()

    def say(self, wav: Path) -> subprocess.Popen[bytes]:
        """Play a file into the microphone; the process ends when it has been played."""
        command = ["paplay", "--device=vmic", "--latency-msec=300", str(wav)]
        return subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def record_loudspeaker(self) -> Recording:
        """Record what the default loudspeaker plays, from now on."""
        return Recording(self.env)

    def _run(self, *command: str) -> None:
        self._processes.append(
            subprocess.Popen(
                command,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )


class Recording:
    """Mono 16 kHz sound from the loudspeaker's monitor."""

    def __init__(self, env: dict[str, str]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            ["parec", "--device=vspk.monitor", "--rate=16000", "--channels=1", "--format=s16le",
             "--latency-msec=10"],
            env=env, stdout=self._file, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def pcm(self) -> Pcm:
        """Everything recorded so far."""
        size = os.fstat(self._file.fileno()).st_size // 2 * 2
        return np.frombuffer(os.pread(self._file.fileno(), size, 0), "<i2")

    def close(self) -> Pcm:
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
        pcm = self.pcm()
        self._file.close()
        return pcm


def missing() -> str:
    """What a real sound server needs and this machine lacks; empty where nothing is."""
    programs = [
        name for name in ("pulseaudio", "pactl", "pacat", "paplay", "parec") if not shutil.which(name)
    ]
    if programs:
        packages = "pulseaudio pulseaudio-utils libasound2-plugins libportaudio2"
        return f"{', '.join(programs)} (Linux: apt-get install {packages})"
    return ""


@pytest.fixture(scope="module")
def sound_server() -> Iterator[SoundServer]:
    """A running server for the tests of one module."""
    need(not missing(), missing())
    # A short path: a socket's name has room for about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="mybro-"))
    server = SoundServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
