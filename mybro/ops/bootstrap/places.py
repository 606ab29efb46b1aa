"""Where things stand in the checkout, and what kind of machine this is."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = ROOT / "requirements"
VENV = ROOT / ".venv"
CACHE = ROOT / ".cache"


def apple_silicon() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"


def in_venv(name: str) -> Path:
    """A program of the environment."""
    return VENV / "bin" / name
