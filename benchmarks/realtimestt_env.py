"""RealtimeSTT in an environment of its own under .cache, without torch and PyAudio: this use calls neither.

Its faster-whisper, numpy and ONNX Runtime are those of this environment, so that both sides run the same code
on the same weights. Silero's ONNX file lies in the pipecat-ai wheel.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

PLACE = Path(__file__).parents[1] / ".cache" / "realtimestt"
OWN = ("realtimestt==1.1.2",)
NEEDED = ("halo==0.0.31", "colorama==0.4.6", "scipy>=1.14", "websockets>=15", "websocket-client>=1.9")
PIPECAT = "pipecat-ai==1.14.0"
SILERO = PLACE / "silero_vad.onnx"
_READY = PLACE / "ready"

_TORCH = '''"""Stands in for torch where only its names are imported."""


class Tensor:
    pass


class cuda:
    @staticmethod
    def is_available() -> bool:
        return False
'''
_PYAUDIO = '''"""Stands in for PyAudio where no microphone is used."""

paInt16 = 8


class PyAudio:
    pass
'''


class NotBuiltError(Exception):
    """The environment could not be built; the text says why and what to do."""


def python() -> Path:
    """The environment's interpreter; builds what is missing. Raises `NotBuiltError`."""
    found = PLACE / "bin" / "python"
    if not _READY.is_file():
        if not (3, 11) <= sys.version_info[:2] < (3, 13):
            raise NotBuiltError("RealtimeSTT needs Python 3.11 or 3.12: run the benchmark with one of these")
        shutil.rmtree(PLACE, ignore_errors=True)
        _build(found)
        _READY.touch()
    return found


def _build(found: Path) -> None:
    _run(sys.executable, "-m", "venv", "--without-pip", str(PLACE))
    _install(found, *NEEDED)
    _install(found, "--no-deps", *OWN)
    own = Path(_run(str(found), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    # After the environment's own folder: what it has itself comes first.
    (own / "zz-shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (own / "torch").mkdir()
    (own / "torch" / "__init__.py").write_text(_TORCH)
    (own / "torch" / "multiprocessing.py").write_text("from multiprocessing import *  # noqa: F403\n")
    (own / "pyaudio.py").write_text(_PYAUDIO)
    with tempfile.TemporaryDirectory() as unpacked:
        _install(found, "--no-deps", "--target", unpacked, PIPECAT)
        shutil.copy(Path(unpacked, "pipecat", "audio", "vad", "data", "silero_vad.onnx"), SILERO)
    _run(str(found), "-c", "from RealtimeSTT import AudioToTextRecorder")


def _install(target: Path, *what: str) -> None:
    if uv := shutil.which("uv"):
        _run(uv, "pip", "install", "--quiet", "--python", str(target), *what)
    else:
        _run(sys.executable, "-m", "pip", "--quiet", "--python", str(target), "install", *what)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise NotBuiltError(
            f"RealtimeSTT's environment could not be built: {last}\n"
            f"The command was: {' '.join(command)}\n"
            f"Mend what it complains about, remove {PLACE}, and run the benchmark again."
        )
    return done.stdout
