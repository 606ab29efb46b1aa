"""Sentences spoken by this machine's voices, each made once and kept, for benchmarks of hearing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from mybro.config import SpeakSettings, cache_dir
from mybro.errors import SpeakError
from mybro.events import SAMPLE_RATE
from mybro.speak.piper import Piper, make

PAD_S = 0.3
"""Silence at both ends, as there is around what a person says."""

Line = tuple[str, str]
"""A voice and what it says."""
_FLITE = {"flite-slt": "slt", "flite-rms": "rms", "flite-awb": "awb"}
_ESPEAK = {"espeak-f": "en-us+f3", "espeak-m": "en-gb+m3"}


def voices() -> list[str]:
    """The voices that are there: Piper's "joe", Flite's, espeak-ng's."""
    found = []
    try:
        make(SpeakSettings())
        found.append("piper-joe")
    except SpeakError:
        pass
    if shutil.which("flite"):
        found += _FLITE
    if shutil.which("espeak-ng"):
        found += _ESPEAK
    return found


def speak(lines: Sequence[Line]) -> list[Path]:
    """A FLAC file (16 kHz, mono) of each line."""
    missing = [line for line in dict.fromkeys(lines) if not place(line).is_file()]
    if missing:
        asyncio.run(_make(missing))
    return [place(line) for line in lines]


def place(line: Line) -> Path:
    key = hashlib.sha256("\0".join(line).encode()).hexdigest()[:20]
    return cache_dir() / "spoken" / f"{key}.flac"


async def _make(lines: Sequence[Line]) -> None:
    piper: Piper | None = None
    try:
        for voice, text in lines:
            if voice == "piper-joe":
                piper = piper or make(SpeakSettings())
                raw = b"".join([part async for part in piper.synthesize(text)])
                _keep((voice, text), np.frombuffer(raw, "<i2"), piper.sample_rate)
            else:
                _keep((voice, text), *_by_program(voice, text))
    finally:
        if piper is not None:
            await piper.aclose()


def _by_program(voice: str, text: str) -> tuple[npt.NDArray[np.int16], int]:
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "said.wav"
        command = (
            ["flite", "-voice", _FLITE[voice], "-t", text, "-o", str(wav)]
            if voice in _FLITE
            else ["espeak-ng", "-v", _ESPEAK[voice], "-s", "165", "-w", str(wav), text]
        )
        subprocess.run(command, check=True, capture_output=True)
        pcm, rate = soundfile.read(str(wav), dtype="int16")
    return pcm, rate


def _keep(line: Line, pcm: npt.NDArray[np.int16], rate: int) -> None:
    sound = soxr.resample(pcm.astype(np.float32) / 32768, rate, SAMPLE_RATE)
    quiet = np.zeros(int(PAD_S * SAMPLE_RATE), np.float32)
    target = place(line)
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(f".{os.getpid()}.flac")
    soundfile.write(
        str(half), np.concatenate([quiet, sound, quiet]).astype(np.float32), SAMPLE_RATE, subtype="PCM_16"
    )
    half.replace(target)
