"""What is done in Rust where the engine is built, and in Python where it is not."""

from __future__ import annotations

import importlib
import os
from functools import cache
from types import ModuleType

NEEDS = (0, 2)
"""The engine's version: its first two numbers must be these."""


@cache
def engine() -> ModuleType | None:
    """The engine; None where it is not built, is another version's, or MYBRO_NATIVE is "0"."""
    if os.environ.get("MYBRO_NATIVE") == "0":
        return None
    try:
        found = importlib.import_module("mybro_engine")
    except ImportError:
        return None
    version = tuple(int(part) for part in found.__version__.split(".")[:2])
    return found if version == NEEDS else None


def in_use() -> str:
    """Which of the two is in use, for a person."""
    found = engine()
    return f"the Rust engine {found.__version__}" if found else "Python (make rust builds the faster engine)"
