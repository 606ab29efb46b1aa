"""`make requirements`: compile requirements/*.txt from pyproject.toml, with hashes, for every platform."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mybro.ops.bootstrap.console import call, step
from mybro.ops.bootstrap.environment import find_uv
from mybro.ops.bootstrap.places import REQUIREMENTS, ROOT

OLDEST_PYTHON = "3.11"

# pynput declares evdev, which has no wheels, wants a C compiler, and serves only a way of reading keys
# that mybro does not use.
LEFT_OUT = ("evdev",)

USED = ("offline", "keys", "server", "index", "mcp", "new", "doctor")
"""Extras without which a command of `mybro --help` would only say what is missing."""


def _extras(*names: str) -> tuple[str, ...]:
    return tuple(f"--extra={name}" for name in names)


# In this order: dev.txt is the union, and the others take their versions from it.
FROM_PROJECT: dict[str, tuple[str, ...]] = {
    "dev": ("--all-extras", "--group", "dev"),
    "app": _extras(*USED),
    "mlx": _extras(*USED, "mlx"),
}
BY_NAME: dict[str, str] = {
    # Declares torch and numba, which transcribing does not need.
    "mlx-whisper": "mlx-whisper==0.4.3",
    # Declares librosa, which brings numba, scipy and scikit-learn, for one table.
    "parakeet-mlx": "parakeet-mlx==0.7.0",
    # What builds mybro itself, editable.
    "build": "hatchling>=1.27\neditables",
    # For a machine that has no uv.
    "uv": "uv",
}

ALONE = ("mlx-whisper", "parakeet-mlx")


def compile_all(arguments: Sequence[str]) -> int:
    """Write every requirements file anew; `--upgrade` takes newer versions where they are allowed."""
    uv = find_uv()
    base: list[str | Path] = [
        uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes",
        "--python-version", OLDEST_PYTHON, "--no-header", *arguments,
    ]  # fmt: skip
    left_out = [part for name in LEFT_OUT for part in ("--no-emit-package", name)]
    for name, what in FROM_PROJECT.items():
        union = [] if name == "dev" else ["--constraint", "requirements/dev.txt"]
        with step(f"requirements/{name}.txt"):
            call(
                [*base, *left_out, *what, *union, "pyproject.toml", "-o", f"requirements/{name}.txt"],
                f"compiling {name}.txt",
                cwd=ROOT,
            )
    for name, line in BY_NAME.items():
        source = REQUIREMENTS / f".{name}.in"
        source.write_text(line + "\n", encoding="utf-8")
        alone = ["--no-deps"] if name in ALONE else []
        try:
            with step(f"requirements/{name}.txt"):
                call(
                    [*base, *alone, "--no-annotate", source, "-o", f"requirements/{name}.txt"],
                    f"compiling {name}.txt",
                    cwd=ROOT,
                )
        finally:
            source.unlink()
    return 0
