"""Installing mlx-whisper without the dependencies it declares: torch, numba and scipy are not needed here."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

from mybro.errors import ModelError

NEEDED = ("huggingface-hub>=0.30", "tiktoken>=0.9", "tqdm>=4.67")
MLX_WHISPER = "mlx-whisper==0.4.3"


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


def is_installed() -> bool:
    return all(importlib.util.find_spec(name) for name in ("mlx", "mlx_whisper", "tiktoken"))


def commands() -> list[list[str]]:
    """What has to be run: MLX and what mlx-whisper uses, then mlx-whisper alone.

    Raises `ModelError` where there is no installer.
    """
    uv = shutil.which("uv")
    if uv:
        install = [uv, "pip", "install", "--python", sys.executable]
    elif importlib.util.find_spec("pip"):
        install = [sys.executable, "-m", "pip", "install"]
    else:
        raise ModelError(
            "no_installer",
            "neither uv nor pip is here",
            hint="Get uv: https://docs.astral.sh/uv/ (one command)",
        )
    return [[*install, mlx_requirement(), *NEEDED], [*install, "--no-deps", MLX_WHISPER]]


def install(say: Callable[[str], None], run: Callable[[Sequence[str]], int] | None = None) -> None:
    """Run the commands, each announced through `say`. Raises `ModelError` where one fails."""
    run = run or (lambda command: subprocess.run(command, check=False).returncode)
    for command in commands():
        say("$ " + " ".join(command))
        status = run(command)
        if status:
            raise ModelError(
                "not_installed", f"the command ended with status {status}", hint="See above", retryable=True
            )
