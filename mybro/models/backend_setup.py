"""Installing recognisers that do not come with mybro, those on MLX without what they declare and do not need.

mlx-whisper declares torch, numba and scipy, parakeet-mlx librosa, which brings numba, scipy and scikit-learn:
none is needed here.
"""

from __future__ import annotations

import importlib.util
import platform
import sys
from collections.abc import Callable

from mybro.errors import ModelError
from mybro.models.catalogue import Backend
from mybro.models.installer import Run, installer
from mybro.models.installer import run as run_installer

MLX_WHISPER = "mlx-whisper==0.4.3"
PARAKEET_MLX = "parakeet-mlx==0.7.0"
_HUB = "huggingface-hub>=0.30"
_NEEDED: dict[Backend, tuple[str, ...]] = {
    "mlx-whisper": (_HUB, "tiktoken>=0.9", "tqdm>=4.67"),
    "parakeet-mlx": (_HUB, "dacite>=1.9.2"),
    "sherpa-onnx": ("sherpa-onnx>=2.0,<3",),
}
_ALONE: dict[Backend, str] = {"mlx-whisper": MLX_WHISPER, "parakeet-mlx": PARAKEET_MLX}
"""Installed without their dependencies."""
_MODULES: dict[Backend, tuple[str, ...]] = {
    "faster-whisper": ("faster_whisper",),
    "mlx-whisper": ("mlx", "mlx_whisper", "tiktoken"),
    "parakeet-mlx": ("mlx", "parakeet_mlx", "dacite"),
    "sherpa-onnx": ("sherpa_onnx",),
}


def mlx_requirement() -> str:
    """MLX itself, as this platform has it. Raises `ModelError` where there is none."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        return "mlx>=0.32,<0.33"
    if sys.platform == "linux":
        return "mlx[cpu]>=0.32,<0.33"
    raise ModelError(
        "mlx_unsupported",
        "MLX needs a Mac with Apple silicon, or Linux",
        hint="faster-whisper, which is there already, works here",
    )


def is_installed(backend: Backend) -> bool:
    return all(importlib.util.find_spec(name) for name in _MODULES[backend])


def commands(backend: Backend = "mlx-whisper") -> list[list[str]]:
    """What has to be run: what a recogniser uses, then itself.

    Raises `ModelError` where there is no installer.
    """
    command = installer()
    alone = _ALONE.get(backend)
    first = [*command, *([mlx_requirement()] if alone else ()), *_NEEDED[backend]]
    return [first, [*command, "--no-deps", alone]] if alone else [first]


def install(
    say: Callable[[str], None],
    backend: Backend = "mlx-whisper",
    run: Run = run_installer,
) -> None:
    """Run the commands, each announced through `say`. Raises `ModelError` where one fails."""
    for command in commands(backend):
        say("$ " + " ".join(command))
        status = run(command)
        if status:
            raise ModelError(
                "not_installed", f"the command ended with status {status}", hint="See above", retryable=True
            )
