"""How packages come into the environment that mybro runs in."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

from mybro.errors import ModelError
from mybro.ops.bootstrap.environment import LOCAL_UV, trusting

Run = Callable[[Sequence[str]], int]
"""Runs a command and gives its status."""


def installer() -> list[str]:
    """The command that installs what is appended to it: uv's, the checkout's own uv's, or pip's.

    Raises `ModelError` where there is none.
    """
    if uv := shutil.which("uv") or shutil.which(str(LOCAL_UV / "bin" / "uv")):
        return [uv, "pip", "install", "--python", sys.executable]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install"]
    raise ModelError(
        "no_installer", "neither uv nor pip is here", hint="Get uv: https://docs.astral.sh/uv/ (one command)"
    )


def run(command: Sequence[str]) -> int:
    """Run an installer, what it says on stderr."""
    return subprocess.run(command, check=False, stdout=sys.stderr, env=trusting(os.environ)).returncode
